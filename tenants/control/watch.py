"""Records how an action changes control over accounts, measured before and after it in the same transaction."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from django.utils import timezone

from tenants.access.actors import Actor
from tenants.control import record, standing
from tenants.control.graph import EVERYWHERE, ControlScope, Kind
from tenants.models import Customer, Tenant, User
from tenants.trust import ledger

COOLING_OFF = timedelta(hours=72)
"""How long a control action is on hold if there is no second administrator. Approvers and auditors see a
notice.
"""


class Watch:
    """Create it before an action on other people's accounts, and call `record` after it. Actions of the
    operator are recorded in the ledger and do not count as control by a person.
    """

    def __init__(self, actor: Actor, users: Iterable[User], control_scope: ControlScope = EVERYWHERE) -> None:
        self._actor = actor
        self._place = control_scope
        self._before: dict[User, standing.Standing] = {}
        if actor.user is None:
            return
        log, now = record.load(), timezone.now()
        self._before = {user: standing.of(user) for user in users if user.pk != actor.user.pk}
        self._promoted = log.promoted(now)
        self._has_second = bool(standing.seconds(log, actor.user.pk, control_scope, now))

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
        """Writes the ledger entry, one control action for each kind and affected account (`act`: its detail),
        and the loss of administrator rights.
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
                    control_scope=self._place,
                    promotes=not before and bool(after),
                    cools_off_at=None if self._has_second else entry.at + COOLING_OFF,
                    **(act or {}),
                )
            if standing.lost(before, after) and user.pk not in self._promoted:
                record.append(
                    Kind.REMOVE,
                    entry,
                    subject=user.pk,
                    control_scope=self._place,
                    administered=standing.to_json(before),
                )
