"""Branding of the sign-in page: one default and a localization per language, absent until somebody sets it up."""

import re

from lavawall.emulator import audit, entities, registry
from lavawall.emulator.errors import bad_request, resource_not_found
from lavawall.emulator.licences import ENTRA_P1
from lavawall.emulator.model import Action, Audit, EntityType, Permissions, Write
from lavawall.emulator.odata import listing, parse_query
from lavawall.emulator.presentation import present
from lavawall.emulator.requests import Answer, Call
from lavawall.emulator.store import Record, Session
from lavawall.emulator.types.streams import stream_routes
from lavawall.emulator.validation import WriteRules

READ: Permissions = (
    "OrganizationalBranding.Read.All",
    "OrganizationalBranding.ReadWrite.All",
    "Organization.Read.All",
    "Organization.ReadWrite.All",
)
WRITE: Permissions = ("OrganizationalBranding.ReadWrite.All", "Organization.ReadWrite.All")
PATH = "/organization/{parent}/branding"
DEFAULT = "organizationalBranding"
LOCALIZATION = "organizationalBrandingLocalization"
DEFAULT_LOCALE = "0"
LOCALE = re.compile(r"^[A-Za-z]{2,3}(-[A-Za-z0-9]+)*$")
COMPUTED = frozenset(
    {
        "backgroundImageRelativeUrl",
        "bannerLogoRelativeUrl",
        "cdnList",
        "customCSSRelativeUrl",
        "faviconRelativeUrl",
        "headerLogoRelativeUrl",
        "squareLogoDarkRelativeUrl",
        "squareLogoRelativeUrl",
    }
)
STREAMS = {
    "backgroundImage": "image/png",
    "bannerLogo": "image/png",
    "customCSS": "text/css",
    "favicon": "image/png",
    "headerLogo": "image/png",
    "squareLogo": "image/png",
    "squareLogoDark": "image/png",
}
COLOUR = re.compile(r"^#[0-9A-Fa-f]{6}$")
LONGEST_SIGN_IN_TEXT = 1024
LONGEST_HINT = 64


def check_texts(write: Write) -> None:
    after = write.after
    for name in ("backgroundColor", "headerBackgroundColor"):
        if after.get(name) and not COLOUR.match(str(after[name]).strip() or "#000000"):
            raise bad_request(f"'{name}' is a colour like #00FF33.")
    for name, most in (("signInPageText", LONGEST_SIGN_IN_TEXT), ("usernameHintText", LONGEST_HINT)):
        if len(after.get(name) or "") > most:
            raise bad_request(f"'{name}' has at most {most} characters.")


def check_locale(write: Write) -> None:
    if not LOCALE.match(str(write.after["id"])):
        raise bad_request(f"'{write.after['id']}' is no locale.")


def check_no_localizations(session: Session, _record: Record) -> None:
    if session.directory.records[LOCALIZATION]:
        raise bad_request("Delete the localizations before the default branding.")


def check_no_images(_session: Session, record: Record) -> None:
    if any(record.body.get(name) for name in STREAMS):
        raise bad_request("Remove the images before the default branding.")


def _default(call: Call) -> Record:
    organization = call.parameter("parent")
    if call.session.directory.get("organization", organization) is None:
        raise resource_not_found(organization)
    return entities.find(call.session, registry.kind(DEFAULT), DEFAULT_LOCALE, parent_id=organization)


def get_branding(call: Call) -> Answer:
    """The default, or what a browser with the language of the header sees: 0 asks for the default."""
    record, kind = _default(call), registry.kind(DEFAULT)
    language = call.headers.get("Accept-Language", DEFAULT_LOCALE).split(",")[0].split(";")[0].strip()
    localized = call.session.directory.get(LOCALIZATION, language)
    if localized is not None:
        own = {name: value for name, value in localized.body.items() if value not in (None, "")}
        record = Record(DEFAULT, {**record.body, **own}, record.visible_from, parent_id=record.parent_id)
    query = parse_query(call, kind)
    body = present(call.session, kind, record, select=query.select, single=True)
    return Answer(200, {"@odata.context": f"{call.root}/$metadata#branding", **body})


def list_localizations(call: Call) -> Answer:
    """The default is listed among its localizations."""
    records = [_default(call), *call.session.directory.all(LOCALIZATION)]
    return Answer(200, listing(call, registry.kind(LOCALIZATION), records))


def _stream_owner(call: Call) -> Record:
    """The branding that the address names; the default answers to the locales 0 and default too."""
    locale = call.parameters.get("id", DEFAULT_LOCALE)
    if locale.lower() in {DEFAULT_LOCALE, "default"}:
        return _default(call)
    return entities.find(
        call.session, registry.kind(LOCALIZATION), locale, parent_id=call.parameter("parent")
    )


def show_address(session: Session, record: Record, name: str) -> None:
    folder = session.randomness.guid()[:8]
    record.body |= {
        f"{name}RelativeUrl": f"{folder}/logintenantbranding/{record.id}/{name.lower()}",
        "cdnList": ["cdn.example.net", "cdn.example.org"],
    }


def _streams(path: str) -> tuple[Action, ...]:
    return stream_routes(f"{path}/", STREAMS, _stream_owner, read=READ, write=WRITE, put=show_address)


def _audit() -> Audit:
    return Audit(
        service=audit.CORE_DIRECTORY,
        category="DirectoryManagement",
        target_type="Directory",
        create="Set company branding",
        update="Set company branding",
        delete="Set company branding",
    )


KINDS = (
    EntityType(
        name=DEFAULT,
        path=PATH,
        parent="organization",
        singleton=DEFAULT_LOCALE,
        verbs=frozenset({"update", "replace", "delete"}),
        read=READ,
        write=WRITE,
        licence=ENTRA_P1,
        rules=WriteRules(computed=COMPUTED, writable=frozenset({"id"}), immutable=frozenset({"id"})),
        audit=_audit(),
        checks=(check_texts,),
        delete_checks=(check_no_localizations, check_no_images),
        dates=(),
        actions=(Action("GET", PATH, get_branding, READ), *_streams(PATH)),
        client_key="id",
        upsert=frozenset({"PATCH", "PUT"}),
        repeatable=frozenset({"id"}),
    ),
    EntityType(
        name=LOCALIZATION,
        path=f"{PATH}/localizations",
        parent="organization",
        verbs=frozenset({"get", "create", "update", "replace", "delete"}),
        read=READ,
        write=WRITE,
        licence=ENTRA_P1,
        rules=WriteRules(computed=COMPUTED, writable=frozenset({"id"}), immutable=frozenset({"id"})),
        audit=_audit(),
        checks=(check_locale, check_texts),
        dates=(),
        actions=(
            Action("GET", f"{PATH}/localizations", list_localizations, READ),
            *_streams(f"{PATH}/localizations/{{id}}"),
        ),
        client_key="id",
        repeatable=frozenset({"id"}),
    ),
)
