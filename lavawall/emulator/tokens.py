"""Access tokens as signed JWTs: issued by the login endpoints, read back by Graph and by Azure."""

import base64
from datetime import datetime, timedelta
from typing import Any

import jwt

from lavawall.emulator.certificates import signing_key
from lavawall.emulator.errors import invalid_token
from lavawall.emulator.store import Caller

KEY_ID = "emulator-1"
GRAPH_AUDIENCE = "https://graph.microsoft.com"
ARM_AUDIENCES = ("https://management.azure.com", "https://management.core.windows.net")


def issue(
    caller: Caller,
    *,
    directory_id: str,
    issuer: str,
    audience: str,
    scopes: dict[str, Any],
    now: datetime,
    lifetime: int,
) -> str:
    """A token for one directory; `scopes` is {"roles": [...]} for an app and {"scp": "..."} for a user."""
    claims: dict[str, Any] = {
        "aud": audience,
        "iss": issuer,
        "iat": now,
        "nbf": now,
        "exp": now + timedelta(seconds=lifetime),
        "tid": directory_id,
        "oid": caller.object_id,
        "sub": caller.object_id,
        "appid": caller.app_id,
        "app_displayname": caller.display_name if caller.kind == "app" else "",
        "idtyp": caller.kind,
        "ipaddr": caller.ip_address,
        "ver": "1.0",
        **scopes,
    }
    if caller.kind == "user":
        claims |= {"upn": caller.user_principal_name, "name": caller.display_name}
    return jwt.encode(claims, signing_key(), algorithm="RS256", headers={"kid": KEY_ID})


def read(token: str, *, audiences: list[str], now: datetime) -> tuple[str, Caller]:
    """The directory and the caller of a token; 401 for one that is not ours, altered, expired or for others."""
    try:
        claims = jwt.decode(
            token,
            signing_key().public_key(),
            algorithms=["RS256"],
            audience=audiences,
            options={"verify_exp": False, "verify_nbf": False, "verify_iat": False},
        )
    except jwt.InvalidTokenError as error:
        raise invalid_token(f"Access token validation failure: {error}.") from error
    if claims["exp"] <= now.timestamp():
        raise invalid_token("Lifetime validation failed, the token is expired.")
    caller = Caller(
        kind=claims["idtyp"],
        object_id=claims["oid"],
        display_name=claims.get("name") or claims["app_displayname"],
        app_id=claims["appid"],
        ip_address=claims.get("ipaddr"),
        user_principal_name=claims.get("upn"),
    )
    return claims["tid"], caller


def key_set() -> dict[str, Any]:
    """The public key in the form of a JSON Web Key Set."""
    numbers = signing_key().public_key().public_numbers()

    def encoded(number: int) -> str:
        return base64.urlsafe_b64encode(number.to_bytes((number.bit_length() + 7) // 8)).decode().rstrip("=")

    key = {"kty": "RSA", "use": "sig", "kid": KEY_ID, "n": encoded(numbers.n), "e": encoded(numbers.e)}
    return {"keys": [key]}
