"""Decides which signatures on a plan currently count, and how many are needed. Used when someone signs, when
the execution is claimed, and by the worker before the first write. Reads only.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from changes.models import Change
from rollbacks import proofs
from rollbacks.guards.policy import required_approvals
from rollbacks.models import Approval, Plan
from tenants.access import permissions
from tenants.access.actors import Actor
from tenants.access.matrix import ROLES, STAFF_ROLES, Action
from tenants.accounts import user_accounts
from tenants.connections import onboarding
from tenants.control import record
from tenants.control.graph import ControlScope, Kind, Log
from tenants.control.policy import Lowering, holding_for, in_force
from tenants.errors import DomainError
from tenants.models import LedgerEntry, Tenant, User

INDEPENDENT = (
    "Independent: nobody has unconfirmed control over this account, and it has none over the requester."
)
ALTERED = "The record of who controls which account was altered. Run verify."
SAME_ACCOUNT_ASKED = (
    "The rollback was requested from the same operating-system account ({account}) on the command line."
)
SAME_ACCOUNT_SIGNED = (
    "Another approval was given from the same operating-system account ({account}) on the command line."
)
ELSEWHERE = "Sign in, and approve on the rollback's page or through the API."
WAITING: dict[Kind, str] = {
    kind: f"An administrator {did}, and no second administrator has confirmed this yet."
    for kind, did in {
        Kind.CREATE: "created this account",
        Kind.PASSWORD: "set this account's password",
        Kind.ACTIVATE: "re-activated this account",
        Kind.EMAIL: "changed this account's email address",
        Kind.ROLE: "bound a role to this account",
        Kind.GROUP: "added this account to a group",
        Kind.TOKEN: "issued an API token in this account's name",
    }.items()
}
"""Why a signature does not count while such an act upon the signer's account waits."""


class NotApproved(DomainError):
    """Fewer signatures than the tenant's policy asks for."""


@dataclass(frozen=True)
class Signature:
    """One approval or rejection, and whether it counts towards the quorum at this moment."""

    approval: Approval
    counts: bool
    reason: str
    """Why it counts, or why it does not."""


@dataclass(frozen=True)
class Tally:
    """The signatures under a plan, and how many of them have to count, at one moment."""

    signatures: Sequence[Signature]
    """In the order of signing, each with its verdict."""
    needed: int
    """What the plan was made with, or what the tenant's policy asks for by now, whichever is more."""

    @property
    def valid(self) -> list[Approval]:
        """The signatures that count."""
        return [signature.approval for signature in self.signatures if signature.counts]

    @property
    def is_enough(self) -> bool:
        return len(self.valid) >= self.needed


def tally(plan: Plan) -> Tally:
    """Judges every signature under this plan.

    A signature counts if it is under this very plan, known to the ledger, and by an independent person who is active
    and may approve on this tenant at this moment; at most one of them by the customer's portal, and one from each
    operating-system account.
    """
    case = _case(plan)
    return Tally(_judged(case), case.needed)


def require_signatures(plan: Plan) -> None:
    """Raises NotApproved where, at this moment, fewer signatures count than are needed."""
    found = tally(plan)
    if not found.is_enough:
        raise NotApproved(
            f"Rollback {plan.rollback_id} has {len(found.valid)} of {found.needed} approvals by people who may "
            "approve it now."
        )


def dependence(approver: User, plan: Plan, os_account: str | None) -> str | None:
    """Why a signature that this person gives now would not be independent; None if it would be.

    `os_account` is the operating-system account that signs on the command line.
    """
    case = _case(plan)
    if reason := _dependence(case, approver, timezone.now()):
        return reason
    used = {case.signed_from.get(each.approval.pk) for each in _judged(case) if each.counts}
    shared = _shared_account(case, os_account, used)
    return f"{shared} {ELSEWHERE}" if shared else None


@dataclass(frozen=True)
class _Case:
    """What a plan's signatures are judged against, as things stand."""

    plan: Plan
    control_scope: ControlScope
    log: Log
    lowerings: Sequence[Lowering]
    planners: frozenset[int]
    behind: frozenset[int]
    """The requester, the planners, and everybody who was in control of one of them since the request."""
    severities: Sequence[str]
    now: datetime
    accounts_count: bool
    """Whether it matters from which operating-system account a command was typed: not for an emulator on loopback."""
    requested_from: frozenset[str]
    signed_from: Mapping[int, str]
    """By the signature's key, of those given on the command line."""

    @property
    def needed(self) -> int:
        return max(self.plan.required_approvals, self.needed_with(self.behind))

    def needed_with(self, people: frozenset[int]) -> int:
        policy = holding_for(self.plan.rollback.tenant, self.lowerings, people)
        return required_approvals(policy, self.severities)


def _case(plan: Plan) -> _Case:
    rollback, log, now = plan.rollback, record.load(), timezone.now()
    control_scope = record.control_scope_of(rollback.tenant)
    planners = frozenset(_planners(plan))
    severities = Change.objects.filter(steps__plan=plan).values_list("severity", flat=True)
    return _Case(
        plan=plan,
        control_scope=control_scope,
        log=log,
        lowerings=in_force(log, control_scope, now),
        planners=planners,
        behind=frozenset().union(
            *(
                log.controllers(user, control_scope, since=rollback.created_at, now=now)
                for user in {rollback.requester_id, *planners}
            )
        ),
        severities=[*severities, plan.dry_run.get("severity", "")],
        now=now,
        accounts_count=not onboarding.is_on_loopback(rollback.tenant),
        requested_from=proofs.accounts_that_asked(plan),
        signed_from=proofs.accounts_that_signed(plan),
    )


def _judged(case: _Case) -> list[Signature]:
    plan = case.plan
    known = _known_to_the_ledger(plan)
    portal_has_signed = False
    used: set[str] = set()
    signatures = []
    for approval in plan.approvals.select_related("approver"):
        reason = _flaw(approval, case, known)
        is_portal = not _is_staff_here(approval.approver, plan.rollback.tenant)
        if reason is None and is_portal and portal_has_signed:
            reason = "Only one approval from the customer's portal counts."
        account = case.signed_from.get(approval.pk)
        reason = reason or _shared_account(case, account, used)
        counts = reason is None
        if counts and account is not None:
            used.add(account)
        portal_has_signed |= counts and is_portal
        signatures.append(Signature(approval, counts, reason or INDEPENDENT))
    return signatures


def _dependence(case: _Case, approver: User, signed_at: datetime) -> str | None:
    if not case.log.intact:
        return ALTERED
    if approver.pk in case.planners:
        return "You planned this rollback, so someone else must approve it."
    for act in case.log.holding_upon(approver.pk, case.control_scope, since=signed_at, now=case.now):
        return WAITING[act.kind]
    if approver.pk in case.behind:
        return "This person has unconfirmed control over the account that requested or planned the rollback."
    if case.needed_with(frozenset({approver.pk})) > case.needed:
        return "This person took part in lowering the number of approvals that the rollback needs."
    return None


def _shared_account(case: _Case, account: str | None, used: Collection[str | None]) -> str | None:
    """Why a signature from this operating-system account does not count; `used` are those of signatures that do."""
    if account is None or not case.accounts_count:
        return None
    if account in case.requested_from:
        return SAME_ACCOUNT_ASKED.format(account=account)
    return SAME_ACCOUNT_SIGNED.format(account=account) if account in used else None


def _flaw(approval: Approval, case: _Case, known: set[int | None]) -> str | None:
    """Why this signature does not count; None if it may."""
    plan = case.plan
    if approval.verdict != Approval.Verdict.APPROVED:
        return "Rejected the plan."
    if approval.plan_digest != plan.digest or approval.approver_id not in known:
        return "The ledger does not contain this signature."
    if approval.approver_id == plan.rollback.requester_id:
        return "Requested the rollback."
    if not _may_approve(approval.approver_id, plan.rollback.tenant):
        return "No longer has permission to approve on this tenant."
    return _dependence(case, approval.approver, approval.at)


def _planners(plan: Plan) -> Iterator[int]:
    """The users who planned this revision."""
    entries = LedgerEntry.objects.filter(
        tenant_id=plan.rollback.tenant_id, action__in=("rollback:plan", "rollback:replan")
    )
    for entry in entries:
        if entry.detail.get("digest") == plan.digest and entry.actor_id is not None:
            yield entry.actor_id


def _known_to_the_ledger(plan: Plan) -> set[int | None]:
    """Who signed this plan according to the ledger: a row slipped into the table of approvals is no signature."""
    return proofs.signers(plan)


def _may_approve(user_id: int, tenant: Tenant) -> bool:
    """Reads the database instead of the user cached in the request."""
    user = User.objects.get(pk=user_id)
    return permissions.can(Actor.person(user, "check"), Action.APPROVE_ROLLBACK, tenant)


def _is_staff_here(user: User, tenant: Tenant) -> bool:
    """Whether the right to approve on this tenant comes with a role of the MSP's own people, not with the portal's."""
    approving = [role.value for role in STAFF_ROLES if Action.APPROVE_ROLLBACK in ROLES[role]]
    bound = user_accounts.bindings_over(user, tenant).filter(role__in=approving)
    return user.is_superuser or bound.exists()
