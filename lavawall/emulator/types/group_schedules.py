"""PIM for groups: eligible and active members and owners, the requests that make them, and their instances now."""

from uuid import UUID, uuid5

from lavawall.emulator import recycle, registry
from lavawall.emulator.errors import bad_request, resource_not_found
from lavawall.emulator.model import EntityType, Link
from lavawall.emulator.presentation import present, shown_objects
from lavawall.emulator.requests import Call
from lavawall.emulator.store import Directory, Json, Record, Session, precise_timestamp
from lavawall.emulator.types import pim, role_settings
from lavawall.emulator.types.pim_times import end_of, start_of
from lavawall.emulator.types.pim_views import Source, mentioned, readable, requestable
from lavawall.emulator.validation import WriteRules

BASE = "/identityGovernance/privilegedAccess/group"
KEY = ("principalId", "groupId", "accessId")
ELIGIBILITY = "privilegedAccessGroupEligibilitySchedule"
ASSIGNMENT = "privilegedAccessGroupAssignmentSchedule"
LINKS = {"member": "members", "owner": "owners"}
REQUIRED_FILTER = ("groupId", "principalId")


def check_group(session: Session, after: Json) -> None:
    directory = session.directory
    group = directory.get("group", str(after["groupId"]))
    principal = directory.directory_object(str(after["principalId"]), ("user", "group", "servicePrincipal"))
    if group is None or principal is None:
        raise resource_not_found(str(after["groupId" if group is None else "principalId"]))
    if not role_settings.can_be_managed(group):
        raise bad_request("The group cannot be managed: its members follow a rule or come from on premises.")
    if principal.type_name == "group" and group.body.get("isAssignableToRole"):
        raise bad_request("A group that can be assigned to roles cannot hold other groups.")


def _link(access_id: str) -> Link:
    return next(each for each in registry.kind("group").links if each.name == LINKS[access_id])


def is_linked(session: Session, body: Json) -> bool:
    group = session.directory.get("group", body["groupId"])
    return group is not None and body["principalId"] in group.links[LINKS[body["accessId"]]]


def begin_membership(session: Session, schedule: Record) -> None:
    body, directory = schedule.body, session.directory
    group, principal = (
        directory.get("group", body["groupId"]),
        directory.directory_object(body["principalId"]),
    )
    if group is None or principal is None:
        directory.remove(schedule)
    elif not is_linked(session, body):
        link = _link(body["accessId"])
        group.links[link.name][principal.id] = None
        recycle.write_link_audit(session, link.added, "Assign", group, principal, link)


def end_membership(session: Session, body: Json) -> None:
    directory = session.directory
    group, principal = (
        directory.get("group", body["groupId"]),
        directory.directory_object(body["principalId"]),
    )
    if group is not None and principal is not None and is_linked(session, body):
        link = _link(body["accessId"])
        del group.links[link.name][principal.id]
        recycle.write_link_audit(session, link.removed, "Unassign", group, principal, link)


def check_end_of_membership(session: Session, body: Json) -> None:
    link = _link(body["accessId"])
    group = session.directory.get("group", body["groupId"])
    principal = session.directory.directory_object(body["principalId"])
    if body["accessId"] == "owner" and link.check_remove and group and principal and is_linked(session, body):
        link.check_remove(session, group, principal)


def group_of(directory: Directory, body: Json) -> Record | None:
    return directory.get("group", body["groupId"])


def subject(body: Json) -> role_settings.Subject:
    return role_settings.group_subject(body["groupId"], body["accessId"])


def schedule_id(request: Json) -> str:
    return f"{request['groupId']}_{request['accessId']}_{request['id']}"


ELIGIBLE = pim.Family(
    request=f"{ELIGIBILITY}Request",
    schedule=ELIGIBILITY,
    level="Eligibility",
    key=KEY,
    subject=subject,
    target=group_of,
    check=check_group,
    held=lambda _session, _body: False,
    begin=lambda _session, _schedule: None,
    end=lambda _session, _body: None,
    check_end=lambda _session, _body: None,
    new_id=schedule_id,
    word=str.lower,
    noun="group",
    full=("PrivilegedEligibilitySchedule.ReadWrite.AzureADGroup",),
)
ACTIVE = pim.Family(
    request=f"{ASSIGNMENT}Request",
    schedule=ASSIGNMENT,
    level="Assignment",
    key=KEY,
    subject=subject,
    target=group_of,
    check=check_group,
    held=is_linked,
    begin=begin_membership,
    end=end_membership,
    check_end=check_end_of_membership,
    new_id=schedule_id,
    word=str.lower,
    noun="group",
    full=("PrivilegedAssignmentSchedule.ReadWrite.AzureADGroup",),
    eligibility=ELIGIBILITY,
)


def eligible(call: Call) -> list[Record]:
    return list(call.session.directory.all(ELIGIBILITY))


def assigned(call: Call) -> list[Record]:
    """Schedules made by requests, and in groups that PIM manages also those who are in without one."""
    directory = call.session.directory
    made = list(directory.all(ASSIGNMENT))
    known = {tuple(each.body[name] for name in KEY) for each in made}
    managed = {each.body["groupId"] for each in [*made, *directory.all(ELIGIBILITY)]}
    wanted = mentioned(call) | mentioned_in_path(call)
    standing = [
        _standing(call.session, group, access_id, principal_id)
        for group_id in managed
        if (group := directory.get("group", group_id)) is not None
        for access_id, link in LINKS.items()
        for principal_id in group.links[link]
        if wanted & {group_id, principal_id} and (principal_id, group_id, access_id) not in known
    ]
    return [*made, *standing]


def mentioned_in_path(call: Call) -> set[str]:
    return {call.parameters.get("id", "").partition("_")[0]}


def _standing(session: Session, group: Record, access_id: str, principal_id: str) -> Record:
    name = uuid5(UUID(session.directory.directory_id), f"{group.id}/{access_id}/{principal_id}")
    body: Json = {
        "id": f"{group.id}_{access_id}_{name}",
        "principalId": principal_id,
        "groupId": group.id,
        "accessId": access_id,
        "createdUsing": None,
        "createdDateTime": None,
        "modifiedDateTime": None,
        "status": "Provisioned",
        "assignmentType": "assigned",
        "memberType": "direct",
        "scheduleInfo": {
            "startDateTime": precise_timestamp(session.now),
            "recurrence": None,
            "expiration": {"type": "noExpiration", "endDateTime": None, "duration": None},
        },
    }
    return Record(ASSIGNMENT, body, group.visible_from)


def _instances(call: Call, schedules: list[Record], name: str, schedule_property: str) -> list[Record]:
    return [
        Record(
            name,
            {
                **{each: schedule.body.get(each) for each in (*KEY, "memberType", "assignmentType")},
                "id": schedule.id,
                schedule_property: schedule.id,
                "startDateTime": schedule.body["scheduleInfo"]["startDateTime"],
                "endDateTime": precise_timestamp(end) if (end := end_of(schedule)) else None,
            },
            schedule.visible_from,
        )
        for schedule in schedules
        if start_of(schedule) <= call.session.now
    ]


def eligible_now(call: Call) -> list[Record]:
    return _instances(call, eligible(call), f"{ELIGIBILITY}Instance", "eligibilityScheduleId")


def assigned_now(call: Call) -> list[Record]:
    return _instances(call, assigned(call), f"{ASSIGNMENT}Instance", "assignmentScheduleId")


def show_principal(session: Session, record: Record) -> Json | None:
    return next(iter(shown_objects(session, [record.body["principalId"]])), None)


def show_group(session: Session, record: Record) -> Json | None:
    return next(iter(shown_objects(session, [record.body["groupId"]])), None)


def show_activation(session: Session, record: Record) -> Json | None:
    """The eligibility behind what was activated."""
    body = record.body
    if body.get("assignmentType") != "activated" and body.get("action") != "selfActivate":
        return None
    found = pim.eligible_schedule(session, ACTIVE, body)
    return present(session, registry.kind(ELIGIBILITY), found) if found else None


EXPAND = {"principal": show_principal, "group": show_group}
ACTIVE_EXPAND = {**EXPAND, "activatedUsing": show_activation}
FILTERABLE = frozenset({"principalId", "groupId", "accessId", "id"})


def _request_kind(family: pim.Family, path: str, expand: pim.Expansions) -> EntityType:
    read = (family.full[0].replace("ReadWrite", "Read"), *family.full)
    remove_only = family.full[0].replace("ReadWrite", "Remove")
    return EntityType(
        name=family.request,
        path=path,
        verbs=frozenset(),
        read=read,
        rules=WriteRules(
            computed=frozenset({"approvalId", "completedDateTime", "createdBy", "createdDateTime", "status"}),
            required=("action", "principalId", "groupId", "accessId"),
        ),
        defaults={"isValidationOnly": False, "ticketInfo": {"ticketNumber": None, "ticketSystem": None}},
        checks=(pim.checked_request(family),),
        created=(pim.fulfilled_request(family),),
        actions=(
            *readable(
                family.request,
                path,
                lambda call: list(call.session.directory.all(family.request)),
                read,
                REQUIRED_FILTER,
            ),
            requestable(family.request, path, (*family.full, remove_only)),
        ),
        present=pim.show_request,
        filterable=FILTERABLE | {"action", "targetScheduleId"},
        expand={**expand, "targetSchedule": pim.show_target(family)},
        expands_together=True,
    )


def _view(name: str, path: str, source: Source, level: str, expand: pim.Expansions) -> EntityType:
    read = (
        f"Privileged{level}Schedule.Read.AzureADGroup",
        f"Privileged{level}Schedule.ReadWrite.AzureADGroup",
    )
    return EntityType(
        name=name,
        path=path,
        verbs=frozenset(),
        read=read,
        actions=readable(name, path, source, read, REQUIRED_FILTER),
        filterable=FILTERABLE | {"memberType", "assignmentType"},
        expand=expand,
        expands_together=True,
    )


KINDS = (
    _request_kind(ELIGIBLE, f"{BASE}/eligibilityScheduleRequests", EXPAND),
    _view(ELIGIBILITY, f"{BASE}/eligibilitySchedules", eligible, "Eligibility", EXPAND),
    _view(
        f"{ELIGIBILITY}Instance", f"{BASE}/eligibilityScheduleInstances", eligible_now, "Eligibility", EXPAND
    ),
    _request_kind(ACTIVE, f"{BASE}/assignmentScheduleRequests", ACTIVE_EXPAND),
    _view(ASSIGNMENT, f"{BASE}/assignmentSchedules", assigned, "Assignment", ACTIVE_EXPAND),
    _view(
        f"{ASSIGNMENT}Instance",
        f"{BASE}/assignmentScheduleInstances",
        assigned_now,
        "Assignment",
        ACTIVE_EXPAND,
    ),
)
