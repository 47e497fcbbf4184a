"""The organisation itself, its licences, and the collections that mix kinds of directory objects."""

from lavawall.emulator import audit, recycle, schema
from lavawall.emulator.model import Action, Audit, EntityType
from lavawall.emulator.presentation import View
from lavawall.emulator.validation import WriteRules

READ = (
    "Organization.Read.All",
    "Organization.ReadWrite.All",
    "Directory.Read.All",
    "Directory.ReadWrite.All",
    "User.Read.All",
)
DIRECTORY_READ = ("Directory.Read.All", "Directory.ReadWrite.All")
BIN_READ = (
    "AdministrativeUnit.Read.All",
    "AdministrativeUnit.ReadWrite.All",
    *DIRECTORY_READ,
    "Application.Read.All",
    "Application.ReadWrite.All",
    "Group.Read.All",
    "Group.ReadWrite.All",
    "User.Read.All",
    "User.ReadWrite.All",
)
BIN_WRITE = (
    "AdministrativeUnit.ReadWrite.All",
    "Application.ReadWrite.All",
    "Group.ReadWrite.All",
    "User.DeleteRestore.All",
    "User.ReadWrite.All",
)

WRITABLE = frozenset(
    {
        "marketingNotificationEmails",
        "preferredLanguage",
        "privacyProfile",
        "securityComplianceNotificationMails",
        "securityComplianceNotificationPhones",
        "technicalNotificationMails",
    }
)


def show_domains(view: View) -> None:
    """The verified domains of the tenant, which are objects of their own."""
    view.body["verifiedDomains"] = [
        {
            "name": domain.id,
            "isDefault": domain.body["isDefault"],
            "isInitial": domain.body["isInitial"],
            "type": domain.body["authenticationType"],
            "capabilities": ", ".join(domain.body.get("supportedServices") or []) or "None",
        }
        for domain in view.session.directory.all("domain")
        if domain.body["isVerified"]
    ]


KINDS = (
    EntityType(
        name="organization",
        path="/organization",
        verbs=frozenset({"list", "get", "update"}),
        read=READ,
        write=("Organization.ReadWrite.All",),
        rules=WriteRules(computed=frozenset(schema.type_named("organization").properties) - WRITABLE),
        audit=Audit(
            service=audit.CORE_DIRECTORY,
            category="DirectoryManagement",
            target_type="Directory",
            update="Set company information",
        ),
        present=show_domains,
    ),
    EntityType(
        name="subscribedSku",
        path="/subscribedSkus",
        verbs=frozenset({"list", "get"}),
        read=READ,
    ),
    EntityType(
        name="directoryObject",
        path="/directoryObjects",
        verbs=frozenset(),
        read=DIRECTORY_READ,
        actions=(
            Action("GET", "/directoryObjects/{id}", recycle.get_object, DIRECTORY_READ),
            Action("POST", "/directoryObjects/getByIds", recycle.get_by_ids, DIRECTORY_READ),
            Action("GET", "/directory/deletedItems/microsoft.graph.{type}", recycle.list_deleted, BIN_READ),
            Action("GET", "/directory/deletedItems/{id}", recycle.get_deleted, BIN_READ),
            Action("POST", "/directory/deletedItems/{id}/restore", recycle.restore_deleted, BIN_WRITE),
            Action("DELETE", "/directory/deletedItems/{id}", recycle.purge_deleted, BIN_WRITE),
        ),
    ),
)
