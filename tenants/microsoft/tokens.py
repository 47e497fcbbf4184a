"""Gets access tokens with MSAL's client-credentials flow, with a secret or a certificate. Used only by the
client. Connects only to the configured sign-in origin, keeps tokens in memory and never logs them.
"""

import base64
import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msal
import requests

from tenants.errors import DomainError
from tenants.microsoft.connection import CertificateCredential, ConnectionConfig
from tenants.microsoft.errors import (
    AuthenticationFailed,
    InvalidAnswer,
    ServiceUnavailable,
    Throttled,
    Unreachable,
)
from tenants.microsoft.request import Safety
from tenants.microsoft.retry import Retrier, Unanswered
from tenants.microsoft.signin_errors import authentication_failed, certificate_expired
from tenants.microsoft.wire import Answer, AnswerLost, exchange, same_origin

# Each line lists names of one sign-in service: its discovery document may return the other name.
_ALIASES: tuple[frozenset[str], ...] = (
    frozenset(
        {"https://login.microsoftonline.com", "https://login.microsoft.com", "https://login.windows.net"}
    ),
    frozenset({"https://login.microsoftonline.us", "https://login.usgovcloudapi.net"}),
    frozenset({"https://login.chinacloudapi.cn", "https://login.partner.microsoftonline.cn"}),
)


@dataclass(frozen=True)
class TokenFacts:
    """The claims of our token: directory, application and application permissions."""

    directory_id: str
    app_id: str
    roles: tuple[str, ...]


class TokenSource:
    def __init__(self, config: ConnectionConfig, session: requests.Session, retrier: Retrier) -> None:
        self._config = config
        self._now = retrier.now
        self._http = _SignIn(config, session, retrier)
        self._lock = threading.Lock()
        self._app: Any = None

    def token(self, origin: str) -> str:
        """A valid token for the service at this origin, from the cache if possible."""
        with self._lock:
            return self._acquire(origin)

    def renew(self, origin: str, refused: str) -> str:
        """A token different from the refused one."""
        with self._lock:
            current = self._acquire(origin)
            if current != refused:
                return current
            self._app.remove_tokens_for_client()
            return self._acquire(origin)

    def _acquire(self, origin: str) -> str:
        if self._app is None:
            self._app = self._sign_in()
        answer = self._asked(origin)
        token = answer.get("access_token") if isinstance(answer, dict) else None
        if not isinstance(token, str):
            raise authentication_failed(self._config, answer if isinstance(answer, dict) else {}, 200)
        return token

    def _asked(self, origin: str) -> Any:
        """MSAL trusts the sign-in service: a malformed response makes it raise arbitrary exceptions."""
        try:
            return self._app.acquire_token_for_client([f"{origin}/.default"])
        except DomainError:
            raise
        except Exception as error:
            raise InvalidAnswer(
                f"The sign-in service sent a response that MSAL cannot read ({type(error).__name__})"
            ) from error

    def _sign_in(self) -> Any:
        credential = self._config.credential
        proof: str | dict[str, str]
        if isinstance(credential, CertificateCredential):
            if credential.not_valid_after <= datetime.fromtimestamp(self._now(), UTC):
                raise certificate_expired(self._config, credential.not_valid_after.date().isoformat())
            proof = {
                "private_key": credential.private_key_pem,
                "public_certificate": credential.certificate_pem,
            }
        else:
            proof = credential.secret
        # The authority is configured. Checking it with the public cloud would disclose private and national
        # clouds, and fail in closed networks.
        return msal.ConfidentialClientApplication(
            self._config.client_id,
            client_credential=proof,
            authority=f"{self._config.endpoints.login_url}/{self._config.directory_id}",
            http_client=self._http,
            instance_discovery=False,
        )


class _SignIn:
    """The HTTP client for MSAL: our session, pinned to the sign-in origin."""

    def __init__(self, config: ConnectionConfig, session: requests.Session, retrier: Retrier) -> None:
        self._config, self._session, self._retrier = config, session, retrier
        ours = config.endpoints.login_url
        self._origins = next((names for names in _ALIASES if ours in names), frozenset({ours}))

    def get(self, url: str, **options: Any) -> "_SignInAnswer":
        return self._call("GET", url, options)

    def post(self, url: str, **options: Any) -> "_SignInAnswer":
        return self._call("POST", url, options)

    def close(self) -> None:
        """Required by MSAL; the session belongs to the client."""

    def _call(self, method: str, url: str, options: Mapping[str, Any]) -> "_SignInAnswer":
        if not any(same_origin(url, origin) for origin in self._origins):
            raise InvalidAnswer("The sign-in service referred us to a different host")
        answer = self._retrier.run(lambda: self._attempt(method, url, options), Safety.READ)
        if answer.status == 429 or answer.status >= 500:
            kind = Throttled if answer.status == 429 else ServiceUnavailable
            raise kind(f"Microsoft's sign-in service answered with {answer.status}", code=str(answer.status))
        body = _object_in(answer)
        if answer.status >= 400:
            raise authentication_failed(self._config, body, answer.status)
        return _SignInAnswer(answer)

    def _attempt(self, method: str, url: str, options: Mapping[str, Any]) -> Answer:
        try:
            answer = exchange(
                self._session,
                method,
                url,
                headers=options.get("headers") or {},
                params=options.get("params"),
                form=options.get("data"),
            )
        except AnswerLost:
            what = f"The connection broke before the sign-in service responded to {method}"
            raise Unanswered(Unreachable(what)) from None
        if answer.status < 300:
            try:
                _object_in(answer)
            except InvalidAnswer as malformed:
                raise Unanswered(malformed) from None
        return answer


def _object_in(answer: Answer) -> dict[str, Any]:
    """Raises InvalidAnswer."""
    try:
        body = answer.json()
    except ValueError:
        body = None
    if not isinstance(body, dict) or 300 <= answer.status < 400:
        raise InvalidAnswer(f"The sign-in service answered with {answer.status} and without a JSON object")
    return body


class _SignInAnswer:
    """A successful response in the form that MSAL expects."""

    def __init__(self, answer: Answer) -> None:
        self.status_code = answer.status
        self.text = answer.content.decode("utf-8")
        self.headers = dict(answer.headers)

    def raise_for_status(self) -> None:
        """Errors are raised before MSAL sees a response."""


def token_facts(token: str) -> TokenFacts:
    """Reads the claims of our own token without verification: they are only shown to the user."""
    try:
        payload = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        roles = claims.get("roles") or []
        return TokenFacts(
            directory_id=str(claims["tid"]),
            app_id=str(claims.get("appid") or claims.get("azp") or ""),
            roles=tuple(sorted(str(role) for role in roles)),
        )
    except (IndexError, KeyError, ValueError, AttributeError, TypeError):
        raise AuthenticationFailed("The sign-in service issued a token that cannot be read") from None
