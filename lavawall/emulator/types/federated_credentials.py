"""Federated identity credentials of applications: whose tokens an application accepts instead of a secret."""

from lavawall.emulator import audit
from lavawall.emulator.errors import bad_request, conflict
from lavawall.emulator.model import EntityType, Permissions, Write
from lavawall.emulator.store import Json, Record, Session
from lavawall.emulator.validation import WriteRules

READ: Permissions = ("Application.Read.All", "Application.ReadWrite.All")
WRITE: Permissions = ("Application.ReadWrite.All",)
MOST_CREDENTIALS = 20


def check_credential(write: Write) -> None:
    after, own_id = write.after, (write.before or {}).get("id")
    others = [
        each.body
        for each in write.session.directory.records[write.type.name].values()
        if each.parent_id == write.parent_id and each.id != own_id
    ]
    if write.creating and len(others) >= MOST_CREDENTIALS:
        raise bad_request(f"An application has at most {MOST_CREDENTIALS} federated identity credentials.")
    if len(after.get("audiences") or []) != 1:
        raise bad_request("'audiences' takes exactly one audience.")
    if bool(after.get("subject")) == bool(after.get("claimsMatchingExpression")):
        raise bad_request("Either 'subject' or 'claimsMatchingExpression' is required.")
    for other in others:
        if other["name"] == after["name"]:
            raise conflict(f"A credential with the name '{after['name']}' exists already.")
        if after.get("subject") and (other["issuer"], other.get("subject")) == (
            after["issuer"],
            after["subject"],
        ):
            raise conflict("A credential with the same issuer and subject exists already.")


def write_credential_audit(session: Session, verb: str, record: Record, before: Json | None) -> None:
    """Microsoft logs an update of the application."""
    application = session.directory.records["application"].get(record.parent_id)
    if application is None:
        return
    old = {"Add": None, "Update": before, "Delete": record.body}[verb]
    new = None if verb == "Delete" else record.body
    audit.write(
        session,
        "Update application",
        service=audit.CORE_DIRECTORY,
        category="ApplicationManagement",
        operation="Update",
        targets=[
            audit.target(application, [audit.property_change("FederatedIdentityCredentials", old, new)])
        ],
    )


KINDS = (
    EntityType(
        name="federatedIdentityCredential",
        path="/applications/{parent}/federatedIdentityCredentials",
        parent="application",
        read=READ,
        write=WRITE,
        rules=WriteRules(immutable=frozenset({"name"}), required=("name", "issuer", "audiences")),
        checks=(check_credential,),
        audit_writer=write_credential_audit,
        dates=(),
        repeatable=frozenset({"name"}),
        alternate_keys=("name",),
    ),
)
