"""Rules on the scope of a Conditional Access policy: exclusions, removed inclusions, narrower conditions."""

from collections.abc import Iterator

from changes.severity import reference
from changes.severity.conditional_access.policies import (
    ALL,
    RARE_CONDITIONS,
    Mode,
    Move,
    Policy,
    Tokens,
    is_privileged,
    moves,
)
from changes.severity.conditional_access.policy_value import (
    adjusted_for_state,
    aims_at_administrators,
    pair,
    partial_value,
    policy_value,
    technique,
)
from changes.severity.conditional_access.wording import loss, token_names
from changes.severity.model import Context, Hit, Rule, Severity, Subject, neutral, strengthens, weakens
from changes.severity.readers import listed
from changes.severity.surroundings import is_privileged_principal, principal

POLICY = ("conditionalAccessPolicy",)


def _weaker_moves(subject: Subject, context: Context, *names: str) -> Iterator[tuple[Policy, Policy, Move]]:
    before, after = pair(subject, context)
    if subject.kind != "updated" or (after.empty and not before.empty):
        return
    for move in moves(before, after):
        if move.weaker and move.dimension.name in names:
            yield before, after, move


def people_excluded(subject: Subject, context: Context) -> Iterator[Hit]:
    for before, _, move in _weaker_moves(subject, context, "excluded users"):
        severity = adjusted_for_state(before, _exclusion_value(before, move.weaker, context))
        names = token_names(move.weaker, context)
        reason = f"Policy {subject.name} {_no_longer(before)} {names}, newly excluded from the policy."
        yield weakens(severity, reason, technique(before))


def _no_longer(policy: Policy) -> str:
    if policy.requirement.blocks:
        return "no longer blocks"
    if policy.requirement.admits_everybody:
        return "no longer limits the sessions of"
    return f"no longer requires {policy.requirement.describe()} for"


def _exclusion_value(policy: Policy, excluded: Tokens, context: Context) -> Severity:
    part = partial_value(policy, context)
    multi_factor = policy.requirement.multi_factor
    if all(_excluded_on_purpose(token, context) for token in excluded):
        break_glass = any(token.split(":")[-1] not in reference.SYNCHRONISATION_ROLES for token in excluded)
        floor = Severity.HIGH if multi_factor and policy.privileged_roles and break_glass else Severity.LOW
        return max(floor, part.lowered())
    if multi_factor and (
        aims_at_administrators(policy, context) or any(_is_privileged(token, context) for token in excluded)
    ):
        return Severity.CRITICAL
    return part


def _excluded_on_purpose(token: str, context: Context) -> bool:
    kind, _, key = token.partition(":")
    if kind == "role":
        return key in reference.SYNCHRONISATION_ROLES
    return kind in {"user", "group"} and principal(context, key).break_glass


def _is_privileged(token: str, context: Context) -> bool:
    kind, _, key = token.partition(":")
    if kind == "role":
        return is_privileged(token)
    return kind in {"user", "group"} and is_privileged_principal(context, key)


def people_dropped(subject: Subject, context: Context) -> Iterator[Hit]:
    for before, after, move in _weaker_moves(subject, context, "users"):
        severity = partial_value(before, context)
        if before.requirement.multi_factor and _loses_administrators(before, after, move.weaker, context):
            severity = Severity.CRITICAL
        names = token_names(move.weaker, context, "all users")
        reason = f"Policy {subject.name} {_no_longer(before)} {names}, no longer included in the policy."
        yield weakens(adjusted_for_state(before, severity), reason, technique(before))


def _loses_administrators(before: Policy, after: Policy, lost: Tokens, context: Context) -> bool:
    if any(_is_privileged(token, context) for token in lost):
        return True
    if ALL not in lost or policy_value(before, context) is not Severity.CRITICAL:
        return False
    direct = {f"role:{key}" for key, role in reference.ROLES.items() if role.direct}
    return not direct <= after.reach["users"]


def applications_dropped(subject: Subject, context: Context) -> Iterator[Hit]:
    for before, after, move in _weaker_moves(subject, context, "applications", "excluded applications"):
        severity = partial_value(before, context)
        if ALL in move.weaker and policy_value(after, context) < policy_value(before, context):
            severity = max(severity, policy_value(before, context))
        names = token_names(move.weaker, context, "all applications as before")
        verb = "excluded from" if move.dimension.mode is Mode.EXCLUSION else "removed from"
        reason = f"{loss(before, context)} in {names}: {verb} policy {subject.name}."
        yield weakens(adjusted_for_state(before, severity), reason, technique(before))


def workloads_dropped(subject: Subject, context: Context) -> Iterator[Hit]:
    for before, _, move in _weaker_moves(subject, context, "workloads", "excluded workloads"):
        names = token_names(move.weaker, context)
        reason = f"Policy {subject.name} no longer applies to the service principals {names}."
        yield weakens(adjusted_for_state(before, partial_value(before, context)), reason)


def locations_dropped(subject: Subject, context: Context) -> Iterator[Hit]:
    for before, after, move in _weaker_moves(subject, context, "locations", "excluded locations"):
        if move.dimension.mode is Mode.EXCLUSION:
            where = f"at sign-ins from {token_names(move.weaker, context)}"
        else:
            where = f"outside {token_names(after.reach[move.dimension.name], context)}"
        reason = f"{loss(before, context)} {where}: the locations of policy {subject.name} were narrowed."
        yield weakens(adjusted_for_state(before, partial_value(before, context)), reason, technique(before))


def conditions_narrowed(subject: Subject, context: Context) -> Iterator[Hit]:
    names = ("platforms", "excluded platforms", "client apps", *RARE_CONDITIONS)
    for before, after, move in _weaker_moves(subject, context, *names):
        severity = partial_value(before, context)
        if move.dimension.name in RARE_CONDITIONS and ALL in move.weaker:
            severity = max(severity, policy_value(before, context))
        label = move.dimension.label
        if move.dimension.mode is Mode.EXCLUSION:
            what = f"the {label} {listed(move.weaker)} were excluded"
        else:
            what = f"it now applies only to the {label} {listed(after.reach[move.dimension.name])}"
        reason = f"{loss(before, context)} in every case: policy {subject.name} was narrowed, {what}."
        yield weakens(adjusted_for_state(before, severity), reason, technique(before))


def filter_changed(subject: Subject, context: Context) -> Iterator[Hit]:
    if subject.kind != "updated":
        return
    before, after = pair(subject, context)
    for name, old in before.filters.items():
        new = after.filters[name]
        if old == new:
            continue
        if not old[1]:
            reason = (
                f"Policy {subject.name} applies to fewer sign-ins: a {name} ({new[0]}) was added: {new[1]}."
            )
            yield weakens(
                adjusted_for_state(before, partial_value(before, context)), reason, technique(before)
            )
        elif not new[1]:
            yield strengthens(f"Policy {subject.name} applies to more sign-ins: its {name} was removed.")
        else:
            reason = (
                f"The {name} of policy {subject.name} changed from {old[1]} to {new[1]}: "
                "check who is no longer covered."
            )
            yield neutral(adjusted_for_state(before, Severity.MEDIUM), reason)


SENTINEL = "Sentinel: Conditional Access - A Conditional Access"
ELASTIC = "Elastic: Entra ID Conditional Access Policy (CAP) Modified"
SIGMA_UPDATE = "Sigma: CA Policy Updated by Non Approved Actor"

RULES = (
    Rule(
        "ca-people-excluded",
        "Users, groups, roles or guests were excluded from a policy",
        POLICY,
        "T1556.009",
        people_excluded,
        (f"{SENTINEL} user/group/role exclusion has changed",),
    ),
    Rule(
        "ca-people-dropped",
        "Users, groups, roles or guests are no longer included in a policy",
        POLICY,
        "T1556.009",
        people_dropped,
        (SIGMA_UPDATE, ELASTIC),
    ),
    Rule(
        "ca-applications-dropped",
        "Applications or actions are no longer covered by a policy",
        POLICY,
        "T1556.009",
        applications_dropped,
        (f"{SENTINEL} app exclusion has changed",),
    ),
    Rule(
        "ca-workloads-dropped",
        "Service principals are no longer covered by a policy",
        POLICY,
        "T1556.009",
        workloads_dropped,
        (ELASTIC,),
    ),
    Rule(
        "ca-locations-dropped",
        "Locations are no longer covered by a policy",
        POLICY,
        "T1556.009",
        locations_dropped,
        (SIGMA_UPDATE, ELASTIC),
    ),
    Rule(
        "ca-conditions-narrowed",
        "A policy applies to fewer platforms, clients, risks or flows",
        POLICY,
        "T1556.009",
        conditions_narrowed,
        (f"{SENTINEL} Device platforms condition has changed", "CISA ScubaGear: MS.AAD.1.1"),
    ),
    Rule(
        "ca-filter-changed",
        "A policy's device, application or workload filter changed",
        POLICY,
        "T1556.009",
        filter_changed,
        (SIGMA_UPDATE, ELASTIC),
    ),
)
