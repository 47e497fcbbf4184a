"""Signing in and out, as the ledger has it.

Each success is an entry. Anybody can cause failures, so their entries are bounded: in each hour the first MOST_SINGLE
wrong passwords and the first MOST_SINGLE lockouts get entries of their own, and one sum follows when the hour is over
(docs/decisions/0022). An entry never holds what was typed, unless it is the user name of an account.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from tenants.access.actors import Actor
from tenants.locks import one_at_a_time
from tenants.models import FailedSignIns, User
from tenants.trust import ledger

LOCK_KEY = 0x516E
HOUR = timedelta(hours=1)
MOST_SINGLE = 10
MOST_ROWS = 500
"""Of counters in an hour; further names and addresses share one that has neither."""
MOST_LISTED = 10
"""Of accounts and of addresses in a sum."""
UNKNOWN = "an unknown name"
SIGN_IN = Actor(label="system:sign-in", via="page")


@transaction.atomic
def signed_in(user: User, address: str, *, is_known_device: bool) -> None:
    ledger.record(
        Actor.person(user, "page"),
        "session:sign-in",
        user.get_username(),
        address=address,
        known_device=is_known_device,
    )


@transaction.atomic
def signed_out(user: User, address: str) -> None:
    ledger.record(Actor.person(user, "page"), "session:sign-out", user.get_username(), address=address)


@transaction.atomic
def failed(name: str, address: str, *, is_account: bool, was_wrong: bool, is_locked_out: bool) -> None:
    """Counts an attempt, and records it if it is one of the hour's first.

    `was_wrong`: the password was looked at. `is_locked_out`: before this attempt, or by it. The same is done for names
    that exist and names that do not, so that the time it takes does not tell them apart.
    """
    one_at_a_time(LOCK_KEY)
    now = timezone.now()
    sum_up(now)
    row = _counter(_hour_of(now), name, address, is_account=is_account)
    is_new_lockout = is_locked_out and not row.is_locked_out
    row.failures += was_wrong
    row.refusals += not was_wrong
    row.is_locked_out |= is_locked_out
    row.save()
    total = _total(FailedSignIns.objects.filter(hour=row.hour))
    target = name if is_account else UNKNOWN
    if was_wrong and total.failures <= MOST_SINGLE:
        ledger.record(SIGN_IN, "session:failed", target, address=address)
    if is_new_lockout and total.lockouts <= MOST_SINGLE:
        ledger.record(SIGN_IN, "session:locked-out", target, address=address)


@transaction.atomic
def sum_up(now: datetime | None = None) -> None:
    """Records the sum of each hour that is over and has more than its entries say. The worker calls it every minute."""
    one_at_a_time(LOCK_KEY)
    over = FailedSignIns.objects.filter(hour__lt=_hour_of(now or timezone.now()))
    for hour in over.order_by("hour").values_list("hour", flat=True).distinct():
        rows = list(over.filter(hour=hour))
        if not _total(rows).is_recorded:
            _record_sum(hour, rows)
    over.delete()


@dataclass(frozen=True)
class _Total:
    failures: int
    refusals: int
    lockouts: int

    @property
    def is_recorded(self) -> bool:
        """Whether every attempt has an entry of its own."""
        return self.failures <= MOST_SINGLE and self.lockouts <= MOST_SINGLE and not self.refusals


def _total(rows: Iterable[FailedSignIns]) -> _Total:
    counted = list(rows)
    return _Total(
        failures=sum(row.failures for row in counted),
        refusals=sum(row.refusals for row in counted),
        lockouts=sum(row.is_locked_out for row in counted),
    )


def _hour_of(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0)


def _counter(hour: datetime, name: str, address: str, *, is_account: bool) -> FailedSignIns:
    counters = FailedSignIns.objects.filter(hour=hour)
    row = counters.filter(name=name, address=address).first()
    if row is None and counters.count() >= MOST_ROWS:
        name, address, is_account = "", "", False
        row = counters.filter(name=name, address=address).first()
    return row or FailedSignIns(hour=hour, name=name, address=address, is_account=is_account)


def _record_sum(hour: datetime, rows: Sequence[FailedSignIns]) -> None:
    total = _total(rows)
    ledger.record(
        SIGN_IN,
        "session:failures",
        f"{total.failures + total.refusals} attempts",
        since=hour.isoformat(),
        until=(hour + HOUR).isoformat(),
        failures=total.failures,
        refused_while_locked_out=total.refusals,
        lockouts=total.lockouts,
        accounts=_most((row.name, row) for row in rows if row.is_account),
        unknown_names=len({row.name for row in rows if not row.is_account and row.name}),
        addresses=_most((row.address, row) for row in rows if row.address),
        more_names_and_addresses=any(not row.address and not row.name for row in rows),
    )


def _most(named: Iterable[tuple[str, FailedSignIns]]) -> dict[str, Any]:
    """How many there are, and those with the most attempts."""
    attempts = Counter[str]()
    for name, row in named:
        attempts[name] += row.failures + row.refusals
    return {"count": len(attempts), "most": [list(each) for each in attempts.most_common(MOST_LISTED)]}
