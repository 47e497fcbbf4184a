"""Create, update, delete, restore and purge of any declared type: rules first, then the store, then the audit."""

import copy
from typing import Any

from lavawall.emulator import audit, registry, schema
from lavawall.emulator.errors import bad_request, conflict, resource_not_found
from lavawall.emulator.model import EntityType, Write
from lavawall.emulator.store import Deleted, Directory, Json, Record, Session, timestamp
from lavawall.emulator.validation import checked_body

MOST_BOUND = 20
ALWAYS_RETURNING = frozenset(
    {
        "unifiedRoleAssignment",
        "unifiedRoleAssignmentSchedule",
        "unifiedRoleEligibilitySchedule",
        "privilegedAccessGroupAssignmentSchedule",
        "privilegedAccessGroupEligibilitySchedule",
        "unifiedRoleManagementPolicy",
    }
)
"""What comes back with its principal or scope whether or not grants do."""


def bound_ids(body: Any, name: str) -> list[str]:
    """Object ids in a `name@odata.bind` annotation."""
    urls = body.get(f"{name}@odata.bind", []) if isinstance(body, dict) else []
    if not isinstance(urls, list) or len(urls) > MOST_BOUND:
        raise bad_request(f"'{name}@odata.bind' takes a list of at most {MOST_BOUND} addresses.")
    return [str(url).rstrip("/").rsplit("/", 1)[-1] for url in urls]


def find(session: Session, kind: EntityType, identifier: str, *, parent_id: str = "") -> Record:
    key = f"{parent_id}/{identifier}" if kind.scoped_ids else identifier
    record = session.directory.get(kind.name, key)
    for alias in kind.id_aliases:
        record = record or session.directory.by_property(kind.name, alias, identifier)
    hidden = record is not None and kind.visible is not None and not kind.visible(session, record)
    if record is None or hidden or record.parent_id != parent_id:
        raise resource_not_found(identifier)
    return record


def exists(session: Session, kind: EntityType, identifier: str, parent_id: str) -> bool:
    key = f"{parent_id}/{identifier}" if kind.scoped_ids else identifier
    return key in session.directory.records[kind.name]


def create(
    session: Session,
    kind: EntityType,
    body: Any,
    *,
    computed: Json | None = None,
    links: dict[str, list[str]] | None = None,
    parent_id: str = "",
) -> Record:
    """A new object. `computed` sets what only the service itself may set, such as the id of a seeded object."""
    checked = checked_body(body, kind.schema_name, kind.rules, creating=True, version=session.version)
    after = {**copy.deepcopy(dict(kind.defaults)), **checked, **(computed or {})}
    if kind.client_key:
        after["id"] = _chosen_id(session, kind, after, parent_id)
    write = Write(session, kind, checked, after, parent_id=parent_id)
    for check in kind.checks:
        check(write)
    if "id" not in after:
        after["id"] = kind.new_id(write) if kind.new_id else session.randomness.guid()
    for name in (*kind.dates, *kind.modified):
        after.setdefault(name, timestamp(session.now))
    visible_from = session.now if session.is_seeding else session.visible_from
    record = Record(kind.name, after, visible_from, parent_id=parent_id, scoped=kind.scoped_ids)
    _bind_links(session, kind, record, body, links or {})
    session.directory.add(record)
    for hook in kind.created:
        hook(session, record)
    _write_audit(session, kind, "Add", record, None)
    return record


def _chosen_id(session: Session, kind: EntityType, after: Json, parent_id: str) -> str:
    identifier = str(after.get(kind.client_key) or "")
    if not identifier:
        raise bad_request(f"A value is required for property '{kind.client_key}' of the resource.")
    if exists(session, kind, identifier, parent_id):
        raise conflict(f"Another object with the same value for property {kind.client_key} already exists.")
    return identifier


def _bind_links(
    session: Session, kind: EntityType, record: Record, body: Any, links: dict[str, list[str]]
) -> None:
    for link in kind.links:
        for identifier in [*bound_ids(body, link.name), *links.get(link.name, [])]:
            if session.directory.directory_object(identifier, link.targets) is None:
                raise resource_not_found(identifier)
            record.links[link.name][identifier] = None


def update(session: Session, kind: EntityType, record: Record, body: Any) -> None:
    """A PATCH: what is sent replaces, null clears, what is missing stays."""
    ask_guards(session, kind, record)
    body = _without_repeated(kind, record, body)
    checked = checked_body(body, kind.schema_name, kind.rules, creating=False, version=session.version)
    before = copy.deepcopy(record.body)
    after = {**before, **checked}
    merged = set(checked) if session.options.merge_complex_values else kind.merged.intersection(checked)
    after |= {name: _merged(before.get(name), checked[name]) for name in merged}
    _store(session, kind, record, checked, after)


def replace(session: Session, kind: EntityType, record: Record, body: Any) -> None:
    """A PUT: what is missing goes back to the default of the type; what only the service sets stays."""
    ask_guards(session, kind, record)
    body = _without_repeated(kind, record, body)
    checked = checked_body(body, kind.schema_name, kind.rules, creating=True, version=session.version)
    properties = schema.type_named(kind.schema_name).properties
    own = kind.rules.computed | kind.repeatable | {"id", kind.client_key}
    stored = {
        name: copy.deepcopy(value)
        for name, value in record.body.items()
        if name in own
        or (name in properties and (properties[name].read_only or properties[name].type == "Edm.Stream"))
    }
    _store(session, kind, record, checked, {**copy.deepcopy(dict(kind.defaults)), **stored, **checked})


def _without_repeated(kind: EntityType, record: Record, body: Any) -> Any:
    """The body without what may be sent along unchanged."""
    if not isinstance(body, dict):
        return body
    repeated = {name for name in kind.repeatable if name in body and body[name] == record.body.get(name)}
    return {name: value for name, value in body.items() if name not in repeated}


def _store(session: Session, kind: EntityType, record: Record, checked: Json, after: Json) -> None:
    before = copy.deepcopy(record.body)
    write = Write(session, kind, checked, after, before, record.parent_id)
    for check in kind.checks:
        check(write)
    for name in kind.modified:
        after[name] = timestamp(session.now)
    record.body = after
    for hook in kind.updated:
        hook(session, record)
    _write_audit(session, kind, "Update", record, before)


def ask_guards(session: Session, kind: EntityType, record: Record) -> None:
    """Whether this object may be written at all now; nothing holds back the seed."""
    for guard in () if session.is_seeding else kind.guards:
        guard(session, record)


def _merged(old: Any, new: Any) -> Any:
    if isinstance(old, dict) and isinstance(new, dict):
        return {**old, **{name: _merged(old.get(name), value) for name, value in new.items()}}
    return new


def delete(session: Session, kind: EntityType, record: Record) -> None:
    """Takes an object away: into its recycle bin where the type has one, else for good."""
    ask_guards(session, kind, record)
    for check in kind.delete_checks:
        check(session, record)
    directory = session.directory
    dependants = [
        *(kind.dependants(session, record) if kind.dependants else ()),
        *_children(record, directory),
    ]
    for dependant in dependants:
        directory.remove(dependant)
    directory.remove(record)
    if kind.has_bin(session.options):
        record.body["deletedDateTime"] = timestamp(session.now)
        directory.deleted[record.id] = Deleted(record, dependants)
    else:
        _forget(directory, record.id)
    for hook in kind.deleted:
        hook(session, record)
    _write_audit(session, kind, "Delete", record, record.body)


def _children(record: Record, directory: Directory) -> list[Record]:
    """What lies below an object leaves with it, on all levels."""
    kinds = [kind for kind in registry.KINDS.values() if kind.parent == record.type_name]
    below = [
        each
        for kind in kinds
        for each in directory.records[kind.name].values()
        if each.parent_id == record.id
    ]
    return [*below, *(each for child in below for each in _children(child, directory))]


def _forget(directory: Directory, identifier: str) -> None:
    """Drops every link that still points to an object that is gone for good."""
    for records in directory.records.values():
        for other in records.values():
            for ids in other.links.values():
                ids.pop(identifier, None)


def restore(session: Session, kind: EntityType, stored: Deleted) -> Record:
    """Brings an object back from its recycle bin under its old id."""
    directory = session.directory
    record = stored.record
    del directory.deleted[record.id]
    record.body["deletedDateTime"] = None
    directory.add(record)
    for dependant in stored.dependants:
        own = dependant.parent_id == record.id or dependant.type_name in ALWAYS_RETURNING
        if own or session.options.restore_returns_grants:
            directory.add(dependant)
    if kind.audit is not None:
        audit.write(
            session,
            kind.audit.restore,
            service=kind.audit.service,
            category=kind.audit.category,
            operation="Restore",
            targets=[audit.target(record, target_type=kind.audit.target_type)],
        )
    return record


def purge(session: Session, kind: EntityType, stored: Deleted) -> None:
    """Deletes for good, with every link that still points there."""
    directory = session.directory
    del directory.deleted[stored.record.id]
    _forget(directory, stored.record.id)
    if kind.audit is not None:
        audit.write(
            session,
            kind.audit.purge,
            service=kind.audit.service,
            category=kind.audit.category,
            operation="Delete",
            targets=[audit.target(stored.record, target_type=kind.audit.target_type)],
        )


def _write_audit(session: Session, kind: EntityType, verb: str, record: Record, before: Json | None) -> None:
    if kind.audit_writer is not None:
        kind.audit_writer(session, verb, record, before)
    elif kind.audit is not None:
        audit.write_change(session, kind.audit, verb, record, before)
