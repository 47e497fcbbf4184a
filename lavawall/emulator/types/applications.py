"""Applications and service principals, with owners and credentials."""

import copy
import re
from datetime import timedelta
from typing import Any

from lavawall.emulator import audit, entities, registry
from lavawall.emulator.errors import bad_request, conflict
from lavawall.emulator.filters import value_at
from lavawall.emulator.model import Action, Audit, EntityType, Link, Permissions, Write
from lavawall.emulator.presentation import View
from lavawall.emulator.requests import Answer, Call
from lavawall.emulator.store import Json, Record, Session, timestamp
from lavawall.emulator.types import attribute_values
from lavawall.emulator.types.application_policies import policy_links
from lavawall.emulator.types.key_credentials import key_actions
from lavawall.emulator.types.people import dependants as principal_dependants
from lavawall.emulator.types.people import own_by_creator
from lavawall.emulator.types.streams import stream_routes
from lavawall.emulator.validation import WriteRules, checked_body

READ = ("Application.Read.All", "Application.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All")
WRITE: Permissions = ("Application.ReadWrite.All",)
MICROSOFT_TENANT = "f8cdef31-a31e-4b4a-93e4-5f571e91255a"
FIRST_PARTY_WRITABLE = frozenset({"accountEnabled", "appRoleAssignmentRequired", "tags", "notes"})
SWITCHABLE_LISTS = ("appRoles", "api/oauth2PermissionScopes")
APP_URI = re.compile(r"api://([0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})(?:/.*)?$")
TWO_YEARS = timedelta(days=730)


def check_application(write: Write) -> None:
    _check_identifier_uris(write)
    for path in SWITCHABLE_LISTS:
        _check_switched_off_first(
            value_at(write.before or {}, path) or [], value_at(write.after, path) or [], path
        )
    sides = (write.after,) if write.session.is_seeding else (write.after, write.before or {})
    scopes = set.intersection(
        *({scope["id"] for scope in value_at(side, "api/oauth2PermissionScopes") or []} for side in sides)
    )
    for client in value_at(write.after, "api/preAuthorizedApplications") or []:
        unknown = set(client.get("delegatedPermissionIds") or []) - scopes
        if unknown:
            raise bad_request(
                f"Pre-authorized permission ids do not exist on the application: {sorted(unknown)}."
            )


def _check_identifier_uris(write: Write) -> None:
    wanted = set(write.after.get("identifierUris") or [])
    own_id, own_app = (write.before or {}).get("id"), str((write.before or {}).get("appId"))
    for uri in wanted - set((write.before or {}).get("identifierUris") or []):
        named = APP_URI.match(uri)
        if named and named[1].lower() != own_app.lower() and not write.session.is_seeding:
            raise bad_request(f"The identifier URI '{uri}' must hold the application's own appId.")
    for other in write.session.directory.records["application"].values():
        taken = wanted.intersection(other.body.get("identifierUris") or [])
        if taken and other.id != own_id:
            raise bad_request(
                f"Another object with the same value for property identifierUris already exists: {taken}."
            )


def _check_switched_off_first(before: list[Json], after: list[Json], path: str) -> None:
    stored = {each["id"] for each in after}
    for each in before:
        if each["id"] not in stored and each.get("isEnabled", True):
            raise bad_request(
                f"An entry of '{path}' cannot be removed or replaced unless it is disabled first."
            )


def check_keys(write: Write) -> None:
    """keyCredentials replace as a set and every entry needs its certificate, old ones too."""
    if "keyCredentials" not in write.body:
        return
    for key in write.after["keyCredentials"]:
        if not key.get("key"):
            raise bad_request(
                "Every entry of keyCredentials needs its 'key': the list replaces all existing ones."
            )
        key.setdefault("keyId", write.session.randomness.guid())
        key["keyId"] = key["keyId"] or write.session.randomness.guid()


def name_application(session: Session, record: Record) -> None:
    record.body.setdefault("appId", session.randomness.guid())
    record.body.setdefault("publisherDomain", session.directory.domain)


def follow_application(session: Session, record: Record) -> None:
    """A service principal in the application's own directory copies these from it at every write."""
    own = session.directory.by_property("servicePrincipal", "appId", record.body["appId"])
    if own is not None:
        own.body.update(_inherited(record.body))


def _inherited(application: Json) -> Json:
    return {
        "appDisplayName": application["displayName"],
        "displayName": application["displayName"],
        "appRoles": copy.deepcopy(application.get("appRoles") or []),
        "oauth2PermissionScopes": copy.deepcopy(value_at(application, "api/oauth2PermissionScopes") or []),
        "replyUrls": list(value_at(application, "web/redirectUris") or []),
        "servicePrincipalNames": [application["appId"], *(application.get("identifierUris") or [])],
        "signInAudience": application.get("signInAudience"),
    }


def delete_own_service_principal(session: Session, record: Record) -> None:
    own = session.directory.by_property("servicePrincipal", "appId", record.body["appId"])
    if own is not None:
        entities.delete(session, registry.kind("servicePrincipal"), own)


def hide_keys(view: View) -> None:
    """The certificate of a key is shown on a single object only, and only when keyCredentials are selected."""
    if view.single and "keyCredentials" in view.select:
        return
    view.body["keyCredentials"] = [{**key, "key": None} for key in view.body.get("keyCredentials") or []]


def check_service_principal(write: Write) -> None:
    if write.before is not None:
        refused = set(write.body) - FIRST_PARTY_WRITABLE
        if write.before.get("appOwnerOrganizationId") == MICROSOFT_TENANT and refused:
            raise bad_request(f"A service principal of Microsoft does not take changes of {sorted(refused)}.")
        return
    app_id = write.after["appId"]
    if write.session.directory.by_property("servicePrincipal", "appId", app_id) is not None:
        raise conflict(f"The service principal cannot be created: '{app_id}' is in use in this directory.")
    if write.session.is_seeding and write.after.get("appOwnerOrganizationId"):
        return
    found = write.session.find_application(app_id)
    own = found is not None and found[0] is write.session.directory
    if found is None or not (own or found[1].body.get("signInAudience") != "AzureADMyOrg"):
        raise bad_request(f"The appId '{app_id}' does not refer to a valid application object.")
    write.after.update(_inherited(found[1].body))
    write.after["appOwnerOrganizationId"] = found[0].directory_id
    write.after.update({name: write.body[name] for name in ("displayName",) if name in write.body})


def service_principal_dependants(session: Session, record: Record) -> list[Record]:
    """Everything that was granted to a service principal or on it leaves with it."""
    records = session.directory.records
    grants = [
        each
        for each in records["oAuth2PermissionGrant"].values()
        if record.id in (each.body["clientId"], each.body["resourceId"])
    ]
    assigned_to = [
        each for each in records["appRoleAssignment"].values() if each.body["resourceId"] == record.id
    ]
    return [*principal_dependants(session, record), *grants, *assigned_to]


def _credential_entries(record: Record) -> list[str]:
    kinds = (("passwordCredentials", "Password"), ("keyCredentials", "AsymmetricX509Cert"))
    return [
        f"[KeyIdentifier={each.get('keyId')},KeyType={kind},KeyUsage=Verify,DisplayName={each.get('displayName')}]"
        for name, kind in kinds
        for each in record.body.get(name) or []
    ]


def _write_credential_audit(session: Session, record: Record, before: list[str], *, added: bool) -> None:
    changes = [audit.property_change("KeyDescription", before, _credential_entries(record))]
    activity = {
        "application": "Update application – Certificates and secrets management",  # noqa: RUF001 - Microsoft's dash
        "servicePrincipal": f"{'Add' if added else 'Remove'} service principal credentials",
    }[record.type_name]
    audit.write(
        session,
        activity,
        service=audit.CORE_DIRECTORY,
        category="ApplicationManagement",
        operation="Update",
        targets=[audit.target(record, changes)],
    )


def _called_on(call: Call) -> Record:
    name = "application" if "/applications/" in call.url.lower() else "servicePrincipal"
    return entities.find(call.session, registry.kind(name), call.parameter("id"))


def add_password(call: Call) -> Answer:
    """A new secret: shown in this answer and never again."""
    session, record = call.session, _called_on(call)
    body: Any = call.json() or {}
    given = checked_body(
        {"passwordCredentials": [body.get("passwordCredential") or {}]},
        "application",
        WriteRules(),
        creating=False,
    )["passwordCredentials"][0]
    credential = {
        "customKeyIdentifier": None,
        "displayName": given.get("displayName"),
        "keyId": session.randomness.guid(),
        "startDateTime": given.get("startDateTime") or timestamp(session.now),
        "endDateTime": given.get("endDateTime") or timestamp(session.now + TWO_YEARS),
    }
    secret = make_secret(session)
    before = _credential_entries(record)
    record.body["passwordCredentials"] = [
        *(record.body.get("passwordCredentials") or []),
        {**credential, "hint": secret[:3]},
    ]
    record.secrets[credential["keyId"]] = secret
    _write_credential_audit(session, record, before, added=True)
    return Answer(
        200,
        {
            "@odata.context": f"{call.root}/$metadata#microsoft.graph.passwordCredential",
            **credential,
            "hint": secret[:3],
            "secretText": secret,
        },
    )


def make_secret(session: Session) -> str:
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-~"
    return "".join(alphabet[byte % len(alphabet)] for byte in session.randomness.bytes(40))


def remove_password(call: Call) -> Answer:
    record = _called_on(call)
    body: Any = call.json() or {}
    stored = [
        each for each in record.body.get("passwordCredentials") or [] if each["keyId"] != body.get("keyId")
    ]
    if len(stored) == len(record.body.get("passwordCredentials") or []):
        raise bad_request(f"No password credential found with keyId '{body.get('keyId')}'.")
    before = _credential_entries(record)
    record.body["passwordCredentials"] = stored
    record.secrets.pop(str(body.get("keyId")), None)
    _write_credential_audit(call.session, record, before, added=False)
    return Answer(204)


CREDENTIAL_ACTIONS = (
    Action("POST", "addPassword", add_password, WRITE),
    Action("POST", "removePassword", remove_password, WRITE),
    *key_actions(WRITE),
)


def present_application(view: View) -> None:
    """Without the keys, and with the address at which browsers find the logo that it has."""
    hide_keys(view)
    if view.body.get("logo"):
        address = f"https://cdn.example.net/appbranding/{view.record.id}/bannerlogo"
        view.body["info"] = {**(view.body.get("info") or {}), "logoUrl": address}


def _owners(noun: str) -> Link:
    return Link(
        name="owners",
        targets=("user", "servicePrincipal"),
        added=f"Add owner to {noun}",
        removed=f"Remove owner from {noun}",
        category="ApplicationManagement",
    )


KINDS = (
    EntityType(
        name="application",
        path="/applications",
        read=READ,
        write=WRITE,
        rules=WriteRules(
            computed=frozenset(
                {
                    "deletedDateTime",
                    "passwordCredentials",
                    "verifiedPublisher",
                    "certification",
                    "disabledByMicrosoftStatus",
                    "applicationTemplateId",
                    "createdByAppId",
                }
            ),
            required=("displayName",),
            bindable=frozenset({"owners"}),
        ),
        defaults={
            "signInAudience": "AzureADMyOrg",
            "api": {
                "knownClientApplications": [],
                "oauth2PermissionScopes": [],
                "preAuthorizedApplications": [],
            },
            "info": {},
            "parentalControlSettings": {"countriesBlockedForMinors": [], "legalAgeGroupRule": "Allow"},
            "publicClient": {"redirectUris": []},
            "spa": {"redirectUris": []},
            "verifiedPublisher": {},
            "web": {
                "redirectUris": [],
                "implicitGrantSettings": {
                    "enableAccessTokenIssuance": False,
                    "enableIdTokenIssuance": False,
                },
            },
        },
        audit=Audit(
            service=audit.CORE_DIRECTORY,
            category="ApplicationManagement",
            target_type="Application",
            create="Add application",
            update="Update application",
            delete="Delete application",
            restore="Restore application",
            purge="Hard Delete application",
        ),
        links=(
            _owners("application"),
            *policy_links("application", "tokenLifetimePolicy", "tokenIssuancePolicy", "appManagementPolicy"),
        ),
        actions=(
            *CREDENTIAL_ACTIONS,
            *stream_routes("", {"logo": "image/png"}, _called_on, read=READ, write=WRITE),
        ),
        checks=(check_application, check_keys),
        created=(name_application, own_by_creator),
        updated=(follow_application,),
        deleted=(delete_own_service_principal,),
        recycle="/directory/deletedItems",
        present=present_application,
        on_request=frozenset({"authenticationBehaviors", "managerApplications", "createdByAppId"}),
        alternate_keys=("appId", "uniqueName"),
    ),
    EntityType(
        name="servicePrincipal",
        path="/servicePrincipals",
        read=READ,
        write=WRITE,
        rules=WriteRules(
            computed=frozenset(
                {
                    "deletedDateTime",
                    "appDisplayName",
                    "appDescription",
                    "appOwnerOrganizationId",
                    "appRoles",
                    "oauth2PermissionScopes",
                    "passwordCredentials",
                    "servicePrincipalType",
                    "verifiedPublisher",
                    "info",
                    "resourceSpecificApplicationPermissions",
                    "createdByAppId",
                    "disabledByMicrosoftStatus",
                }
            ),
            immutable=frozenset({"appId"}),
            required=("appId",),
        ),
        defaults={
            "accountEnabled": True,
            "appRoleAssignmentRequired": False,
            "servicePrincipalType": "Application",
            "info": {},
            "verifiedPublisher": {},
        },
        audit=Audit(
            service=audit.CORE_DIRECTORY,
            category="ApplicationManagement",
            target_type="ServicePrincipal",
            create="Add service principal",
            update="Update service principal",
            delete="Remove service principal",
            restore="Restore service principal",
            purge="Hard delete service principal",
        ),
        links=(
            _owners("service principal"),
            *policy_links(
                "service principal",
                "claimsMappingPolicy",
                "homeRealmDiscoveryPolicy",
                "tokenLifetimePolicy",
                "tokenIssuancePolicy",
                "appManagementPolicy",
            ),
        ),
        actions=CREDENTIAL_ACTIONS,
        checks=(check_service_principal, check_keys, attribute_values.check_attributes),
        property_guards={attribute_values.PROPERTY: attribute_values.GUARD},
        created=(own_by_creator,),
        dates=(),
        dependants=service_principal_dependants,
        recycle="/directory/deletedItems",
        present=hide_keys,
        on_request=frozenset({"customSecurityAttributes", "createdByAppId"}),
        alternate_keys=("appId",),
    ),
)
