"""Rules on groups: the severity of membership and ownership depends on what the group gives (a role, or an
exemption from a policy).
"""

from collections.abc import Iterator
from dataclasses import dataclass

from changes.severity.conditional_access.policies import read_policy
from changes.severity.model import Context, Hit, Rule, Severity, Subject, neutral, strengthens, weakens
from changes.severity.readers import is_true, keyed, listed, text
from changes.severity.surroundings import SIDES, highest_role, is_enforced, policies_that, principal

GROUP = ("group",)
ROLE_TECHNIQUE = "T1098.003"
POLICY_TECHNIQUE = "T1556.009"


@dataclass(frozen=True)
class Power:
    """The effect of membership in a group."""

    role: Severity | None
    role_words: str
    excluded: tuple[str, ...]
    """Enforced policies that exclude its members."""
    included: tuple[str, ...]
    """Enforced policies that include it."""

    @property
    def ordinary(self) -> bool:
        return self.role is None and not self.excluded and not self.included

    @property
    def entering(self) -> Severity:
        """Severity of a new member."""
        exits = Severity.HIGH if self.excluded else Severity.LOW
        return max(self.role or Severity.LOW, exits)

    @property
    def note(self) -> str:
        parts = [self.role_words] if self.role_words else []
        if self.excluded:
            parts.append(f"its members are exempt from {listed(self.excluded)}")
        if self.included:
            parts.append(f"{listed(self.included)} applies to its members")
        return f" ({'; '.join(parts)})" if parts else ""

    @property
    def technique(self) -> str:
        if self.role is not None:
            return ROLE_TECHNIQUE
        return POLICY_TECHNIQUE if self.excluded or self.included else "T1098"


def power_of(subject: Subject, context: Context) -> Power:
    held = highest_role(context, subject.resource_id)
    assignable = is_true(subject.before, "isAssignableToRole") or is_true(subject.after, "isAssignableToRole")
    role: Severity | None = None
    role_words = ""
    if held is not None:
        role, role_words = max(held.severity, Severity.HIGH), f"it holds the role {held.name}"
    elif assignable:
        role, role_words = Severity.HIGH, "it can hold directory roles"
    return Power(
        role,
        role_words,
        _policies(subject, context, "excludeGroups"),
        _policies(subject, context, "includeGroups"),
    )


def _policies(subject: Subject, context: Context, name: str) -> tuple[str, ...]:
    wanted = subject.resource_id.casefold()
    return tuple(
        sorted(
            {
                f"policy {text(policy, 'displayName')}"
                for side in SIDES
                for policy in policies_that(context, side, "users", (name,), wanted)
                if is_enforced(policy) and not read_policy(policy, context, side).requirement.admits_everybody
            }
        )
    )


def _names(keys: set[str], context: Context) -> str:
    return listed(principal(context, key).name for key in keys)


def _difference(subject: Subject, name: str) -> tuple[set[str], set[str]]:
    old, new = keyed(subject.before, name).keys(), keyed(subject.after, name).keys()
    return set(new - old), set(old - new)


def member_added(subject: Subject, context: Context) -> Iterator[Hit]:
    added, _ = _difference(subject, "members")
    if not added or subject.after is None:
        return
    power = power_of(subject, context)
    reason = f"{_names(added, context)} joined the group {subject.name}{power.note}."
    if power.ordinary and subject.kind == "created":
        return
    if power.ordinary:
        yield neutral(Severity.LOW, reason)
    elif power.role is None and not power.excluded:
        yield strengthens(reason)
    else:
        yield weakens(power.entering, reason, power.technique)


def member_removed(subject: Subject, context: Context) -> Iterator[Hit]:
    _, removed = _difference(subject, "members")
    if not removed or subject.kind != "updated":
        return
    power = power_of(subject, context)
    reason = f"{_names(removed, context)} left the group {subject.name}{power.note}."
    if power.included:
        yield weakens(Severity.HIGH, f"{reason} The policy no longer reaches them.", POLICY_TECHNIQUE)
    elif power.ordinary:
        yield neutral(Severity.LOW, reason)
    else:
        yield strengthens(reason)


def owner_added(subject: Subject, context: Context) -> Iterator[Hit]:
    added, removed = _difference(subject, "owners")
    if subject.kind == "deleted":
        return
    power = power_of(subject, context)
    if added and not (power.ordinary and subject.kind == "created"):
        reason = f"{_names(added, context)} may now manage the members of {subject.name}{power.note}."
        opens = power.role is not None or bool(power.excluded or power.included)
        severity = max(power.entering, Severity.HIGH) if opens else Severity.LOW
        yield weakens(severity, reason, power.technique if opens else "T1098")
    if removed and subject.kind == "updated":
        yield strengthens(f"{_names(removed, context)} may no longer manage {subject.name}.")


def membership_rule_changed(subject: Subject, context: Context) -> Iterator[Hit]:
    """Two rules cannot be compared by their text, so the direction stays neutral."""
    before, after = text(subject.before, "membershipRule"), text(subject.after, "membershipRule")
    if subject.kind != "updated" or before == after:
        return
    power = power_of(subject, context)
    reason = (
        f"Membership in {subject.name}{power.note} is now determined by the rule {after or '(none)'} "
        f"instead of {before or '(none)'}."
    )
    if power.ordinary:
        yield neutral(Severity.LOW, reason)
    elif power.role is None and not power.excluded:
        yield neutral(Severity.MEDIUM, reason, "T1484")
    else:
        yield neutral(power.entering, reason, "T1484")


def group_opened(subject: Subject, context: Context) -> Iterator[Hit]:
    if subject.kind != "updated":
        return
    before, after = text(subject.before, "visibility"), text(subject.after, "visibility")
    if after == "Public" and before not in {"", "Public"}:
        power = power_of(subject, context)
        severity = max(power.entering, Severity.MEDIUM)
        yield weakens(severity, f"Anyone may now join {subject.name}{power.note}.", power.technique)
    elif before == "Public" and after in {"Private", "HiddenMembership"}:
        yield strengthens(f"Only owners may now add members to {subject.name}.")


def role_assignable_created(subject: Subject, context: Context) -> Iterator[Hit]:
    if is_true(subject.after, "isAssignableToRole") and not is_true(subject.before, "isAssignableToRole"):
        holds = highest_role(context, subject.resource_id) is not None
        severity = Severity.HIGH if holds else Severity.MEDIUM
        yield neutral(severity, f"The group {subject.name} can now be assigned directory roles.")


def group_deleted(subject: Subject, context: Context) -> Iterator[Hit]:
    if subject.kind != "deleted":
        return
    power = power_of(subject, context)
    reason = f"The group {subject.name} was deleted{power.note}."
    if power.included:
        yield weakens(Severity.HIGH, f"{reason} The policy no longer reaches its members.", POLICY_TECHNIQUE)
    elif power.excluded or power.role is not None:
        yield neutral(Severity.MEDIUM, reason, "T1531")
    else:
        yield neutral(Severity.LOW, reason)


SIGMA_ADDED = "Sigma: User Added To Group With CA Policy Modification Access"
SIGMA_REMOVED = "Sigma: User Removed From Group With CA Policy Modification Access"

RULES = (
    Rule("group-member-added", "A group gained members", GROUP, "T1098", member_added, (SIGMA_ADDED,)),
    Rule("group-member-removed", "A group lost members", GROUP, "T1098", member_removed, (SIGMA_REMOVED,)),
    Rule("group-owner-changed", "A group's owners changed", GROUP, "T1098", owner_added, (SIGMA_ADDED,)),
    Rule(
        "group-rule-changed",
        "A dynamic group's rule changed",
        GROUP,
        "T1484",
        membership_rule_changed,
        ("Sentinel: Conditional Access - Dynamic Group Exclusion Changes",),
    ),
    Rule("group-opened", "A group's visibility changed", GROUP, "T1098", group_opened),
    Rule(
        "group-role-assignable",
        "A group can hold directory roles",
        GROUP,
        ROLE_TECHNIQUE,
        role_assignable_created,
        ("Sentinel: User added to Microsoft Entra ID Privileged Groups",),
    ),
    Rule("group-deleted", "A group was deleted", GROUP, "", group_deleted, (SIGMA_REMOVED,)),
)
