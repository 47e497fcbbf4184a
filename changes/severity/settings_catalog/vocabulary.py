"""Types for declaring the meaning of Settings Catalog settings: which values protect more. A setting is
identified by its definition ID, without the device or user prefix. Undeclared settings have no known meaning;
nothing is inferred from the text of an ID.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from typing import Protocol

from changes.severity.model import Direction, Severity
from changes.severity.readers import listed

Value = str | int | float | bool
Values = Sequence[Value]
"""All values of one setting in a policy: from a list or from each group that repeats it. Empty: not set."""

NOT_SET = "not configured"
_PREFIX = re.compile(r"^(?:(?:device|user)_)?vendor_msft_")


def short_id(definition_id: str) -> str:
    """`device_vendor_msft_policy_config_x` → `policy_config_x`."""
    return _PREFIX.sub("", definition_id.casefold())


@dataclass(frozen=True)
class Effect:
    """The effect of changing one setting."""

    direction: Direction
    severity: Severity
    text: str


class Declared(Protocol):
    """A setting whose values have a known meaning."""

    @property
    def id(self) -> str:
        """The short ID; `*` matches any text."""

    @property
    def what(self) -> str: ...

    @property
    def severity(self) -> Severity: ...

    @property
    def meaning(self) -> str:
        """The values ordered by protection, as one line."""

    def effect(self, before: Values, after: Values) -> Effect | None:
        """None if there is no effect or a value is unknown."""


@dataclass(frozen=True)
class Options:
    """A choice. `steps` are its options from the weakest to the strongest, as `ending of its id=word for people`;
    options that protect alike share a step and are divided by `|`.

    `not_set` is the option that a device has where no policy sets one; empty: the device's own default, which is
    better than the weakest option and no guarantee. Up to the step of `off_until` nothing is stopped; empty: only in
    the weakest step. What only gets weaker without being off is one severity lower.
    """

    id: str
    what: str
    severity: Severity
    steps: tuple[str, ...]
    not_set: str = ""
    off_until: str = ""

    @property
    def meaning(self) -> str:
        return " → ".join(" or ".join(step.values()) for step in self._options())

    def effect(self, before: Values, after: Values) -> Effect | None:
        was, now = self._rank(before), self._rank(after)
        if was is None or now is None or was == now:
            return None
        text = f"{self.what} is {self._words(after)} instead of {self._words(before)}"
        if now > was:
            return Effect(Direction.STRENGTHENS, Severity.LOW, text)
        off = now <= (self._step(self.off_until) if self.off_until else 0)
        severity = self.severity if off else max(self.severity.lowered(), Severity.LOW)
        return Effect(Direction.WEAKENS, severity, text)

    def _rank(self, values: Values) -> float | None:
        """The weakest of several values counts."""
        if not values:
            return self._step(self.not_set) if self.not_set else 0.5
        ranks = [self._step(_ending(value)) for value in values]
        return None if any(rank < 0 for rank in ranks) else min(ranks)

    def _step(self, ending: str) -> float:
        return next(
            (rank for rank, step in enumerate(self._options()) for known in step if known == ending), -1
        )

    def _options(self) -> list[dict[str, str]]:
        return [dict(_pair(option) for option in step.split("|")) for step in self.steps]

    def _words(self, values: Values) -> str:
        words = {ending: word for step in self._options() for ending, word in step.items()}
        return listed(words.get(_ending(value), str(value)) for value in values) or NOT_SET


@dataclass(frozen=True)
class Amount:
    """A number. `zero_is_none` says that 0 switches the matter off, whatever the direction. `not_set` is what a device
    has where no policy sets it; None: no limit at all, which is the weakest.
    """

    id: str
    what: str
    severity: Severity
    more_protects: bool
    zero_is_none: bool = False
    not_set: float | None = None

    @property
    def meaning(self) -> str:
        return "more is stronger" if self.more_protects else "less is stronger"

    def effect(self, before: Values, after: Values) -> Effect | None:
        was, now = self._rank(before), self._rank(after)
        if was is None or now is None or was == now:
            return None
        text = f"{self.what} is {_number_words(after)} instead of {_number_words(before)}"
        if now > was:
            return Effect(Direction.STRENGTHENS, Severity.LOW, text)
        return Effect(Direction.WEAKENS, self.severity, text)

    def _rank(self, values: Values) -> float | None:
        numbers = [_number(value) for value in values]
        if None in numbers:
            return None
        known = [number for number in numbers if number is not None]
        if not known and self.not_set is None:
            return -inf
        known = known or [self.not_set or 0.0]
        if self.zero_is_none and 0 in known:
            return -inf
        return min(known) if self.more_protects else -max(known)


@dataclass(frozen=True)
class Entries:
    """A list. With `adding_weakens`, each entry is excluded from a protection; otherwise it is included."""

    id: str
    what: str
    severity: Severity
    adding_weakens: bool = True

    @property
    def meaning(self) -> str:
        return "adding an entry weakens" if self.adding_weakens else "removing an entry weakens"

    def effect(self, before: Values, after: Values) -> Effect | None:
        old, new = ({str(value).casefold(): str(value) for value in values} for values in (before, after))
        gained, lost = new.keys() - old.keys(), old.keys() - new.keys()
        names = {**old, **new}
        weaker, stronger = (gained, lost) if self.adding_weakens else (lost, gained)
        if weaker:
            text = f"{self.what} {self._verb(weaker is gained)} {listed(names[key] for key in weaker)}"
            return Effect(Direction.WEAKENS, self.severity, text)
        if stronger:
            text = f"{self.what} {self._verb(stronger is gained)} {listed(names[key] for key in stronger)}"
            return Effect(Direction.STRENGTHENS, Severity.LOW, text)
        return None

    @staticmethod
    def _verb(gained: bool) -> str:
        return "now include" if gained else "no longer include"


def switch(
    definition_id: str,
    what: str,
    severity: Severity,
    *,
    on: str = "1",
    off: str = "0",
    not_set: str = "",
) -> Options:
    """A protection with two options, by the endings of their ids. `not_set`: see Options."""
    return Options(definition_id, what, severity, (f"{off}=off", f"{on}=on"), not_set)


def opening(
    definition_id: str,
    what: str,
    severity: Severity,
    *,
    allowed: str = "1",
    blocked: str = "0",
    not_set: str = "",
) -> Options:
    """A dangerous feature that is allowed or blocked."""
    return Options(definition_id, what, severity, (f"{allowed}=allowed", f"{blocked}=blocked"), not_set)


def _pair(option: str) -> tuple[str, str]:
    ending, _, word = option.partition("=")
    return ending, word


def _ending(value: Value) -> str:
    return str(value).casefold()


def _number(value: Value) -> float | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        return float(value) if value.isascii() and value.isdigit() else None
    return float(value)


def _number_words(values: Values) -> str:
    return listed(str(value) for value in values) or NOT_SET
