"""addKey and removeKey: certificates of an app, changed by whoever proves to hold one of the present ones."""

import base64
from collections.abc import Iterator
from typing import Any

import jwt
from cryptography import x509

from lavawall.emulator import entities, registry
from lavawall.emulator.errors import bad_request, denied
from lavawall.emulator.model import Action, Permissions
from lavawall.emulator.requests import Answer, Call
from lavawall.emulator.store import Json, Record, Session
from lavawall.emulator.validation import WriteRules, checked_body

PROOF_AUDIENCE = "00000002-0000-0000-c000-000000000000"
SHOWN_ONCE = frozenset({"key"})


def _called_on(call: Call) -> Record:
    name = "application" if "/applications/" in call.url.lower() else "servicePrincipal"
    return entities.find(call.session, registry.kind(name), call.parameter("id"))


def _valid_certificates(session: Session, record: Record) -> Iterator[x509.Certificate]:
    for each in record.body.get("keyCredentials") or []:
        certificate = x509.load_der_x509_certificate(base64.b64decode(each["key"]))
        if certificate.not_valid_after_utc > session.now:
            yield certificate


def _check_proof(session: Session, record: Record, proof: Any) -> None:
    """A token for the directory, issued by the object itself and signed with one of its valid keys."""
    certificates = list(_valid_certificates(session, record))
    if not certificates:
        raise bad_request("The object has no valid key to prove possession of; use an update instead.")
    for certificate in certificates:
        try:
            jwt.decode(
                str(proof),
                certificate.public_key(),  # type: ignore[arg-type]
                algorithms=["RS256", "PS256"],
                audience=PROOF_AUDIENCE,
                issuer=record.id,
                options={"require": ["exp", "nbf", "aud", "iss"]},
            )
        except jwt.InvalidTokenError:
            continue
        return
    raise denied()


def _certificate(body: Any) -> Json:
    """The given key credential with the dates of its certificate."""
    given: Any = body.get("keyCredential") or {}
    checked: Json = checked_body({"keyCredentials": [given]}, "application", WriteRules(), creating=False)[
        "keyCredentials"
    ][0]
    try:
        certificate = x509.load_der_x509_certificate(base64.b64decode(checked["key"]))
    except (KeyError, TypeError, ValueError) as error:
        raise bad_request("'keyCredential' needs a 'key' that is a certificate.") from error
    return {
        "startDateTime": certificate.not_valid_before_utc.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "endDateTime": certificate.not_valid_after_utc.strftime("%Y-%m-%dT%H:%M:%SZ"),
        **{name: value for name, value in checked.items() if value is not None},
    }


def add_key(call: Call) -> Answer:
    session, record = call.session, _called_on(call)
    body: Any = call.json() or {}
    _check_proof(session, record, body.get("proof"))
    credential = {"keyId": session.randomness.guid(), **_certificate(body)}
    _replace(session, record, [*record.body["keyCredentials"], credential])
    shown = {name: value for name, value in credential.items() if name not in SHOWN_ONCE}
    return Answer(
        200, {"@odata.context": f"{call.root}/$metadata#microsoft.graph.keyCredential", **shown, "key": None}
    )


def remove_key(call: Call) -> Answer:
    session, record = call.session, _called_on(call)
    body: Any = call.json() or {}
    _check_proof(session, record, body.get("proof"))
    stored = [each for each in record.body["keyCredentials"] if each["keyId"] != body.get("keyId")]
    if len(stored) == len(record.body["keyCredentials"]):
        raise bad_request(f"No key credential found with keyId '{body.get('keyId')}'.")
    _replace(session, record, stored)
    return Answer(204)


def _replace(session: Session, record: Record, keys: list[Json]) -> None:
    entities.update(session, registry.kind(record.type_name), record, {"keyCredentials": keys})


def key_actions(write: Permissions) -> tuple[Action, ...]:
    return (Action("POST", "addKey", add_key, write), Action("POST", "removeKey", remove_key, write))
