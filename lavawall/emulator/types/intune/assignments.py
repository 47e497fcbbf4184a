"""Assignments of Intune's policies: `assign` replaces them all, each target must exist, ids follow from both ends."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from lavawall.emulator import entities, registry
from lavawall.emulator.errors import GraphError, bad_request
from lavawall.emulator.model import Action, EntityType, Write
from lavawall.emulator.presentation import View, present
from lavawall.emulator.requests import Answer, Call
from lavawall.emulator.store import Directory, Json, Record, Session
from lavawall.emulator.types.intune.core import add_event, entries, located, payload
from lavawall.emulator.validation import WriteRules

FILTER_ID = "deviceAndAppManagementAssignmentFilterId"
FILTER_TYPE = "deviceAndAppManagementAssignmentFilterType"
FILTERS = "deviceAndAppManagementAssignmentFilter"
NO_FILTER = "00000000-0000-0000-0000-000000000000"
EVERYBODY = {
    "#microsoft.graph.allDevicesAssignmentTarget": "adadadad-808e-44e2-905a-0b7873a8a531",
    "#microsoft.graph.allLicensedUsersAssignmentTarget": "acacacac-9df4-4c7d-9d50-4ef0226f57a9",
}


@dataclass(frozen=True)
class Assigning:
    """How a type is assigned: the type of one assignment, the key of `assign`, and whether that answers.

    A type whose `key` is empty has no `assign`: its assignments are added and deleted one by one.
    """

    schema: str
    key: str = "assignments"
    answers: bool = False
    ignored: tuple[str, ...] = ()


def assignment_name(kind_name: str) -> str:
    """The name under which assignments of a type are kept."""
    return f"{kind_name}/assignment"


def assignments_of(directory: Directory, record: Record) -> list[Record]:
    every = directory.all(assignment_name(record.type_name))
    return [each for each in every if each.parent_id == record.id]


def targets(directory: Directory) -> Iterator[Json]:
    """What all assignments of a tenant point to."""
    for type_name in list(directory.records):
        if type_name.endswith("/assignment"):
            yield from (record.body["target"] for record in directory.all(type_name))


def check_target(write: Write) -> None:
    target = write.after.get("target")
    if not isinstance(target, dict):
        raise bad_request("An assignment needs a 'target'.", "BadRequest")
    write.after["target"] = _checked_filter(write.session.directory, target)
    parts = [write.parent_id, _target_key(write.session.directory, target)]
    if write.after.get("intent"):
        parts.append(str(write.after["intent"]))
    write.after["id"] = "_".join(parts)
    if write.session.directory.get(write.type.name, write.after["id"]) is not None:
        raise bad_request("The target is assigned more than once.", "BadRequest")


def _target_key(directory: Directory, target: Json) -> str:
    named = EVERYBODY.get(str(target.get("@odata.type")))
    if named is not None:
        return named
    if "collectionId" in target:
        return str(target["collectionId"])
    group_id = str(target.get("groupId"))
    if directory.get("group", group_id) is None:
        raise bad_request(f"The group '{group_id}' of an assignment does not exist.", "BadRequest")
    return group_id


def _checked_filter(directory: Directory, target: Json) -> Json:
    filter_id, filter_type = target.get(FILTER_ID), target.get(FILTER_TYPE)
    if filter_id in {None, "", NO_FILTER}:
        return {**target, FILTER_ID: None, FILTER_TYPE: "none"}
    if directory.get(FILTERS, str(filter_id)) is None:
        raise bad_request(f"The assignment filter '{filter_id}' does not exist.", "BadRequest")
    if filter_type not in {"include", "exclude"}:
        raise bad_request(f"An assignment filter needs '{FILTER_TYPE}': include or exclude.", "BadRequest")
    return target


def vary_empty_filter(view: View) -> None:
    """A target without filter comes back with null or with an id of zeros."""
    target = view.body["target"]
    if target[FILTER_ID] is None and view.session.options.shuffle:
        view.body["target"] = {
            **target,
            FILTER_ID: view.session.randomness.fork().choice([None, NO_FILTER]),
        }


def refresh(session: Session, record: Record) -> None:
    """isAssigned is computed from the assignments."""
    if "isAssigned" in record.body:
        record.body["isAssigned"] = bool(assignments_of(session.directory, record))


def assignable(kind: EntityType, assigning: Assigning) -> tuple[EntityType, EntityType]:
    """The type with its assignments, and the type of these."""
    name = assignment_name(kind.name)

    def refresh_owner(session: Session, record: Record) -> None:
        owner = session.directory.get(kind.name, record.parent_id)
        if owner is not None:
            refresh(session, owner)

    def write_owner_event(session: Session, verb: str, record: Record, _before: Json | None) -> None:
        owner = session.directory.get(kind.name, record.parent_id)
        if owner is not None:
            add_event(session, "Assign" if verb == "Add" else "Unassign", owner)

    each = EntityType(
        name=name,
        path=f"{kind.path}/{{parent}}/assignments",
        schema=assigning.schema,
        read=kind.read,
        write=kind.write,
        verbs=frozenset({"list", "get", "create", "delete"}),
        service=kind.service,
        licence=kind.licence,
        versions=kind.versions,
        rules=WriteRules(
            writable=frozenset({"id"}),
            required=("intent",) if assigning.schema == "mobileAppAssignment" else (),
        ),
        parent=kind.name,
        checks=(check_target,),
        created=(refresh_owner,),
        deleted=(refresh_owner,),
        audit_writer=write_owner_event,
        dates=(),
        present=vary_empty_filter,
    )

    def expand(session: Session, record: Record) -> list[Json]:
        found = [
            present(session, registry.kind(name), item) for item in assignments_of(session.directory, record)
        ]
        return session.randomness.shuffled(found) if session.options.shuffle else found

    def assign(call: Call) -> Answer:
        record = located(call, kind)
        body = payload(call, assigning.key, *assigning.ignored)
        replace_all(call.session, registry.kind(name), record, entries(body, assigning.key))
        if not assigning.answers:
            return Answer(204)
        context = f"{call.root}/$metadata#Collection(microsoft.graph.{assigning.schema})"
        return Answer(200, {"@odata.context": context, "value": expand(call.session, record)})

    action = (Action("POST", "assign", assign, kind.write),) if assigning.key else ()
    assigned = replace(
        kind,
        actions=(*kind.actions, *action),
        expand={**kind.expand, "assignments": expand},
        expands_together=True,
    )
    return assigned, each


def replace_all(session: Session, each: EntityType, record: Record, wanted: list[Any]) -> None:
    """Puts new assignments in the place of the old ones, or leaves these when one of the new is refused."""
    directory, stored = session.directory, assignments_of(session.directory, record)
    silent = replace(each, audit_writer=None)
    for assignment in stored:
        directory.remove(assignment)
    try:
        for body in wanted:
            entities.create(session, silent, body, parent_id=record.id)
    except GraphError:
        for assignment in list(directory.records[each.name].values()):
            if assignment.parent_id == record.id:
                directory.remove(assignment)
        for assignment in stored:
            directory.add(assignment)
        raise
    refresh(session, record)
    add_event(session, "Assign", record)
