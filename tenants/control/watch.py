"""Recording what an act means for the control over accounts: measured before and after it, in its transaction."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from django.utils import timezone

from tenants.access.actors import Actor
from tenants.control import record, standing
from tenants.control.graph import EVERYWHERE, Kind, Place
from tenants.models import Customer, Tenant, User
from tenants.trust import ledger

COOLING_OFF = timedelta(hours=72)
"""How long an act of control waits, announced to all approvers and auditors, where no second administrator exists."""


class Watch:
    """Made before an act upon other people's accounts, asked to record after it.

    What the operator does is in the ledger as the operator's, and is no control by a person.
    """

    def __init__(self, actor: Actor, users: Iterable[User], place: Place = EVERYWHERE) -> None:
        self._actor = actor
        self._place = place
        self._before: dict[User, standing.Standing] = {}
        if actor.user is None:
            return
        log, now = record.load(), timezone.now()
        self._before = {user: standing.of(user) for user in users if user.pk != actor.user.pk}
        self._promoted = log.promoted(now)
        self._has_second = bool(standing.seconds(log, actor.user.pk, place, now))

    def record(
        self,
        action: str,
        target: str,
        kinds: Sequence[Kind] = (),
        *,
        tenant: Tenant | None = None,
        customer: Customer | None = None,
        act: Mapping[str, Any] | None = None,
        **detail: Any,
    ) -> None:
        """Writes the ledger entry, and with it an act of each kind upon each of the others (`act`: its detail), and
        the loss of an administrator's rights.
        """
        if kinds and self._before:
            detail[record.LEDGER_KEY] = [user.pk for user in self._before]
        entry = ledger.record(self._actor, action, target, tenant=tenant, customer=customer, **detail)
        for user, before in self._before.items():
            after = standing.of(user)
            for kind in kinds:
                record.append(
                    kind,
                    entry,
                    subject=user.pk,
                    place=self._place,
                    promotes=not before and bool(after),
                    cools_off_at=None if self._has_second else entry.at + COOLING_OFF,
                    **(act or {}),
                )
            if standing.lost(before, after) and user.pk not in self._promoted:
                record.append(
                    Kind.REMOVE,
                    entry,
                    subject=user.pk,
                    place=self._place,
                    administered=standing.to_json(before),
                )
