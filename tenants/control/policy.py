"""The approval policy: which changes weaken it, proposals to weaken it, and for whom an earlier, stricter
policy still applies.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from tenants.control import record
from tenants.control.graph import Act, ControlScope, Kind, Log
from tenants.errors import DomainError
from tenants.models import Tenant, User

STRICTER: Mapping[str, Any] = {
    "required_approvals": max,
    "required_approvals_critical": max,
    "plan_lifetime_hours": min,
}
"""The fields of the approval policy; each with the function that picks the stricter of two values."""
PROPOSAL_LIFE = timedelta(days=7)
"""How long a proposal to weaken the policy can be confirmed."""

Changed = Mapping[str, list[int]]
"""Field → old and new value."""


class Replaced(DomainError):
    """A proposal that is no longer current."""


@dataclass(frozen=True)
class Lowering:
    """A weakened policy that is in force, and everyone who took part in weakening it."""

    field: str
    before: int
    makers: frozenset[int]


def weakens(field: str, old: int, new: int) -> bool:
    return field in STRICTER and old != new and STRICTER[field](old, new) == old


def in_force(log: Log, control_scope: ControlScope, now: datetime) -> list[Lowering]:
    """Weakened settings of this tenant that have not been strengthened since."""
    found: list[Lowering] = []
    for _, changed, makers in sorted(_effects(log, control_scope, now), key=lambda effect: effect[0]):
        for field, (old, new) in changed.items():
            if not weakens(field, old, new):
                found = [each for each in found if each.field != field or weakens(field, each.before, new)]
            elif makers:
                found.append(Lowering(field, old, makers))
    return found


def holding_for(tenant: Tenant, lowerings: Iterable[Lowering], people: frozenset[int]) -> dict[str, int]:
    """The policy for a rollback in which these people take part. A weakened policy does not apply to those
    who weakened it.
    """
    policy = {field: getattr(tenant, field) for field in STRICTER}
    for lowering in lowerings:
        if lowering.makers & people:
            policy[lowering.field] = STRICTER[lowering.field](policy[lowering.field], lowering.before)
    return policy


def for_people(tenant: Tenant, users: Iterable[User]) -> dict[str, int]:
    """The policy for a rollback that these people request or plan now."""
    log, control_scope, now = record.load(), record.control_scope_of(tenant), timezone.now()
    people = (log.controllers(user.pk, control_scope, since=now, now=now) for user in users)
    return holding_for(tenant, in_force(log, control_scope, now), frozenset().union(*people))


def is_replaced(act: Act, log: Log) -> bool:
    """Whether the policy was changed, or another change proposed, since this one was proposed."""
    return any(
        later.number > act.number
        and later.kind in (Kind.LOWER, Kind.POLICY)
        and later.control_scope == act.control_scope
        for later in log.acts
    )


def is_lapsed(proposed_at: datetime, now: datetime) -> bool:
    return proposed_at + PROPOSAL_LIFE <= now


def require_current(act: Act, log: Log, now: datetime) -> None:
    """Raises Replaced."""
    if is_replaced(act, log):
        raise Replaced("The policy was changed since this was proposed.", remedy="Propose the change again.")
    if is_lapsed(act.at, now):
        raise Replaced(
            f"This was proposed more than {PROPOSAL_LIFE.days} days ago.", remedy="Propose the change again."
        )


def apply(tenant: Tenant, changed: Changed) -> None:
    current = Tenant.objects.select_for_update().get(pk=tenant.pk)
    for field, (_, new) in changed.items():
        setattr(current, field, new)
    current.full_clean()
    current.save(update_fields=list(changed))


def _effects(
    log: Log, control_scope: ControlScope, now: datetime
) -> Iterator[tuple[int, Changed, frozenset[int]]]:
    """Each change that took effect: when, what, and who took part if it needed two people."""
    for act in log.acts:
        if act.control_scope != control_scope:
            continue
        if act.kind == Kind.POLICY:
            yield act.number, act.detail["policy"], frozenset()
        elif act.kind == Kind.LOWER and act.confirmation is not None and act.actor is not None:
            makers = log.controllers(act.actor, control_scope, since=act.at, now=now)
            confirmer = {act.confirmed_by} if act.confirmed_by is not None else set()
            yield act.confirmation, act.detail["policy"], makers | confirmer
