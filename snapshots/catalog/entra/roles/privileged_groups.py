"""Privileged Identity Management for groups: who may become, and who is for a time, a member or an owner.

Facts: Microsoft Graph's v1.0 metadata of these types, and the endpoints of PIM for groups.
"""

from collections.abc import Callable

from snapshots.catalog.entra.roles.privileged_access import (
    LICENCE,
    SCHEDULE_COMPUTED,
    SCHEDULE_NOTES,
    is_assigned_for_a_time,
    is_direct,
    written_by_requests,
)
from snapshots.catalog.spec import (
    AuditHints,
    Comparison,
    Document,
    Identity,
    Permissions,
    Read,
    Reference,
    ResourceType,
)

_GROUP = "/v1.0/identityGovernance/privilegedAccess/group"
_IDENTITY = ("groupId", "principalId", "accessId")


def _group_schedule(
    key: str,
    label: str,
    plural: str,
    segment: str,
    *,
    exists: Callable[[Document], bool],
    permission: str,
    activities: tuple[str, ...],
    notes: tuple[str, ...],
) -> ResourceType:
    return ResourceType(
        key=key,
        label=label,
        plural=plural,
        area="Roles",
        read=Read(
            path=f"{_GROUP}/{segment}Schedules",
            params={"$filter": "groupId eq '{parent}'"},
            parent="group",
            exists=exists,
            find_params={"$filter": "groupId eq '{groupId}'"},
        ),
        permissions=Permissions(
            read=(f"{permission}.Read.AzureADGroup",), write=(f"{permission}.ReadWrite.AzureADGroup",)
        ),
        identity=Identity(
            properties=_IDENTITY,
            natural_key=_IDENTITY,
            name=lambda raw: (
                f"{raw.get('principalId', '')} as {raw.get('accessId', '')} of {raw.get('groupId', '')}"
            ),
        ),
        comparison=Comparison(computed=(*SCHEDULE_COMPUTED, "group")),
        references=(
            Reference("groupId", to="group"),
            Reference("principalId", to="directoryObject"),
        ),
        restore=written_by_requests(_GROUP, segment, _IDENTITY, rank=76),
        audit=AuditHints(activities=activities, services=("PIM",), targets=("groupId", "principalId")),
        licence=LICENCE,
        notes=(*SCHEDULE_NOTES, *notes),
    )


ELIGIBLE_MEMBER = _group_schedule(
    "privilegedAccessGroupEligibilitySchedule",
    "Eligible group member",
    "Eligible group members",
    "eligibility",
    exists=is_direct,
    permission="PrivilegedEligibilitySchedule",
    activities=(
        "add eligible member to group in pim completed (permanent)",
        "add eligible member to group in pim completed (timebound)",
        "add eligible member to group in pim requested (permanent)",
        "add eligible member to group in pim requested (timebound)",
        "remove eligible member from group in pim completed (permanent)",
        "remove eligible member from group in pim completed (timebound)",
        "update eligible member in pim",
        "update eligible member in group in pim completed",
    ),
    notes=("Read once for each group, since Graph lists these schedules only by group or by principal.",),
)

ACTIVE_MEMBER = _group_schedule(
    "privilegedAccessGroupAssignmentSchedule",
    "Group member for a time",
    "Group members for a time",
    "assignment",
    exists=is_assigned_for_a_time,
    permission="PrivilegedAssignmentSchedule",
    activities=(
        "add member to group in pim completed (timebound)",
        "add member to group in pim requested (timebound)",
        "remove member from group in pim completed (timebound)",
        "update member in pim",
        "update member in group in pim completed",
    ),
    notes=(
        (
            "Permanent members and owners are stored with the group. This type contains memberships with "
            "an end date."
        ),
        "Read once for each group, since Graph lists these schedules only by group or by principal.",
    ),
)

TYPES = (ELIGIBLE_MEMBER, ACTIVE_MEMBER)
