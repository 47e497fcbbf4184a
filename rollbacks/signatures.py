"""Which signatures under a plan count at this moment, and how many are needed. Asked when somebody signs, when the
execution is claimed, and by the worker before the first write. Reads only.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from changes.models import Change
from rollbacks.models import Approval, Plan
from rollbacks.policy import required_approvals
from tenants import access, accounts
from tenants.actions import ROLES, STAFF_ROLES, Action
from tenants.actors import Actor
from tenants.errors import DomainError
from tenants.models import LedgerEntry, Tenant, User

MADE_BY = ("user:create", "user:password", "role:bind", "api:issue")
"""Acts that give one person power over another's signature."""
INDEPENDENT = "Independent of whoever requested and planned the rollback."


class NotApproved(DomainError):
    """Fewer signatures than the tenant's policy asks for."""


@dataclass(frozen=True)
class Signature:
    """One approval or rejection, and whether it counts towards the quorum at this moment."""

    approval: Approval
    counts: bool
    reason: str
    """Why it counts, or why it does not."""


def judged(plan: Plan) -> list[Signature]:
    """Every signature under this plan in the order of signing, each with its verdict.

    A signature counts if it is under this very plan, known to the ledger, and by an independent person who is active
    and may approve on this tenant at this moment; at most one of them by the customer's portal.
    """
    known = _known_to_the_ledger(plan)
    portal_has_signed = False
    signatures = []
    for approval in plan.approvals.select_related("approver"):
        reason = _flaw(approval, plan, known)
        is_portal = not _is_staff_here(approval.approver, plan.rollback.tenant)
        if reason is None and is_portal and portal_has_signed:
            reason = "Only one approval by the customer's portal counts."
        counts = reason is None
        portal_has_signed |= counts and is_portal
        signatures.append(Signature(approval, counts, reason or INDEPENDENT))
    return signatures


def valid_approvals(plan: Plan) -> list[Approval]:
    """The signatures that count at this moment."""
    return [signature.approval for signature in judged(plan) if signature.counts]


def approvals_needed(plan: Plan) -> int:
    """What the plan was made with, or what the tenant's policy asks for by now, whichever is more."""
    severities = Change.objects.filter(steps__plan=plan).values_list("severity", flat=True)
    own = plan.dry_run.get("severity", "")
    return max(plan.required_approvals, required_approvals(plan.rollback.tenant, [*severities, own]))


def require_signatures(plan: Plan) -> None:
    """Raises NotApproved where, at this moment, fewer signatures count than are needed."""
    valid, needed = len(valid_approvals(plan)), approvals_needed(plan)
    if valid < needed:
        raise NotApproved(
            f"Rollback {plan.rollback_id} has {valid} of {needed} approvals by people who may approve it now."
        )


def dependence(approver: User, plan: Plan) -> str | None:
    """Why this person's signature is not independent of whoever asked for the rollback or planned it; None if it is."""
    planners = set(_planners(plan))
    if approver.pk in planners:
        return "You planned this rollback; somebody else has to approve it."
    makers = {plan.rollback.requester_id, *planners}
    made = LedgerEntry.objects.filter(
        action__in=MADE_BY, actor_id__in=makers, target=approver.get_username()
    ).exclude(actor_id=approver.pk)
    if made.exists():
        return (
            "Your account, password, role or token was made by whoever asked for this rollback; "
            "somebody independent of them has to approve it."
        )
    return None


def _flaw(approval: Approval, plan: Plan, known: set[int | None]) -> str | None:
    """Why this signature does not count; None if it may."""
    if approval.verdict != Approval.Verdict.APPROVED:
        return "Rejected the plan."
    if approval.plan_digest != plan.digest or approval.approver_id not in known:
        return "The ledger has no such signature under this plan."
    if approval.approver_id == plan.rollback.requester_id:
        return "Requested the rollback."
    if not _may_approve(approval.approver_id, plan.rollback.tenant):
        return "No longer holds the right to approve on this tenant."
    return dependence(approval.approver, plan)


def _planners(plan: Plan) -> Iterator[int]:
    """Whoever made this very revision."""
    entries = LedgerEntry.objects.filter(
        tenant_id=plan.rollback.tenant_id, action__in=("rollback:plan", "rollback:replan")
    )
    for entry in entries:
        if entry.detail.get("digest") == plan.digest and entry.actor_id is not None:
            yield entry.actor_id


def _known_to_the_ledger(plan: Plan) -> set[int | None]:
    """Who signed this plan according to the ledger: a row slipped into the table of approvals is no signature."""
    entries = LedgerEntry.objects.filter(tenant_id=plan.rollback.tenant_id, action="rollback:approve")
    return {entry.actor_id for entry in entries if entry.detail.get("digest") == plan.digest}


def _may_approve(user_id: int, tenant: Tenant) -> bool:
    """Asked of the database, not of whoever is cached in the request."""
    user = User.objects.get(pk=user_id)
    return access.can(Actor.person(user, "check"), Action.APPROVE_ROLLBACK, tenant)


def _is_staff_here(user: User, tenant: Tenant) -> bool:
    """Whether the right to approve on this tenant comes with a role of the MSP's own people, not with the portal's."""
    approving = [role.value for role in STAFF_ROLES if Action.APPROVE_ROLLBACK in ROLES[role]]
    bound = accounts.bindings_over(user, tenant).filter(role__in=approving)
    return user.is_superuser or bound.exists()
