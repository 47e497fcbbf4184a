"""Rules on whether a Conditional Access policy is enforced, and on what it requires."""

from collections.abc import Iterator

from changes.severity.conditional_access.policies import ALL, Policy, moves
from changes.severity.conditional_access.policy_value import (
    adjusted_for_state,
    aims_at_administrators,
    pair,
    partial_value,
    policy_value,
    still_covered,
    technique,
)
from changes.severity.conditional_access.session import LABELS
from changes.severity.conditional_access.wording import audience, loss
from changes.severity.model import Context, Hit, Rule, Severity, Subject, neutral, strengthens, weakens
from changes.severity.readers import listed

POLICY = ("conditionalAccessPolicy",)
LOCKOUT_TECHNIQUE = "T1531"


def _whole_value(policy: Policy, subject: Subject, context: Context) -> tuple[Severity, str]:
    severity = policy_value(policy, context)
    cover = still_covered(policy, subject.resource_id, context)
    if not cover:
        return severity, ""
    guards_admins = ALL in policy.reach["users"] or aims_at_administrators(policy, context)
    floor = Severity.HIGH if policy.requirement.multi_factor and guards_admins else Severity.LOW
    note = f" The enforced policy {cover} still covers the same sign-ins."
    return max(floor, severity.lowered()), note


def _switched_off(state: str, phrase: str, subject: Subject, context: Context) -> Iterator[Hit]:
    before, after = pair(subject, context)
    if subject.kind == "updated" and before.enforced and after.state == state:
        severity, note = _whole_value(before, subject, context)
        reason = (
            f"{loss(before, context)}: policy {subject.name} was switched from enabled to {phrase}.{note}"
        )
        yield weakens(adjusted_for_state(before, severity), reason, technique(before))


def policy_disabled(subject: Subject, context: Context) -> Iterator[Hit]:
    yield from _switched_off("disabled", "disabled", subject, context)


def policy_report_only(subject: Subject, context: Context) -> Iterator[Hit]:
    yield from _switched_off("enabledForReportingButNotEnforced", "report-only", subject, context)


def policy_deleted(subject: Subject, context: Context) -> Iterator[Hit]:
    if subject.kind != "deleted":
        return
    before, _ = pair(subject, context)
    if not before.enforced:
        yield neutral(Severity.LOW, f"Policy {subject.name} was deleted; it was not enforced.")
        return
    severity, note = _whole_value(before, subject, context)
    reason = f"{loss(before, context)}: the enforced policy {subject.name} was deleted.{note}"
    yield weakens(adjusted_for_state(before, severity), reason, technique(before))


def policy_emptied(subject: Subject, context: Context) -> Iterator[Hit]:
    before, after = pair(subject, context)
    if subject.kind == "updated" and after.empty and not before.empty:
        severity, note = _whole_value(before, subject, context)
        reason = f"{loss(before, context)}: policy {subject.name} no longer applies to anything.{note}"
        yield weakens(adjusted_for_state(before, severity), reason, technique(before))


def policy_staged(subject: Subject, context: Context) -> Iterator[Hit]:
    """Policies that are created or change state without being enforced before or after."""
    before, after = pair(subject, context)
    if subject.kind == "created" and not after.enforced:
        yield neutral(Severity.LOW, f"Policy {subject.name} was created without being enforced.")
    if subject.kind == "updated" and before.state != after.state and not (before.enforced or after.enforced):
        yield neutral(
            Severity.LOW,
            f"Policy {subject.name} changed from {before.state or 'no state'} to "
            f"{after.state or 'no state'}; it was not and is not enforced.",
        )


def policy_locks_out(subject: Subject, context: Context) -> Iterator[Hit]:
    before, after = pair(subject, context)
    if _locks_out(after) and not _locks_out(before):
        yield neutral(
            Severity.HIGH,
            f"Policy {subject.name} blocks all users from all applications without exception, including "
            "administrators.",
            LOCKOUT_TECHNIQUE,
        )


def _locks_out(policy: Policy) -> bool:
    reach = policy.reach
    unexcepted = not any(tokens for name, tokens in reach.items() if name.startswith("excluded"))
    everything = all(ALL in reach[name] for name in ("users", "applications", "client apps"))
    filtered = any(rule for _, rule in policy.filters.values())
    return (
        policy.enforced
        and policy.requirement.blocks
        and unexcepted
        and everything
        and not policy.partial
        and not filtered
    )


def grant_weakened(subject: Subject, context: Context) -> Iterator[Hit]:
    if subject.kind != "updated":
        return
    before, after = pair(subject, context)
    old, new = before.requirement, after.requirement
    if new.weaker_than(old):
        stripped = new.admits_everybody or (old.multi_factor and not (new.multi_factor or new.blocks))
        severity = policy_value(before, context) if stripped else partial_value(before, context)
        reason = (
            f"Policy {subject.name} requires less of {audience(before, context)}: "
            f"{new.describe()} instead of {old.describe()}."
        )
        yield weakens(adjusted_for_state(before, severity), reason, technique(before))
    elif old != new and not old.weaker_than(new):
        reason = (
            f"The controls of policy {subject.name} were replaced: {old.describe()} by {new.describe()}; "
            "neither is clearly stronger."
        )
        yield neutral(adjusted_for_state(before, Severity.MEDIUM), reason)


def session_weakened(subject: Subject, context: Context) -> Iterator[Hit]:
    if subject.kind != "updated":
        return
    before, after = pair(subject, context)
    weaker = [LABELS[name] for name in LABELS if after.session.get(name, 0.0) < before.session.get(name, 0.0)]
    if weaker:
        severity = Severity.HIGH if aims_at_administrators(before, context) else Severity.MEDIUM
        reason = (
            f"Policy {subject.name} restricts sessions of {audience(before, context)} less: {listed(weaker)}."
        )
        yield weakens(adjusted_for_state(before, severity), reason, "T1550.004")


def policy_tightened(subject: Subject, context: Context) -> Iterator[Hit]:
    before, after = pair(subject, context)
    if after.enforced and not before.enforced:
        how = "created and enforced" if subject.kind == "created" else "enforced"
        yield strengthens(f"Policy {subject.name} was {how}: it applies to {audience(after, context)}.")
    if subject.kind != "updated":
        return
    for move in moves(before, after):
        if move.stronger:
            yield strengthens(
                f"Policy {subject.name} applies to more sign-ins (changed: {move.dimension.name})."
            )
    if before.requirement.weaker_than(after.requirement):
        yield strengthens(f"Policy {subject.name} requires more: {after.requirement.describe()}.")
    stricter = [
        LABELS[name] for name in LABELS if after.session.get(name, 0.0) > before.session.get(name, 0.0)
    ]
    if stricter:
        yield strengthens(f"Policy {subject.name} restricts sessions more: {listed(stricter)}.")


SENTINEL = "Sentinel: Conditional Access - A Conditional Access"
ELASTIC = "Elastic: Entra ID Conditional Access Policy (CAP) Modified"
SIGMA_UPDATE = "Sigma: CA Policy Updated by Non Approved Actor"

RULES = (
    Rule(
        "ca-policy-disabled",
        "An enforced policy was disabled",
        POLICY,
        "T1556.009",
        policy_disabled,
        (f"{SENTINEL} policy was disabled", ELASTIC),
    ),
    Rule(
        "ca-policy-report-only",
        "An enforced policy was put into report-only mode",
        POLICY,
        "T1556.009",
        policy_report_only,
        (f"{SENTINEL} policy was put into report-only mode", ELASTIC),
    ),
    Rule(
        "ca-policy-deleted",
        "A policy was deleted",
        POLICY,
        "T1556.009",
        policy_deleted,
        (f"{SENTINEL} policy was deleted", "Sigma: CA Policy Removed by Non Approved Actor"),
    ),
    Rule(
        "ca-policy-emptied",
        "A policy no longer applies to anything",
        POLICY,
        "T1556.009",
        policy_emptied,
        (SIGMA_UPDATE,),
    ),
    Rule(
        "ca-policy-staged",
        "A policy was created or changed state without being enforced",
        POLICY,
        "",
        policy_staged,
        ("Sigma: New CA Policy by Non-approved Actor",),
    ),
    Rule(
        "ca-policy-locks-out",
        "A policy blocks all users from all applications",
        POLICY,
        LOCKOUT_TECHNIQUE,
        policy_locks_out,
        ("Maester MT.1005",),
    ),
    Rule(
        "ca-grant-weakened",
        "A policy requires less",
        POLICY,
        "T1556.009",
        grant_weakened,
        (SIGMA_UPDATE, ELASTIC, "CISA ScubaGear: MS.AAD.3.1"),
    ),
    Rule(
        "ca-session-weakened",
        "A policy restricts sessions less",
        POLICY,
        "T1556.009",
        session_weakened,
        (SIGMA_UPDATE, ELASTIC),
    ),
    Rule(
        "ca-policy-tightened",
        "A policy was enforced, applies to more or requires more",
        POLICY,
        "",
        policy_tightened,
        (f"{SENTINEL} policy was updated",),
    ),
)
