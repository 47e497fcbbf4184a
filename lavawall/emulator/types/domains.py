"""Domains of a tenant: verified through DNS, referred to by names, federated by their configuration."""

import re
from collections.abc import Iterator

from lavawall.emulator import audit, entities, recycle, registry
from lavawall.emulator.errors import bad_request
from lavawall.emulator.model import Action, Audit, EntityType, Permissions, Write
from lavawall.emulator.presentation import present
from lavawall.emulator.requests import Answer, Call
from lavawall.emulator.store import Directory, Json, Record, Session
from lavawall.emulator.validation import WriteRules

READ: Permissions = ("Domain.Read.All", "Domain.ReadWrite.All", "Directory.Read.All")
WRITE: Permissions = ("Domain.ReadWrite.All",)
READ_FEDERATION: Permissions = (
    "Domain-InternalFederation.Read.All",
    "Domain-InternalFederation.ReadWrite.All",
    "Domain.Read.All",
    "Domain.ReadWrite.All",
)
WRITE_FEDERATION: Permissions = ("Domain-InternalFederation.ReadWrite.All", "Domain.ReadWrite.All")
DOMAIN = "domain"
FEDERATION = "internalDomainFederation"
NAME = re.compile(r"^([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}$")
COMPUTED = frozenset(
    {
        "authenticationType",
        "availabilityStatus",
        "isAdminManaged",
        "isInitial",
        "isRoot",
        "isVerified",
        "manufacturer",
        "model",
        "state",
    }
)
NAMED_BY = ("userPrincipalName", "mail")
SERVICES = frozenset(
    {
        "Email",
        "Sharepoint",
        "EmailInternalRelayOnly",
        "OfficeCommunicationsOnline",
        "SharePointDefaultDomain",
        "FullRedelegation",
        "SharePointPublic",
        "OrgIdAuthentication",
        "Yammer",
        "Intune",
    }
)


def check_domain(write: Write) -> None:
    after, before = write.after, write.before
    if before is None:
        _check_new(write)
        return
    if not before["isVerified"]:
        raise bad_request(f"The domain '{before['id']}' is not verified.")
    if before["isDefault"] and not after["isDefault"]:
        raise bad_request("Make another domain the default one instead.")
    unknown = set(after.get("supportedServices") or []) - SERVICES
    if unknown:
        raise bad_request(f"Unknown services: {sorted(unknown)}.")


def _check_new(write: Write) -> None:
    name = str(write.after["id"])
    if not NAME.match(name):
        raise bad_request(f"'{name}' is no name of a domain.")
    if write.session.is_seeding:
        return
    if set(write.body) - {"id"}:
        raise bad_request("A new domain has a name only; the rest is set once it is verified.")
    write.after["isRoot"] = not any(
        name.endswith(f".{other}") for other in write.session.directory.records[DOMAIN]
    )


def move_default(session: Session, record: Record) -> None:
    """There is exactly one default domain."""
    if record.body["isDefault"]:
        for other in session.directory.records[DOMAIN].values():
            other.body["isDefault"] = other is record


def referring(directory: Directory, name: str) -> Iterator[Record]:
    """Every object whose names lie in the domain."""
    for type_name in ("user", "group"):
        for record in directory.all(type_name):
            if any(str(record.body.get(each) or "").lower().endswith(f"@{name}") for each in NAMED_BY):
                yield record
    for record in directory.all("application"):
        hosts = [uri.partition("://")[2].split("/")[0] for uri in record.body.get("identifierUris") or []]
        if any(host == name or host.endswith(f".{name}") for host in hosts):
            yield record


def check_free(session: Session, record: Record) -> None:
    _check_dispensable(session, record)
    used_by = [each.name for each in referring(session.directory, record.id)]
    if used_by:
        raise bad_request(f"The domain '{record.id}' is referred to by {', '.join(used_by[:5])}.")


def _check_dispensable(session: Session, record: Record) -> None:
    if record.body["isInitial"] or record.body["isDefault"]:
        raise bad_request("The initial and the default domain cannot be deleted.")
    below = [each for each in session.directory.records[DOMAIN] if each.endswith(f".{record.id}")]
    if below:
        raise bad_request(f"The domain '{record.id}' has subdomains: {', '.join(below)}.")


def _domain(call: Call) -> Record:
    return entities.find(call.session, registry.kind(DOMAIN), call.parameter("id").lower())


def _shown(call: Call, record: Record) -> Answer:
    body = present(call.session, registry.kind(DOMAIN), record, single=True)
    return Answer(200, {"@odata.context": f"{call.root}/$metadata#domains/$entity", **body})


def _log(call: Call, activity: str, record: Record) -> None:
    audit.write(
        call.session,
        activity,
        service=audit.CORE_DIRECTORY,
        category="DirectoryManagement",
        operation="Update",
        targets=[audit.target(record, target_type="Domain")],
    )


def verify(call: Call) -> Answer:
    """Succeeds once the TXT record of the tenant stands in the domain's DNS."""
    record = _domain(call)
    if record.body["isVerified"]:
        raise bad_request(f"The domain '{record.id}' is verified already.")
    if record.id not in call.session.directory.published_domains:
        raise bad_request(f"The DNS of '{record.id}' does not hold the verification record.")
    record.body |= {
        "isVerified": True,
        "passwordValidityPeriodInDays": 90,
        "passwordNotificationWindowInDays": 14,
    }
    _log(call, "Verify domain", record)
    return _shown(call, record)


def promote(call: Call) -> Answer:
    record = _domain(call)
    if not record.body["isVerified"] or record.body["isRoot"]:
        raise bad_request("Only a verified subdomain can be promoted.")
    record.body["isRoot"] = True
    _log(call, "Promote domain", record)
    return Answer(200, {"@odata.context": f"{call.root}/$metadata#Edm.Boolean", "value": True})


def force_delete(call: Call) -> Answer:
    """Names in the domain move to the initial domain; then the domain goes."""
    record, directory = _domain(call), call.session.directory
    _check_dispensable(call.session, record)
    for each in list(referring(directory, record.id)):
        if each.type_name == "application":
            each.body["identifierUris"] = []
        for name in NAMED_BY:
            local, _, host = str(each.body.get(name) or "").partition("@")
            if host.lower() == record.id:
                each.body[name] = f"{local}@{directory.domain}"
    entities.delete(call.session, registry.kind(DOMAIN), record)
    return Answer(204)


def references(call: Call) -> Answer:
    found = [each.id for each in referring(call.session.directory, _domain(call).id)]
    return recycle.list_objects(call, found, context="directoryObjects")


def verification_records(call: Call) -> Answer:
    record = _domain(call)
    text = f"MS=ms{abs(hash_of(call.session.directory.directory_id, record.id)) % 10**8:08d}"
    shared = {"isOptional": False, "label": record.id, "supportedService": "Email", "ttl": 3600}
    body = {
        "@odata.type": "#microsoft.graph.domainDnsTxtRecord",
        "id": f"{record.id}-txt",
        "recordType": "Txt",
        "text": text,
        **shared,
    }
    return Answer(200, {"value": [body]})


def hash_of(*parts: str) -> int:
    """The same number for the same parts in every run."""
    return sum(ord(letter) * (index + 1) for index, letter in enumerate("/".join(parts)))


def check_federation(write: Write) -> None:
    directory = write.session.directory
    domain = directory.records[DOMAIN][write.parent_id]
    if not domain.body["isVerified"] or domain.body["isInitial"]:
        raise bad_request("Only a verified domain other than the initial one can be federated.")
    others = [
        each
        for each in directory.records[FEDERATION].values()
        if write.before is None or each.id != write.before["id"]
    ]
    if any(each.parent_id == write.parent_id for each in others):
        raise bad_request(f"The domain '{domain.id}' has a federation configuration already.")
    if any(each.body["issuerUri"] == write.after["issuerUri"] for each in others):
        raise bad_request(f"The issuer '{write.after['issuerUri']}' is used by another domain.")


def federate(session: Session, record: Record) -> None:
    session.directory.records[DOMAIN][record.parent_id].body["authenticationType"] = "Federated"


def manage(session: Session, record: Record) -> None:
    domain = session.directory.records[DOMAIN].get(record.parent_id)
    if domain is not None:
        domain.body["authenticationType"] = "Managed"


def write_federation_audit(session: Session, verb: str, record: Record, before: Json | None) -> None:
    domain = session.directory.records[DOMAIN][record.parent_id]
    old = record.body if verb == "Delete" else before
    new = None if verb == "Delete" else record.body
    activities = ["Set federation settings on domain"] if verb != "Delete" else []
    activities += ["Set domain authentication"] if verb != "Update" else []
    for activity in activities:
        audit.write(
            session,
            activity,
            service=audit.CORE_DIRECTORY,
            category="DirectoryManagement",
            operation="Update",
            targets=[
                audit.target(
                    domain, [audit.property_change("FederationSettings", old, new)], target_type="Domain"
                )
            ],
        )


KINDS = (
    EntityType(
        name=DOMAIN,
        path="/domains",
        read=READ,
        write=WRITE,
        rules=WriteRules(computed=COMPUTED, writable=frozenset({"id"}), immutable=frozenset({"id"})),
        defaults={
            "authenticationType": "Managed",
            "availabilityStatus": None,
            "isAdminManaged": True,
            "isDefault": False,
            "isInitial": False,
            "isRoot": True,
            "isVerified": False,
            "supportedServices": [],
        },
        audit=Audit(
            service=audit.CORE_DIRECTORY,
            category="DirectoryManagement",
            target_type="Domain",
            create="Add unverified domain",
            update="Update domain",
            delete="Remove verified domain",
        ),
        checks=(check_domain,),
        delete_checks=(check_free,),
        updated=(move_default,),
        dates=(),
        client_key="id",
        repeatable=frozenset({"id"}),
        actions=(
            Action("POST", "verify", verify, WRITE),
            Action("POST", "promote", promote, WRITE),
            Action("POST", "forceDelete", force_delete, WRITE),
            Action("GET", "domainNameReferences", references, READ),
            Action("GET", "verificationDnsRecords", verification_records, READ),
        ),
    ),
    EntityType(
        name=FEDERATION,
        path="/domains/{parent}/federationConfiguration",
        parent=DOMAIN,
        read=READ_FEDERATION,
        write=WRITE_FEDERATION,
        rules=WriteRules(
            computed=frozenset({"signingCertificateUpdateStatus"}),
            required=(
                "issuerUri",
                "passiveSignInUri",
                "signingCertificate",
                "preferredAuthenticationProtocol",
            ),
        ),
        checks=(check_federation,),
        created=(federate,),
        deleted=(manage,),
        audit_writer=write_federation_audit,
        dates=(),
        shows_update=True,
    ),
)
