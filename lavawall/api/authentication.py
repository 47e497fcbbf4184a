"""Authentication of API requests: an API token or a browser session."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework import authentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from tenants.accounts import user_accounts
from tenants.models import ApiToken, User

SCHEME = b"bearer"


class TokenAuthentication(authentication.BaseAuthentication):
    """`Authorization: Bearer lw_…`. The error is the same for unknown, expired and revoked tokens."""

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        words = authentication.get_authorization_header(request).split()
        if not words or words[0].lower() != SCHEME:
            return None
        token = user_accounts.token_for(words[1].decode("latin-1")) if len(words) == 2 else None
        if token is None:
            raise AuthenticationFailed("This API token is unknown, expired or revoked. Issue a new one.")
        return token.user, token

    def authenticate_header(self, _request: Request) -> str:
        return 'Bearer realm="lavawall"'


class SessionAuthentication(authentication.SessionAuthentication):
    """The browser session. Writes also need the CSRF token."""


class TokenScheme(OpenApiAuthenticationExtension):
    target_class = TokenAuthentication
    name = "apiToken"

    def get_security_definition(self, _schema: Any) -> dict[str, str]:
        return {
            "type": "http",
            "scheme": "bearer",
            "description": (
                "An API token (lw_…). It allows what its user may do, restricted to its scopes "
                "(read, request, approve), and can be limited to one customer."
            ),
        }


class SessionScheme(OpenApiAuthenticationExtension):
    target_class = SessionAuthentication
    name = "session"

    def get_security_definition(self, _schema: Any) -> dict[str, str]:
        return {
            "type": "apiKey",
            "in": "cookie",
            "name": "sessionid",
            "description": "A browser session. Writes also need the X-CSRFToken header.",
        }
