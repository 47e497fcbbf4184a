"""Recycle bins, and the collections that mix kinds of directory objects: members, owners, directoryObjects."""

from lavawall.emulator import audit, entities, registry
from lavawall.emulator.errors import bad_request, denied, resource_not_found
from lavawall.emulator.model import EntityType, Link, Permissions
from lavawall.emulator.odata import listing, parse_query
from lavawall.emulator.permissions import app_permissions
from lavawall.emulator.presentation import present, shown_objects
from lavawall.emulator.requests import Answer, Call
from lavawall.emulator.store import DIRECTORY_OBJECT_TYPES, Deleted, Json, Record, Session

DIRECTORY_OBJECTS = EntityType(
    name="directoryObject",
    path="/directoryObjects",
    read=("Directory.Read.All", "Directory.ReadWrite.All"),
    filterable=frozenset(),
)
RESTORE_PERMISSIONS: dict[str, Permissions] = {
    "user": ("User.DeleteRestore.All", "User.ReadWrite.All"),
    "group": ("Group.ReadWrite.All",),
    "application": ("Application.ReadWrite.All",),
    "servicePrincipal": ("Application.ReadWrite.All",),
    "administrativeUnit": ("AdministrativeUnit.ReadWrite.All",),
}


def list_objects(
    call: Call, identifiers: list[str], *, context: str, types: tuple[str, ...] = DIRECTORY_OBJECT_TYPES
) -> Answer:
    found = [call.session.directory.directory_object(identifier, types) for identifier in identifiers]
    records = [record for record in found if record is not None]
    return Answer(200, listing(call, DIRECTORY_OBJECTS, records, context=context, polymorphic=True))


def add_link(session: Session, record: Record, link: Link, identifier: str) -> None:
    """Adds one reference; refuses a dangling one and one that exists."""
    found = session.directory.directory_object(identifier, link.targets)
    if found is None:
        raise resource_not_found(identifier)
    entities.ask_guards(session, registry.kind(record.type_name), record)
    if identifier in record.links[link.name]:
        raise bad_request(
            f"One or more added object references already exist for the following modified properties: '{link.name}'."
        )
    if link.check_add is not None:
        link.check_add(session, record, found)
    record.links[link.name][identifier] = None
    write_link_audit(session, link.added, "Assign", record, found, link)


def remove_link(session: Session, record: Record, link: Link, identifier: str) -> None:
    if identifier not in record.links[link.name]:
        raise resource_not_found(identifier)
    entities.ask_guards(session, registry.kind(record.type_name), record)
    found = session.directory.directory_object(identifier, link.targets)
    if found is not None and link.check_remove is not None:
        link.check_remove(session, record, found)
    del record.links[link.name][identifier]
    if link.after_remove is not None:
        link.after_remove(session, record, identifier)
    if found is not None:
        write_link_audit(session, link.removed, "Unassign", record, found, link)


def write_link_audit(
    session: Session, activity: str, operation: str, owner: Record, linked: Record, link: Link
) -> None:
    owner_type = audit.TARGET_TYPES.get(owner.type_name, "Policy")
    values = [(f"{owner_type}.ObjectID", owner.id), (f"{owner_type}.DisplayName", owner.name)]
    changes = [
        audit.property_change(name, None, value)
        if operation == "Assign"
        else audit.property_change(name, value, None)
        for name, value in values
    ]
    audit.write(
        session,
        activity,
        service=audit.CORE_DIRECTORY,
        category=link.category,
        operation=operation,
        targets=[audit.target(linked, changes), audit.target(owner)],
    )


class PolicyBin:
    """The recycle bin of a type beside the type, such as that of Conditional Access policies."""

    def __init__(self, kind: EntityType) -> None:
        self.kind = kind

    def _existing(self, call: Call) -> EntityType:
        if not self.kind.has_bin(call.session.options):
            raise bad_request("Resource not found for the segment 'deletedItems'.", "BadRequest")
        return self.kind

    def _kept(self, call: Call) -> Deleted:
        self._existing(call)
        stored = call.session.directory.deleted.get(call.parameter("id"))
        if stored is None or stored.record.type_name != self.kind.name:
            raise resource_not_found(call.parameter("id"))
        return stored

    def list(self, call: Call) -> Answer:
        kind = self._existing(call)
        records = [
            stored.record
            for stored in call.session.directory.deleted.values()
            if stored.record.type_name == kind.name
        ]
        return Answer(200, listing(call, kind, records, context=kind.recycle.strip("/")))

    def get(self, call: Call) -> Answer:
        body = present(call.session, self.kind, self._kept(call).record, single=True)
        return Answer(
            200, {"@odata.context": f"{call.root}/$metadata#{self.kind.recycle.strip('/')}/$entity", **body}
        )

    def restore(self, call: Call) -> Answer:
        record = entities.restore(call.session, self.kind, self._kept(call))
        return Answer(200, present(call.session, self.kind, record, single=True))

    def purge(self, call: Call) -> Answer:
        entities.purge(call.session, self.kind, self._kept(call))
        return Answer(204)


def _kept_object(call: Call) -> Deleted:
    stored = call.session.directory.deleted.get(call.parameter("id"))
    if stored is None or stored.record.type_name not in RESTORE_PERMISSIONS:
        raise resource_not_found(call.parameter("id"))
    return stored


def list_deleted(call: Call) -> Answer:
    type_name = call.parameter("type").removeprefix("microsoft.graph.")
    if type_name not in RESTORE_PERMISSIONS:
        raise bad_request(f"Resource not found for the segment 'microsoft.graph.{type_name}'.", "BadRequest")
    kind = registry.kind(type_name)
    records = [
        stored.record
        for stored in call.session.directory.deleted.values()
        if stored.record.type_name == type_name
    ]
    return Answer(200, listing(call, kind, records, context=f"directory/deletedItems/{type_name}"))


def get_deleted(call: Call) -> Answer:
    record = _kept_object(call).record
    return Answer(200, _whole(call, record))


def restore_deleted(call: Call) -> Answer:
    stored = _kept_object(call)
    _check_restore(call, stored.record)
    record = entities.restore(call.session, registry.kind(stored.record.type_name), stored)
    return Answer(200, _whole(call, record))


def purge_deleted(call: Call) -> Answer:
    stored = _kept_object(call)
    _check_restore(call, stored.record)
    entities.purge(call.session, registry.kind(stored.record.type_name), stored)
    return Answer(204)


def _check_restore(call: Call, record: Record) -> None:
    caller = call.session.caller
    if caller.kind == "app" and not app_permissions(call.session.directory, caller.object_id).intersection(
        RESTORE_PERMISSIONS[record.type_name]
    ):
        raise denied()


def _whole(call: Call, record: Record) -> Json:
    body = present(call.session, registry.kind(record.type_name), record, single=True, polymorphic=True)
    return {"@odata.context": f"{call.root}/$metadata#directoryObjects/$entity", **body}


def get_object(call: Call) -> Answer:
    record = call.session.directory.directory_object(call.parameter("id"))
    if record is None:
        raise resource_not_found(call.parameter("id"))
    query = parse_query(call, DIRECTORY_OBJECTS)
    kind = registry.kind(record.type_name)
    body = present(call.session, kind, record, select=query.select, single=True, polymorphic=True)
    return Answer(200, {"@odata.context": f"{call.root}/$metadata#directoryObjects/$entity", **body})


def get_by_ids(call: Call) -> Answer:
    body = call.json()
    ids = body.get("ids") if isinstance(body, dict) else None
    if not isinstance(ids, list) or not ids or len(ids) > 1000:
        raise bad_request("'ids' must hold between 1 and 1000 object ids.")
    types = [
        str(each).removeprefix("microsoft.graph.") for each in body.get("types") or DIRECTORY_OBJECT_TYPES
    ]
    wanted = DIRECTORY_OBJECT_TYPES if "directoryObject" in types else tuple(types)
    found = [call.session.directory.directory_object(str(each).lower(), wanted) for each in ids]
    shown = shown_objects(call.session, [record.id for record in found if record is not None])
    return Answer(200, {"@odata.context": f"{call.root}/$metadata#directoryObjects", "value": shown})
