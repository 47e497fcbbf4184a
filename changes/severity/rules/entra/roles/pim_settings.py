"""Rules on PIM settings: requirements for activating or assigning a role, and notifications."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from changes.severity.declared_settings import (
    Members,
    Setting,
    Watched,
    ladder,
    on_protects,
    shorter_protects,
    watching,
)
from changes.severity.model import (
    Check,
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
from changes.severity.readers import is_true, listed, rows, text, word, words
from changes.severity.reference import Role
from changes.severity.surroundings import SIDES, principal, role_of
from snapshots.catalog.spec import Document

RULE = ("unifiedRoleManagementPolicyRule",)
PERSONS = ("userId", "groupId", "id", "servicePrincipalId")
TECHNIQUE = "T1098.003"
SOURCES = ("Sigma: Changes To PIM Settings", "Sentinel: Changes to PIM Settings")

DEMANDS = {
    "multifactorauthentication": ("MFA", Severity.HIGH),
    "justification": ("a justification", Severity.MEDIUM),
    "ticketing": ("a ticket number", Severity.LOW),
}
APPROVAL_SETTINGS: tuple[Watched, ...] = (
    Setting(
        "setting/isApprovalRequired",
        "approval by someone else",
        on_protects(),
        Severity.HIGH,
        "Eligible users can activate the role without approval",
    ),
    Setting(
        "setting/isApprovalRequiredForExtension",
        "approval of extensions",
        on_protects(),
        Severity.MEDIUM,
        "A role can be extended without approval",
    ),
    Setting(
        "setting/isRequestorJustificationRequired",
        "the requestor's justification",
        on_protects(),
        Severity.LOW,
    ),
)
EXPIRATION_SETTINGS: tuple[Watched, ...] = (
    Setting(
        "isExpirationRequired",
        "an end date for assignments",
        on_protects(),
        Severity.HIGH,
        "The role can be assigned permanently",
    ),
    Setting(
        "maximumDuration",
        "the maximum duration of assignments",
        shorter_protects(),
        Severity.MEDIUM,
        "A stolen session keeps the role for longer",
    ),
)
CONTEXT_SETTINGS: tuple[Watched, ...] = (
    Setting(
        "isEnabled",
        "the required authentication context",
        on_protects(),
        Severity.HIGH,
        "The Conditional Access policies of the context no longer protect the role",
        "T1556.009",
    ),
)
NOTICE_SETTINGS: tuple[Watched, ...] = (
    Setting(
        "isDefaultRecipientsEnabled",
        "notifications to administrators and approvers",
        on_protects(),
        Severity.MEDIUM,
        "They are no longer notified when the role is assigned or activated",
    ),
    Setting("notificationLevel", "the notification level", ladder("none", "critical", "all"), Severity.LOW),
    Members(
        "notificationRecipients",
        "the recipients of notifications",
        Severity.MEDIUM,
        gain_weakens=False,
        effect="They are no longer notified when the role is assigned or activated",
    ),
)


def _role(subject: Subject, context: Context) -> Role | None:
    """The role of the rule: named in the document, or by the assignment of its policy."""
    named = text(subject.document, "roleDefinitionId")
    if named:
        return role_of(context, named)
    policy = subject.resource_id.casefold()
    for side in SIDES:
        for document in context.all(side, "unifiedRoleManagementPolicyAssignment").values():
            policy_id = word(document, "policyId")
            if policy_id and policy.startswith(policy_id):
                return role_of(context, text(document, "roleDefinitionId"))
    return None


def _adjusted(hits: Iterable[Hit], subject: Subject, context: Context) -> Iterator[Hit]:
    """A loosened rule for a role known to be weak is one level lower."""
    role = _role(subject, context)
    for hit in hits:
        if role is None or hit.direction is not Direction.WEAKENS:
            yield hit
            continue
        severity = hit.severity if role.severity >= Severity.HIGH else hit.severity.lowered()
        yield replace(hit, severity=severity, reason=f"{hit.reason} The role is {role.name}.")


def activation_eased(subject: Subject, context: Context) -> Iterator[Hit]:
    if subject.kind == "updated":
        yield from _adjusted(_demands(subject, context), subject, context)


def _demands(subject: Subject, context: Context) -> Iterator[Hit]:
    before, after = words(subject.before, "enabledRules"), words(subject.after, "enabledRules")
    for name, (label, severity) in DEMANDS.items():
        if name in before - after:
            if severity is Severity.HIGH and _context_instead(subject, context):
                yield neutral(
                    Severity.LOW,
                    f"{subject.name}: an authentication context protects the role instead of {label}.",
                )
            else:
                yield weakens(
                    severity,
                    f"{subject.name}: {label} is no longer required.",
                    "T1556.006" if severity is Severity.HIGH else None,
                )
        elif name in after - before:
            yield strengthens(f"{subject.name}: {label} is now required.")


def _context_instead(subject: Subject, context: Context) -> bool:
    """Microsoft allows only one of the two: an authentication context replaces MFA."""
    sibling = re.sub("enablement_", "authenticationcontext_", subject.resource_id.casefold())
    document = context.get("after", RULE[0], sibling)
    return is_true(document, "isEnabled") and bool(text(document, "claimValue"))


def guarding(settings: tuple[Watched, ...]) -> Check:
    """The check of a table of settings, weighted by the role that they protect."""
    check = watching(settings)

    def adjusted(subject: Subject, context: Context) -> Iterator[Hit]:
        yield from _adjusted(check(subject, context), subject, context)

    return adjusted


def _approvers(document: Document | None) -> frozenset[str]:
    return frozenset(
        word(dict(person), key)
        for stage in rows(document, "setting", "approvalStages")
        for role in ("primaryApprovers", "escalationApprovers")
        for person in rows(dict(stage), role)
        for key in PERSONS
        if word(dict(person), key)
    )


def approvers_changed(subject: Subject, context: Context) -> Iterator[Hit]:
    if subject.kind != "updated":
        return
    before, after = _approvers(subject.before), _approvers(subject.after)
    gained, lost = after - before, before - after
    if gained:
        names = listed(principal(context, key).name for key in gained)
        make = weakens if before else neutral
        yield make(Severity.MEDIUM, f"{subject.name}: {names} may now approve activations of the role.")
    elif lost and after:
        names = listed(principal(context, key).name for key in lost)
        yield strengthens(f"{subject.name}: {names} may no longer approve activations of the role.")
    elif lost:
        reason = f"{subject.name}: no approver is named; any privileged administrator may approve."
        yield weakens(Severity.MEDIUM, reason)


def context_replaced(subject: Subject, context: Context) -> Iterator[Hit]:  # noqa: ARG001
    before, after = text(subject.before, "claimValue"), text(subject.after, "claimValue")
    if subject.kind == "updated" and before and after and before.casefold() != after.casefold():
        reason = f"{subject.name}: the authentication context {after} protects the role instead of {before}."
        yield neutral(Severity.MEDIUM, reason)


RULES = (
    Rule(
        "pim-activation-eased",
        "Requirements for activating or assigning a role changed",
        RULE,
        TECHNIQUE,
        activation_eased,
        ("Sigma: Roles Activation Doesn't Require MFA", *SOURCES),
    ),
    Rule(
        "pim-approval",
        "Approval of role activation changed",
        RULE,
        TECHNIQUE,
        guarding(APPROVAL_SETTINGS),
        SOURCES,
    ),
    Rule(
        "pim-approvers",
        "Approvers of role activation changed",
        RULE,
        TECHNIQUE,
        approvers_changed,
        SOURCES,
    ),
    Rule(
        "pim-expiration",
        "The maximum duration of a role changed",
        RULE,
        TECHNIQUE,
        guarding(EXPIRATION_SETTINGS),
        ("Elastic: Entra ID Privileged Identity Management (PIM) Role Modified", *SOURCES),
    ),
    Rule(
        "pim-context",
        "An authentication context for a role was added or removed",
        RULE,
        "T1556.009",
        guarding(CONTEXT_SETTINGS),
        SOURCES,
    ),
    Rule(
        "pim-context-replaced",
        "The authentication context of a role changed",
        RULE,
        "T1556.009",
        context_replaced,
    ),
    Rule(
        "pim-notices",
        "Notifications about a role changed",
        RULE,
        "T1685",
        guarding(NOTICE_SETTINGS),
        ("Sigma: PIM Alert Setting Changes To Disabled",),
    ),
)
