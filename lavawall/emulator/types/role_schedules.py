"""PIM for directory roles: eligible and active schedules, the requests that make them, and their instances now."""

import base64
from collections.abc import Iterator
from uuid import UUID

from lavawall.emulator import audit, entities, registry
from lavawall.emulator.errors import GraphError, bad_request, resource_not_found
from lavawall.emulator.model import EntityType
from lavawall.emulator.presentation import present
from lavawall.emulator.requests import Call
from lavawall.emulator.store import Directory, Json, Record, Session, precise_timestamp
from lavawall.emulator.types import pim, role_settings, roles
from lavawall.emulator.types.pim_times import end_of, start_of
from lavawall.emulator.types.pim_views import Source, readable, requestable
from lavawall.emulator.validation import WriteRules

BASE = "/roleManagement/directory"
KEY = roles.ASSIGNMENT_KEY
MANAGEMENT = (
    "RoleManagement.Read.All",
    "RoleManagement.Read.Directory",
    "RoleManagement.ReadWrite.Directory",
)
ELIGIBILITY = "unifiedRoleEligibilitySchedule"
ASSIGNMENT = "unifiedRoleAssignmentSchedule"


def assignment_id(body: Json) -> str:
    """The id by which Microsoft's services name who holds what and where: it follows from these three."""
    unit_id = body["directoryScopeId"].rpartition("/")[2]
    ids = [body["roleDefinitionId"], body["principalId"], *([unit_id] if unit_id else [])]
    packed = b"".join(UUID(each).bytes_le for each in ids)
    return base64.urlsafe_b64encode(packed).decode().rstrip("=") + ("-2" if unit_id else "-1")


def assignment_of(directory: Directory, body: Json) -> Record | None:
    return next(
        (each for each in directory.all("unifiedRoleAssignment") if pim.matches(each.body, body, KEY)), None
    )


def check_role(session: Session, after: Json) -> None:
    directory = session.directory
    principal = directory.directory_object(str(after["principalId"]), roles.PRINCIPALS)
    if principal is None:
        raise resource_not_found(str(after["principalId"]))
    if principal.type_name == "group" and not principal.body.get("isAssignableToRole"):
        raise bad_request("The group cannot be assigned to a role: isAssignableToRole is not true.")
    if directory.get("unifiedRoleDefinition", str(after["roleDefinitionId"])) is None:
        raise resource_not_found(str(after["roleDefinitionId"]))
    roles.check_scope(session, str(after["directoryScopeId"]))


def has_assignment(session: Session, body: Json) -> bool:
    return assignment_of(session.directory, body) is not None


def begin_assignment(session: Session, schedule: Record) -> None:
    """Makes the role assignment; a principal or role that is gone by then leaves nothing to do."""
    if has_assignment(session, schedule.body):
        return
    body = {name: schedule.body[name] for name in KEY}
    kind = registry.kind("unifiedRoleAssignment")
    try:
        made = entities.create(session, kind, body, computed={"id": assignment_id(body)})
    except GraphError:
        session.directory.remove(schedule)
        return
    made.visible_from = session.now


def end_assignment(session: Session, body: Json) -> None:
    found = assignment_of(session.directory, body)
    if found is not None:
        session.directory.remove(found)
        roles.write_assignment_audit(session, "Remove", found, None)


def check_end_of_assignment(session: Session, body: Json) -> None:
    found = assignment_of(session.directory, body)
    if found is not None:
        roles.keep_an_administrator(session, found)


def write_eligibility_audit(session: Session, body: Json, activity: str, operation: str) -> None:
    role = session.directory.get("unifiedRoleDefinition", body["roleDefinitionId"])
    principal = session.directory.directory_object(body["principalId"], roles.PRINCIPALS)
    if role is not None and principal is not None:
        audit.write(
            session,
            activity,
            service=audit.CORE_DIRECTORY,
            category="RoleManagement",
            operation=operation,
            targets=[audit.target(principal), audit.target(role)],
        )


def begin_eligibility(session: Session, schedule: Record) -> None:
    write_eligibility_audit(session, schedule.body, "Add eligible member to role", "Assign")


def end_eligibility(session: Session, body: Json) -> None:
    write_eligibility_audit(session, body, "Remove eligible member from role", "Unassign")


def role_of(directory: Directory, body: Json) -> Record | None:
    return directory.get("unifiedRoleDefinition", body["roleDefinitionId"])


def subject(body: Json) -> role_settings.Subject:
    return role_settings.role_subject(body["roleDefinitionId"])


ELIGIBLE = pim.Family(
    request=f"{ELIGIBILITY}Request",
    schedule=ELIGIBILITY,
    level="Eligibility",
    key=KEY,
    subject=subject,
    target=role_of,
    check=check_role,
    held=lambda _session, _body: False,
    begin=begin_eligibility,
    end=end_eligibility,
    check_end=lambda _session, _body: None,
    new_id=lambda body: str(body["id"]),
    word=str,
    noun="role",
    full=("RoleEligibilitySchedule.ReadWrite.Directory", "RoleManagement.ReadWrite.Directory"),
)
ACTIVE = pim.Family(
    request=f"{ASSIGNMENT}Request",
    schedule=ASSIGNMENT,
    level="Assignment",
    key=KEY,
    subject=subject,
    target=role_of,
    check=check_role,
    held=has_assignment,
    begin=begin_assignment,
    end=end_assignment,
    check_end=check_end_of_assignment,
    new_id=lambda body: str(body["id"]),
    word=str,
    noun="role",
    full=("RoleAssignmentSchedule.ReadWrite.Directory", "RoleManagement.ReadWrite.Directory"),
    eligibility=ELIGIBILITY,
)


def standing_schedule(session: Session, assignment: Record) -> Record:
    """An assignment made without PIM as PIM shows it: as if it began at each reading."""
    forever: Json = {
        "startDateTime": precise_timestamp(session.now),
        "recurrence": None,
        "expiration": {"type": "noExpiration", "endDateTime": None, "duration": None},
    }
    body = {
        "id": assignment.id,
        **{name: assignment.body[name] for name in KEY},
        "createdUsing": None,
        "createdDateTime": None,
        "modifiedDateTime": None,
        "status": "Provisioned",
        "assignmentType": "Assigned",
        "memberType": "Direct",
        "scheduleInfo": forever,
    }
    return Record(ASSIGNMENT, body, assignment.visible_from)


def eligible(call: Call) -> list[Record]:
    return list(call.session.directory.all(ELIGIBILITY))


def assigned(call: Call) -> list[Record]:
    """Schedules made by requests, and assignments made without any."""
    directory = call.session.directory
    made = list(directory.all(ASSIGNMENT))
    known = {tuple(each.body[name] for name in KEY) for each in made}
    standing = [
        standing_schedule(call.session, each)
        for each in directory.all("unifiedRoleAssignment")
        if tuple(each.body[name] for name in KEY) not in known
    ]
    return [*made, *standing]


def holders(directory: Directory, body: Json) -> Iterator[tuple[str, str]]:
    """Whom it reaches: the principal itself, and the members of one that is a group."""
    yield body["principalId"], "Direct"
    group = directory.get("group", body["principalId"])
    for member in group.links["members"] if group else ():
        yield member, "Group"


def eligible_now(call: Call) -> list[Record]:
    directory = call.session.directory
    return [
        Record(
            f"{ELIGIBILITY}Instance",
            _instance(each, principal, member, "-e", "roleEligibilityScheduleId"),
            each.visible_from,
        )
        for each in directory.all(ELIGIBILITY)
        if start_of(each) <= call.session.now
        for principal, member in holders(directory, each.body)
    ]


def assigned_now(call: Call) -> list[Record]:
    directory = call.session.directory
    found: list[Record] = []
    for schedule in assigned(call):
        assignment = assignment_of(directory, schedule.body)
        if assignment is None:
            continue
        for principal, member in holders(directory, schedule.body):
            body = _instance(schedule, principal, member, "", "roleAssignmentScheduleId")
            body |= {
                "id": assignment.id if member == "Direct" else body["id"],
                "assignmentType": schedule.body["assignmentType"],
                "roleAssignmentOriginId": assignment.id,
            }
            found.append(Record(f"{ASSIGNMENT}Instance", body, assignment.visible_from))
    return found


def _instance(schedule: Record, principal_id: str, member: str, suffix: str, schedule_property: str) -> Json:
    body = {name: schedule.body[name] for name in KEY} | {"principalId": principal_id}
    info = schedule.body["scheduleInfo"]
    end = end_of(schedule)
    return {
        "id": assignment_id(body) + suffix,
        **body,
        "startDateTime": info["startDateTime"] if schedule.body["createdUsing"] else None,
        "endDateTime": precise_timestamp(end) if end else None,
        "memberType": member,
        schedule_property: schedule.id,
    }


def show_activation(session: Session, record: Record) -> Json | None:
    """The eligibility behind what was activated."""
    body = record.body
    if body.get("assignmentType") != "Activated" and body.get("action") != "selfActivate":
        return None
    found = pim.eligible_schedule(session, ACTIVE, body)
    return present(session, registry.kind(ELIGIBILITY), found) if found else None


EXPAND = {"principal": roles.expand_principal, "roleDefinition": roles.expand_definition}
ACTIVE_EXPAND = {**EXPAND, "activatedUsing": show_activation}
FILTERABLE = frozenset({"principalId", "roleDefinitionId", "directoryScopeId", "id"})


def _request_kind(family: pim.Family, path: str, expand: pim.Expansions) -> EntityType:
    remove_only = family.full[0].replace("ReadWrite", "Remove")
    return EntityType(
        name=family.request,
        path=path,
        verbs=frozenset({"list", "get"}),
        read=family.full,
        rules=WriteRules(
            computed=frozenset({"approvalId", "completedDateTime", "createdBy", "createdDateTime", "status"}),
            writable=frozenset({"roleDefinitionId"}),
            required=("action", "principalId", "roleDefinitionId", "directoryScopeId"),
        ),
        defaults={
            "isValidationOnly": False,
            "ticketInfo": {"ticketNumber": None, "ticketSystem": None},
        },
        checks=(pim.checked_request(family),),
        created=(pim.fulfilled_request(family),),
        actions=(requestable(family.request, path, (*family.full, remove_only)),),
        present=pim.show_request,
        filterable=FILTERABLE | {"action", "targetScheduleId"},
        expand={**expand, "targetSchedule": pim.show_target(family)},
        expands_together=True,
    )


ELIGIBILITY_READ = ("RoleEligibilitySchedule.Read.Directory", ELIGIBLE.full[0], *MANAGEMENT)
ASSIGNMENT_READ = ("RoleAssignmentSchedule.Read.Directory", ACTIVE.full[0], *MANAGEMENT)


def _view(name: str, path: str, source: Source, read: tuple[str, ...], expand: pim.Expansions) -> EntityType:
    return EntityType(
        name=name,
        path=path,
        verbs=frozenset(),
        read=read,
        actions=readable(name, path, source, read),
        filterable=FILTERABLE | {"memberType", "assignmentType"},
        expand=expand,
        expands_together=True,
    )


KINDS = (
    _request_kind(ELIGIBLE, f"{BASE}/roleEligibilityScheduleRequests", EXPAND),
    _view(ELIGIBILITY, f"{BASE}/roleEligibilitySchedules", eligible, ELIGIBILITY_READ, EXPAND),
    _view(
        f"{ELIGIBILITY}Instance",
        f"{BASE}/roleEligibilityScheduleInstances",
        eligible_now,
        ELIGIBILITY_READ,
        EXPAND,
    ),
    _request_kind(ACTIVE, f"{BASE}/roleAssignmentScheduleRequests", ACTIVE_EXPAND),
    _view(ASSIGNMENT, f"{BASE}/roleAssignmentSchedules", assigned, ASSIGNMENT_READ, ACTIVE_EXPAND),
    _view(
        f"{ASSIGNMENT}Instance",
        f"{BASE}/roleAssignmentScheduleInstances",
        assigned_now,
        ASSIGNMENT_READ,
        ACTIVE_EXPAND,
    ),
)
