"""Computes who controls an account from the recorded control actions. Pure: no database, no clock."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    """The kinds of control actions. The first group gives the actor control over the subject's account."""

    CREATE = "create"
    PASSWORD = "password"
    ACTIVATE = "activate"
    EMAIL = "email"
    ROLE = "role"
    GROUP = "group"
    TOKEN = "token"

    REMOVE = "remove"
    LOWER = "lower"
    POLICY = "policy"
    CONFIRM = "confirm"


CONTROL = frozenset(
    {Kind.CREATE, Kind.PASSWORD, Kind.ACTIVATE, Kind.EMAIL, Kind.ROLE, Kind.GROUP, Kind.TOKEN}
)
CONFIRMABLE = CONTROL | {Kind.REMOVE, Kind.LOWER}
LABELS: dict[Kind, str] = {
    Kind.CREATE: "created the account",
    Kind.PASSWORD: "set the password",
    Kind.ACTIVATE: "re-activated the account",
    Kind.EMAIL: "changed the e-mail address",
    Kind.ROLE: "bound a role",
    Kind.GROUP: "added the account to a group",
    Kind.TOKEN: "issued an API token",
    Kind.REMOVE: "removed administrator rights",
    Kind.LOWER: "proposed a weaker approval policy",
    Kind.POLICY: "changed the approval policy",
    Kind.CONFIRM: "confirmed an action",
}


@dataclass(frozen=True)
class ControlScope:
    """A scope by ids: a tenant (with its customer), a customer, or (neither) the whole MSP."""

    customer: int | None = None
    tenant: int | None = None

    def covers(self, other: "ControlScope") -> bool:
        if self.tenant is not None:
            return self.tenant == other.tenant
        return self.customer is None or self.customer == other.customer


EVERYWHERE = ControlScope()


@dataclass(frozen=True)
class Act:
    """One control action. It ends when it is confirmed or when its cooling-off period is over, if it has one."""

    number: int
    kind: Kind
    at: datetime
    actor: int | None
    subject: int | None
    control_scope: ControlScope = EVERYWHERE
    promotes: bool = False
    """The action made someone an administrator."""
    cools_off_at: datetime | None = None
    confirmed_at: datetime | None = None
    confirmed_by: int | None = None
    confirmation: int | None = None
    """The number of the confirming action."""
    detail: Mapping[str, Any] = field(default_factory=dict)

    def ended(self, moment: datetime) -> bool:
        return any(end is not None and end <= moment for end in (self.confirmed_at, self.cools_off_at))

    def holds(self, since: datetime, now: datetime) -> bool:
        """Whether the action is still in force, or was in force at an earlier time."""
        return not self.ended(now) or (self.at <= since and not self.ended(since))


class Log:
    """All control actions in order. If any of them fails verification (`intact` is false), nobody counts as
    independent.
    """

    def __init__(self, acts: Sequence[Act], *, intact: bool = True) -> None:
        self.acts = acts
        self.intact = intact
        self._upon: dict[int, list[Act]] = defaultdict(list)
        for act in acts:
            if act.kind in CONTROL and act.subject is not None:
                self._upon[act.subject].append(act)

    def holding_upon(
        self, user: int, control_scope: ControlScope, *, since: datetime, now: datetime
    ) -> list[Act]:
        """Control actions on this account that are in force on this scope."""
        return [
            act
            for act in self._upon.get(user, ())
            if act.control_scope.covers(control_scope) and act.holds(since, now)
        ]

    def controllers(
        self, user: int, control_scope: ControlScope, *, since: datetime, now: datetime
    ) -> frozenset[int]:
        """The account itself and everyone who controlled it at `since` or controls it now, directly or
        through other accounts. An action also counts for everyone who controlled its actor at that time:
        confirming an intermediate account later does not undo what was done through it.
        """
        earliest = {user: since}
        waiting = [user]
        while waiting:
            subject = waiting.pop()
            for act in self.holding_upon(subject, control_scope, since=earliest[subject], now=now):
                if act.actor is None or earliest.get(act.actor, datetime.max.replace(tzinfo=UTC)) <= act.at:
                    continue
                earliest[act.actor] = act.at
                waiting.append(act.actor)
        return frozenset(earliest)

    def promoted(self, now: datetime) -> frozenset[int]:
        """Accounts that became administrators through an action that is still in force."""
        acts = (act for act in self.acts if act.promotes and not act.ended(now))
        return frozenset(act.subject for act in acts if act.subject is not None)
