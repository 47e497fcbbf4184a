"""The organisation itself, its licences, and the collections that mix kinds of directory objects."""

from lavawall.emulator import recycle
from lavawall.emulator.model import Action, EntityType

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

KINDS = (
    EntityType(
        name="organization",
        path="/organization",
        verbs=frozenset({"list", "get"}),
        read=READ,
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
