"""Rules on PIM schedules: who is eligible for or holds which role or group, and until when."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from math import inf

from changes.severity.model import (
    Context,
    Direction,
    Hit,
    Rule,
    Severity,
    Subject,
    neutral,
    strengthens,
    weakens,
)
from changes.severity.readers import text, word
from changes.severity.rules.entra.roles.roles import role_granted
from changes.severity.spans import seconds_of
from changes.severity.surroundings import display_name, highest_role, principal, role_of
from snapshots.catalog.spec import Document

ELIGIBLE_ROLE = "unifiedRoleEligibilitySchedule"
ACTIVE_ROLE = "unifiedRoleAssignmentSchedule"
ELIGIBLE_MEMBER = "privilegedAccessGroupEligibilitySchedule"
ACTIVE_MEMBER = "privilegedAccessGroupAssignmentSchedule"
ROLES = (ACTIVE_ROLE, ELIGIBLE_ROLE)
GROUPS = (ACTIVE_MEMBER, ELIGIBLE_MEMBER)
ELIGIBLE = frozenset({ELIGIBLE_ROLE, ELIGIBLE_MEMBER})
TECHNIQUE = "T1098.003"


def _activated(document: Document | None) -> bool:
    """An activation uses an earlier grant."""
    return word(document, "assignmentType") == "activated"


def _eligible_severity(severity: Severity) -> Severity:
    """An eligible role still needs an activation, which the role's settings control."""
    return Severity.HIGH if severity is Severity.CRITICAL else severity


def role_scheduled(subject: Subject, context: Context) -> Iterator[Hit]:
    if _activated(subject.after):
        return
    for hit in role_granted(subject, context):
        if hit.direction is not Direction.WEAKENS:
            continue
        if subject.resource_type in ELIGIBLE:
            reason = hit.reason.replace(" received the role ", " is now eligible for the role ").replace(
                "It gives", "It leads to"
            )
            yield replace(hit, severity=_eligible_severity(hit.severity), reason=reason)
        else:
            yield hit


def member_scheduled(subject: Subject, context: Context) -> Iterator[Hit]:
    if (
        subject.after is None
        or _activated(subject.after)
        or _member(subject.before) == _member(subject.after)
    ):
        return
    group_id = text(subject.after, "groupId")
    held = highest_role(context, group_id)
    severity = max(Severity.MEDIUM, held.severity) if held else Severity.MEDIUM
    eligible = subject.resource_type in ELIGIBLE
    who = principal(context, text(subject.after, "principalId")).name
    becomes = "may become" if eligible else "is now"
    power = f" The group holds the role {held.name}." if held else ""
    yield weakens(
        _eligible_severity(severity) if eligible else severity,
        f"{who} {becomes} {text(subject.after, 'accessId') or 'member'} "
        f"of the group {display_name(context, 'group', group_id)}.{power}",
    )


def _member(document: Document | None) -> tuple[str, ...]:
    return tuple(word(document, name) for name in ("groupId", "principalId", "accessId"))


def schedule_prolonged(subject: Subject, context: Context) -> Iterator[Hit]:
    if subject.kind != "updated" or _activated(subject.after):
        return
    before, after = _end(subject.before), _end(subject.after)
    if before is None or after is None or not _comparable(subject):
        return
    what = _what(subject.after, context)
    if after > before:
        until = "no longer ends" if after == inf else "lasts longer"
        severity = Severity.HIGH if after == inf and _privileged(subject.after, context) else Severity.MEDIUM
        yield weakens(severity, f"{what} {until}.")
    elif after < before:
        yield strengthens(f"{what} ends earlier.")


def _comparable(subject: Subject) -> bool:
    """A date and a duration count from different moments."""
    kinds = {word(side, "scheduleInfo", "expiration", "type") for side in (subject.before, subject.after)}
    return len(kinds - {"noexpiration"}) <= 1


def _end(document: Document | None) -> float | None:
    """The end as a number that grows with time."""
    path = ("scheduleInfo", "expiration")
    kind = word(document, *path, "type")
    if kind == "noexpiration":
        return inf
    if kind == "afterduration":
        return seconds_of(text(document, *path, "duration"))
    try:
        return datetime.fromisoformat(text(document, *path, "endDateTime")).timestamp()
    except (ValueError, OverflowError, OSError):
        return None


def _privileged(document: Document | None, context: Context) -> bool:
    role_id = text(document, "roleDefinitionId")
    role = role_of(context, role_id) if role_id else highest_role(context, text(document, "groupId"))
    return role is not None and role.severity >= Severity.HIGH


def _what(document: Document | None, context: Context) -> str:
    who = principal(context, text(document, "principalId")).name
    role_id = text(document, "roleDefinitionId")
    if role_id:
        role = role_of(context, role_id)
        return f"The role {role.name if role else role_id} of {who}"
    return f"The membership of {who} in the group {display_name(context, 'group', text(document, 'groupId'))}"


def schedule_removed(subject: Subject, context: Context) -> Iterator[Hit]:
    if subject.kind == "deleted":
        if _activated(subject.before):
            yield neutral(Severity.INFORMATIONAL, f"{_what(subject.before, context)} is no longer active.")
        else:
            yield strengthens(f"{_what(subject.before, context)} was removed.")


RULES = (
    Rule(
        "pim-role-scheduled",
        "A directory role was assigned or made eligible through PIM",
        ROLES,
        TECHNIQUE,
        role_scheduled,
        (
            "Sigma: User Added To Privilege Role",
            "Elastic: Entra ID Global Administrator Role Assigned (PIM User)",
        ),
    ),
    Rule(
        "pim-member-scheduled",
        "A group membership was assigned or made eligible through PIM",
        GROUPS,
        TECHNIQUE,
        member_scheduled,
    ),
    Rule(
        "pim-schedule-prolonged",
        "The duration of a PIM role or membership changed",
        ROLES + GROUPS,
        TECHNIQUE,
        schedule_prolonged,
        ("Maester MT.1025 to MT.1032",),
    ),
    Rule(
        "pim-schedule-removed",
        "A PIM role or membership was removed",
        ROLES + GROUPS,
        "",
        schedule_removed,
        ("Sigma: Bulk Deletion Changes To Privileged Account Permissions",),
    ),
)
