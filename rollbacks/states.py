"""The states of a rollback and their only writer: each transition is one conditional UPDATE."""

from collections.abc import Mapping

from django.utils import timezone

from rollbacks.models import Rollback
from tenants.errors import DomainError

State = Rollback.State

TRANSITIONS: Mapping[str, frozenset[str]] = {
    State.DRAFT: frozenset({State.DRAFT, State.AWAITING_APPROVAL, State.CANCELLED, State.EXPIRED}),
    State.AWAITING_APPROVAL: frozenset(
        {
            State.DRAFT,
            State.AWAITING_APPROVAL,
            State.APPROVED,
            State.REJECTED,
            State.EXPIRED,
            State.CANCELLED,
        }
    ),
    State.APPROVED: frozenset(
        {
            State.DRAFT,
            State.AWAITING_APPROVAL,
            State.EXECUTING,
            State.REJECTED,
            State.EXPIRED,
            State.CANCELLED,
        }
    ),
    State.EXECUTING: frozenset({State.VERIFIED, State.PARTLY, State.DIFFERS, State.STALE, State.FAILED}),
    State.STALE: frozenset({State.DRAFT, State.AWAITING_APPROVAL}),
    State.FAILED: frozenset({State.DRAFT, State.AWAITING_APPROVAL, State.EXECUTING}),
    State.PARTLY: frozenset({State.DRAFT, State.AWAITING_APPROVAL, State.EXECUTING}),
    State.DIFFERS: frozenset({State.DRAFT, State.AWAITING_APPROVAL}),
    State.EXPIRED: frozenset({State.DRAFT, State.AWAITING_APPROVAL}),
    State.VERIFIED: frozenset(),
    State.REJECTED: frozenset(),
    State.CANCELLED: frozenset(),
}

OPEN = frozenset({State.DRAFT, State.AWAITING_APPROVAL, State.APPROVED})
"""Nothing has been written yet."""
CLOSED: frozenset[State] = frozenset(
    state for state in State if state not in OPEN and state != State.EXECUTING
)
RESUMABLE = frozenset({State.FAILED, State.PARTLY})
"""The execution ended before all of its plan was done, and nothing says that the tenant moved meanwhile."""
REPLANNABLE = frozenset(state for state in State if State.AWAITING_APPROVAL in TRANSITIONS[state])


class MovedOn(DomainError):
    """The rollback is not in the required state, or someone else was faster."""


def move(
    rollback: Rollback, to: State, *, needs: frozenset[State] | None = None, plan_id: int | None = None
) -> None:
    """Moves to a state, if the table and the database allow it at this very moment. Raises MovedOn.

    `needs` narrows the states to come from; `plan_id` must still be the current plan where it is given.
    """
    sources = {state for state, onwards in TRANSITIONS.items() if to in onwards}
    if needs is not None:
        sources &= needs
    row = Rollback.objects.filter(pk=rollback.pk, state__in=sources)
    if plan_id is not None:
        row = row.filter(plan_id=plan_id)
    closed_at = timezone.now() if to in CLOSED else None
    if not row.update(state=to, closed_at=closed_at):
        now = Rollback.objects.get(pk=rollback.pk)
        raise MovedOn(
            f"Rollback {rollback.pk} is {now.get_state_display()}, so it cannot become {to.label} now."
        )
    rollback.refresh_from_db()
