"""What all requests to PIM share: who may ask, what the settings demand, and schedules that begin and end in time."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from lavawall.emulator import audit, registry
from lavawall.emulator.errors import bad_request, denied
from lavawall.emulator.filters import parse_date
from lavawall.emulator.model import Write
from lavawall.emulator.permissions import app_permissions
from lavawall.emulator.presentation import View, present
from lavawall.emulator.store import Caller, Directory, Json, Record, Session, precise_timestamp
from lavawall.emulator.types import role_settings
from lavawall.emulator.types.pim_times import duration, window

MS_PIM = Caller(
    kind="app",
    object_id="5a1c7a6e-3f0b-5d2e-9c44-0d7f6f1b2e90",
    display_name="MS-PIM",
    app_id="01fc33a7-78ba-4d2f-a4b7-768e336e890e",
)
SCHEDULES = (
    "unifiedRoleEligibilitySchedule",
    "unifiedRoleAssignmentSchedule",
    "privilegedAccessGroupEligibilitySchedule",
    "privilegedAccessGroupAssignmentSchedule",
)
Expansions = Mapping[str, Callable[[Session, Record], Json | None]]
BEGINNING = frozenset({"adminAssign", "adminRenew", "selfActivate"})
CHANGING = frozenset({"adminUpdate", "adminExtend"})
ENDING = frozenset({"adminRemove", "selfDeactivate"})


@dataclass(frozen=True)
class Family:
    """One kind of request with the schedules it makes: eligible or active, for roles or for groups.

    `key` names what tells two schedules apart. `held` says whether the principal has it without a schedule of its
    own; `begin` and `end` give and take what an active schedule stands for.
    """

    request: str
    schedule: str
    level: str
    key: tuple[str, ...]
    subject: Callable[[Json], role_settings.Subject]
    target: Callable[[Directory, Json], Record | None]
    check: Callable[[Session, Json], None]
    held: Callable[[Session, Json], bool]
    begin: Callable[[Session, Record], None]
    end: Callable[[Session, Json], None]
    check_end: Callable[[Session, Json], None]
    new_id: Callable[[Json], str]
    word: Callable[[str], str]
    noun: str
    full: tuple[str, ...]
    eligibility: str = ""


def matches(one: Json, other: Json, key: tuple[str, ...]) -> bool:
    return all(one.get(name) == other.get(name) for name in key)


def stored(directory: Directory, schedule: str, body: Json, key: tuple[str, ...]) -> Record | None:
    """The schedule for the same principal and thing, one included that is still on its way to all replicas."""
    return next(
        (each for each in directory.records[schedule].values() if matches(each.body, body, key)), None
    )


def forget(directory: Directory, schedule: str, body: Json, key: tuple[str, ...]) -> None:
    """Drops the schedule of what was taken away in another way."""
    found = stored(directory, schedule, body, key)
    if found is not None:
        directory.remove(found)


def schedules_of(session: Session, record: Record) -> list[Record]:
    """Every schedule that names a principal, a group or a scope."""
    return [
        each
        for name in SCHEDULES
        for each in session.directory.records[name].values()
        if record.id in {each.body["principalId"], each.body.get("groupId")}
        or str(each.body.get("directoryScopeId")).endswith(record.id)
    ]


def exists() -> Exception:
    return bad_request("The Role assignment already exists.", "RoleAssignmentExists")


def absent() -> Exception:
    return bad_request("The Role assignment does not exist.", "RoleAssignmentDoesNotExist")


def checked_request(family: Family) -> Callable[[Write], None]:
    """The check of one family's requests, which also completes them."""

    def check(write: Write) -> None:
        session, after = write.session, write.after
        action = after["action"]
        if action not in BEGINNING | CHANGING | ENDING:
            raise bad_request(f"The action '{action}' is not supported.", "InvalidAction")
        _check_hands(session, family, after)
        family.check(session, after)
        _check_existence(session, family, after)
        after["createdBy"] = _creator(session)
        if action in ENDING:
            family.check_end(session, after)
            after |= {"status": "Revoked", "completedDateTime": None, "targetScheduleId": None}
            return
        start, end = window(session, after.get("scheduleInfo"))
        _check_settings(session, family, after, start, end)
        after["scheduleInfo"] = _schedule_info(after["scheduleInfo"], start)
        after["status"] = "Provisioned"
        after["completedDateTime"] = precise_timestamp(max(start, session.visible_from))
        if action == "selfActivate" and _needs_approval(session, family, after):
            after |= {
                "status": "PendingApproval",
                "completedDateTime": None,
                "approvalId": session.randomness.guid(),
            }

    return check


def _check_hands(session: Session, family: Family, after: Json) -> None:
    """Own activation is for the person alone; some apps may only remove."""
    caller = session.caller
    if after["action"].startswith("self"):
        if caller.kind != "user" or caller.object_id != after["principalId"]:
            raise denied()
    elif caller.kind == "app" and after["action"] != "adminRemove":
        held = app_permissions(session.directory, caller.object_id)
        if not held.intersection(family.full):
            raise denied()


def _check_existence(session: Session, family: Family, after: Json) -> None:
    directory, action = session.directory, after["action"]
    current = stored(directory, family.schedule, after, family.key)
    is_there = current is not None or family.held(session, after)
    if action in BEGINNING and is_there:
        raise exists()
    if action in CHANGING | ENDING and not is_there:
        raise absent()
    if action == "adminRenew" and not any(
        matches(each.body, after, family.key) for each in directory.all(family.request)
    ):
        raise absent()
    if action == "selfActivate" and eligible_schedule(session, family, after) is None:
        raise absent()
    if action == "selfDeactivate" and (
        current is None or current.body["assignmentType"] != family.word("Activated")
    ):
        raise absent()


def eligible_schedule(session: Session, family: Family, body: Json) -> Record | None:
    """What makes a principal eligible for it: a schedule of its own, or of a group that it is a member of."""
    if not family.eligibility:
        return None
    directory = session.directory
    groups = {each.id for each in directory.all("group") if body["principalId"] in each.links["members"]}
    others = tuple(name for name in family.key if name != "principalId")
    return next(
        (
            each
            for each in directory.all(family.eligibility)
            if matches(each.body, body, others) and each.body["principalId"] in groups | {body["principalId"]}
        ),
        None,
    )


def _check_settings(
    session: Session, family: Family, after: Json, start: datetime, end: datetime | None
) -> None:
    """The rules of the policy hold for administrators and apps too."""
    own = after["action"] == "selfActivate"
    suffix = "EndUser_Assignment" if own else f"Admin_{family.level}"
    subject = family.subject(after)
    expiration = role_settings.rule(session.directory, subject, f"Expiration_{suffix}")
    enabled = role_settings.rule(session.directory, subject, f"Enablement_{suffix}")["enabledRules"]
    ticket = after.get("ticketInfo") or {}
    too_long = expiration["isExpirationRequired"] and (
        end is None or end - start > duration(expiration["maximumDuration"])
    )
    failed = {
        "ExpirationRule": too_long,
        "JustificationRule": "Justification" in enabled and not after.get("justification"),
        "TicketingRule": "Ticketing" in enabled
        and not (ticket.get("ticketNumber") and ticket.get("ticketSystem")),
        "MfaRule": "MultiFactorAuthentication" in enabled and session.caller.kind == "app",
    }
    names = ",".join(f'"{name}"' for name, is_failed in failed.items() if is_failed)
    if names and not session.is_seeding:
        raise bad_request(
            f"The following policy rules failed: [{names}]", "RoleAssignmentRequestPolicyValidationFailed"
        )


def _needs_approval(session: Session, family: Family, after: Json) -> bool:
    setting = role_settings.rule(session.directory, family.subject(after), "Approval_EndUser_Assignment")
    return bool(setting["setting"]["isApprovalRequired"])


def _schedule_info(sent: Json, start: datetime) -> Json:
    expiration = {"endDateTime": None, "duration": None, **sent["expiration"]}
    return {"startDateTime": precise_timestamp(start), "recurrence": None, "expiration": expiration}


def _creator(session: Session) -> Json:
    caller, whom = session.caller, "user" if session.caller.kind == "user" else "application"
    nobody: Json = {"application": None, "device": None, "user": None}
    return {**nobody, whom: {"displayName": None, "id": caller.object_id}}


def fulfilled_request(family: Family) -> Callable[[Session, Record], None]:
    """What happens after a request of one family was accepted."""

    def fulfil(session: Session, request: Record) -> None:
        request.visible_from = session.now
        body, directory = request.body, session.directory
        if body.get("isValidationOnly"):
            directory.remove(request)
            return
        _write_audit(session, family, body)
        if body["action"] in ENDING:
            directory.later(session.visible_from, partial(_withdraw, session, family, body))
        elif body["status"] == "Provisioned":
            schedule = _put_schedule(session, family, request)
            body["targetScheduleId"] = schedule.id
            _order(session, family, schedule)

    return fulfil


def _put_schedule(session: Session, family: Family, request: Record) -> Record:
    body = request.body
    previous = stored(session.directory, family.schedule, body, family.key)
    now = precise_timestamp(session.now)
    made: Json = {
        "id": previous.id if previous else family.new_id(body),
        **{name: body[name] for name in family.key},
        "createdUsing": request.id,
        "createdDateTime": previous.body["createdDateTime"] if previous else now,
        "modifiedDateTime": now if previous else None,
        "status": "Provisioned",
        "memberType": family.word("Direct"),
        "scheduleInfo": body["scheduleInfo"],
    }
    if family.level == "Assignment":
        made["assignmentType"] = family.word("Activated" if body["action"] == "selfActivate" else "Assigned")
    visible_from = session.now if session.is_seeding or previous else session.visible_from
    schedule = Record(family.schedule, made, visible_from)
    session.directory.add(schedule)
    return schedule


def _order(session: Session, family: Family, schedule: Record) -> None:
    """Begins the schedule when it is visible and due, ends it when its time is up, unless it was replaced by then."""
    start, end = window(session, schedule.body["scheduleInfo"])
    session.directory.later(max(start, schedule.visible_from), partial(_begin, session, family, schedule))
    if end is not None:
        session.directory.later(end, partial(_expire, session, family, schedule))


def _begin(session: Session, family: Family, schedule: Record, moment: datetime) -> None:
    if _is_current(session, family, schedule):
        family.begin(follow_up(session, moment), schedule)


def _expire(session: Session, family: Family, schedule: Record, moment: datetime) -> None:
    if _is_current(session, family, schedule):
        _withdraw(session, family, schedule.body, moment)


def _is_current(session: Session, family: Family, schedule: Record) -> bool:
    return session.directory.records[family.schedule].get(schedule.id) is schedule


def _withdraw(session: Session, family: Family, body: Json, moment: datetime) -> None:
    forget(session.directory, family.schedule, body, family.key)
    family.end(follow_up(session, moment), body)


def follow_up(session: Session, moment: datetime) -> Session:
    """The session in which PIM itself acts on the directory, under the same correlation id."""
    return replace(session, caller=session.caller if session.is_seeding else MS_PIM, now=moment)


def show_target(family: Family) -> Callable[[Session, Record], Json | None]:
    """The expansion of a request's schedule."""

    def shown(session: Session, request: Record) -> Json | None:
        found = session.directory.get(family.schedule, str(request.body.get("targetScheduleId")))
        return present(session, registry.kind(family.schedule), found) if found else None

    return shown


def show_request(view: View) -> None:
    """A request is answered at once and carried out a moment later, or when its time comes."""
    body = view.body
    if body["status"] != "Provisioned" or parse_date(body["completedDateTime"]) <= view.session.now:
        return
    if parse_date(view.body["scheduleInfo"]["startDateTime"]) > view.session.now:
        view.body["status"] = "Granted"
    else:
        view.body |= {"status": "PendingProvisioning", "completedDateTime": None}


def _write_audit(session: Session, family: Family, body: Json) -> None:
    directory = session.directory
    principal = directory.directory_object(body["principalId"])
    target = family.target(directory, body)
    if principal is None or target is None:
        return
    audit.write(
        session,
        _activity(family, body),
        service=audit.PIM,
        category="RoleManagement" if family.noun == "role" else "GroupManagement",
        operation="Unassign" if body["action"] in ENDING else "Assign",
        targets=[audit.target(target), audit.target(principal)],
    )


def _activity(family: Family, body: Json) -> str:
    action, noun = body["action"], family.noun
    if action == "selfActivate":
        waiting = "requested" if body["status"] == "PendingApproval" else "completed"
        return f"Add member to {noun} {waiting} (PIM activation)"
    if action == "selfDeactivate":
        return f"Remove member from {noun} (PIM deactivate)"
    member = "eligible member" if family.level == "Eligibility" else "member"
    if action == "adminRemove":
        return f"Remove {member} from {noun} in PIM completed"
    if action in CHANGING:
        return f"Update {member} in {noun} in PIM completed"
    permanent = body["scheduleInfo"]["expiration"]["type"] == "noExpiration"
    return f"Add {member} to {noun} in PIM completed ({'permanent' if permanent else 'timebound'})"
