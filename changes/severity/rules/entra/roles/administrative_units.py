"""Rules on administrative units: which users are protected from ordinary administrators, and who administers
a unit.
"""

from collections.abc import Iterator

from changes.severity.model import Context, Hit, Rule, Severity, Subject, neutral, strengthens, weakens
from changes.severity.readers import dig, is_true, keyed, text
from changes.severity.surroundings import display_name, either, principal_names
from snapshots.catalog.spec import Document

UNIT = ("administrativeUnit",)
SCOPED = ("scopedRoleMembership",)
RESTRICTED = "isMemberManagementRestricted"
TECHNIQUE = "T1098.003"


def _restricted(document: Document | None) -> bool:
    return is_true(document, RESTRICTED)


def members_moved(subject: Subject, context: Context) -> Iterator[Hit]:
    if subject.kind != "updated":
        return
    before, after = (frozenset(keyed(side, "members")) for side in (subject.before, subject.after))
    lost, gained = before - after, after - before
    if lost and _restricted(subject.before):
        yield weakens(
            Severity.HIGH,
            f"{principal_names(context, lost)} left the restricted unit {subject.name}: "
            "ordinary administrators can now reset their passwords and change them.",
        )
    elif gained and _restricted(subject.after):
        yield strengthens(
            f"The restricted unit {subject.name} now protects {principal_names(context, gained)}."
        )
    elif gained:
        reason = (
            f"The administrators of unit {subject.name} may now manage {principal_names(context, gained)}."
        )
        yield weakens(Severity.LOW, reason)
    elif lost:
        names = principal_names(context, lost)
        yield neutral(Severity.LOW, f"The administrators of unit {subject.name} no longer manage {names}.")


def rule_changed(subject: Subject, context: Context) -> Iterator[Hit]:  # noqa: ARG001
    names = ("membershipRule", "membershipType", "membershipRuleProcessingState")
    if subject.kind != "updated" or all(
        dig(subject.before, name) == dig(subject.after, name) for name in names
    ):
        return
    severity = Severity.HIGH if _restricted(subject.before) else Severity.MEDIUM
    yield neutral(severity, f"The membership rule of the unit {subject.name} changed.")


def restriction_lifted(subject: Subject, context: Context) -> Iterator[Hit]:  # noqa: ARG001
    before, after = _restricted(subject.before), _restricted(subject.after)
    if before and not after:
        how = "was deleted" if subject.after is None else "is no longer restricted"
        yield weakens(
            Severity.HIGH,
            f"The unit {subject.name} {how}: ordinary administrators can manage the people in it.",
        )
    elif after and not before:
        yield strengthens(
            f"The restricted unit {subject.name} protects its members from ordinary administrators."
        )
    elif subject.kind == "deleted":
        reason = f"The unit {subject.name} was deleted. Administrators of only this unit lost their role."
        yield neutral(Severity.MEDIUM, reason)
    elif subject.kind == "created":
        yield neutral(Severity.LOW, f"The unit {subject.name} was created.")


def _scoped(document: Document | None) -> dict[str, Document]:
    """The scoped roles in a unit's document, by role and holder."""
    return {
        f"{text(row_document, 'roleId')} {text(row_document, 'roleMemberInfo', 'id')}".casefold(): row_document
        for row in keyed(document, "scopedRoleMembers").values()
        for row_document in (dict(row),)
    }


def scoped_role_moved(subject: Subject, context: Context) -> Iterator[Hit]:
    if subject.resource_type == SCOPED[0]:
        before = {"": subject.before} if subject.before else {}
        after = {"": subject.after} if subject.after else {}
    else:
        before, after = _scoped(subject.before), _scoped(subject.after)
    for key in sorted(after.keys() - before.keys()):
        unit_id = text(after[key], "administrativeUnitId") or subject.resource_id
        unit = either(context, UNIT[0], unit_id) or subject.document
        severity = Severity.HIGH if _restricted(unit) else Severity.MEDIUM
        who = text(after[key], "roleMemberInfo", "displayName") or "Somebody"
        yield weakens(severity, f"{who} administers the unit {display_name(context, UNIT[0], unit_id)}.")
    for key in sorted(before.keys() - after.keys()):
        who = text(before[key], "roleMemberInfo", "displayName") or "Somebody"
        yield strengthens(f"{who} no longer administers a unit.")


RULES = (
    Rule("unit-members", "Members of an administrative unit changed", UNIT, "T1098", members_moved),
    Rule("unit-rule", "The membership rule of an administrative unit changed", UNIT, "T1098", rule_changed),
    Rule(
        "unit-restriction",
        "The restriction of an administrative unit changed",
        UNIT,
        "T1484",
        restriction_lifted,
    ),
    Rule(
        "unit-scoped-role",
        "Administrators of an administrative unit changed",
        SCOPED + UNIT,
        TECHNIQUE,
        scoped_role_moved,
    ),
)
