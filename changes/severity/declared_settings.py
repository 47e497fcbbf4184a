"""Declared settings: the path of a property, the rank of its values by protection, and the effect of a lower
rank. Used by table-driven rules for types with self-explanatory properties. A rank is a tuple of numbers
(higher is safer), or None if the value cannot be compared.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from math import inf
from typing import Any, Protocol

from changes.severity.model import (
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
from changes.severity.readers import dig, listed
from changes.severity.spans import seconds_of
from snapshots.catalog import registry
from snapshots.catalog.places import with_defaults
from snapshots.catalog.spec import Document

Rank = tuple[float, ...] | None
Ranking = Callable[[Any], Rank]
View = Callable[[Document | None], Document]


def off_protects(*, missing: bool = False) -> Ranking:
    """True weakens protection. `missing` is the meaning of a missing value."""
    return lambda value: _switched(value, missing, on=0.0)


def on_protects(*, missing: bool = False) -> Ranking:
    """True protects."""
    return lambda value: _switched(value, missing, on=1.0)


def _switched(value: Any, missing: bool, on: float) -> Rank:
    flag = missing if value is None else value
    if isinstance(flag, str) and flag.casefold() in {"true", "false"}:
        flag = flag.casefold() == "true"
    return (on if flag else 1.0 - on,) if isinstance(flag, bool) else None


def ladder(*steps: str | tuple[str, ...], missing: str | None = None) -> Ranking:
    """Values from weakest to strongest; a tuple contains values of equal strength. Types use their short
    name.
    """
    ranks = {
        word.casefold(): (float(rank),)
        for rank, step in enumerate(steps)
        for word in ((step,) if isinstance(step, str) else step)
    }

    def rank(value: Any) -> Rank:
        word = missing if value is None else value
        return ranks.get(word.rsplit(".", 1)[-1].lstrip("#").casefold()) if isinstance(word, str) else None

    return rank


def more_protects(missing: float | None = 0.0) -> Ranking:
    return lambda value: _number(value, missing, sign=1.0)


def fewer_protect(missing: float | None = inf) -> Ranking:
    return lambda value: _number(value, missing, sign=-1.0)


def _number(value: Any, missing: float | None, sign: float) -> Rank:
    amount = missing if value is None else value
    if isinstance(amount, str) and amount.isascii() and amount.isdigit():
        amount = float(amount)
    if not isinstance(amount, int | float) or isinstance(amount, bool):
        return None
    return (sign * amount,)


def shorter_protects(missing: float | None = inf) -> Ranking:
    """`missing` is the default period in seconds."""

    def rank(value: Any) -> Rank:
        span = missing if value is None else seconds_of(value) if isinstance(value, str) else None
        return None if span is None else (-span,)

    return rank


def newer_protects(value: Any) -> Rank:
    """Minimum versions: `10.0.19045`, `2024-05-01`; `10.0` equals `10`. No minimum is the weakest."""
    if value is None or value == "":
        return ()
    parts = value.replace("-", ".").split(".") if isinstance(value, str) else []
    if not parts or not all(part.isascii() and part.isdigit() for part in parts):
        return None
    numbers = [float(part) for part in parts]
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)


class Watched(Protocol):
    """A part of a document whose two versions can be compared."""

    def hits(self, name: str, before: Document | None, after: Document | None) -> Iterator[Hit]: ...


@dataclass(frozen=True)
class Setting:
    """One property. `path` is separated by `/`; `effect` is the effect of a weakening, as a sentence without
    a full stop.
    """

    path: str
    what: str
    rank: Ranking
    severity: Severity
    effect: str = ""
    technique: str | None = None

    def hits(self, name: str, before: Document | None, after: Document | None) -> Iterator[Hit]:
        old, new = (dig(side, *self.path.split("/")) for side in (before, after))
        was, now = self.rank(old), self.rank(new)
        if was is None or now is None:
            return
        change = f"{name}: {self.what} is {shown(new)} instead of {shown(old)}."
        if now < was:
            effect = f" {self.effect}." if self.effect else ""
            yield weakens(self.severity, change + effect, self.technique)
        elif now > was:
            yield strengthens(change)


@dataclass(frozen=True)
class Members:
    """One list whose elements weaken (`gain_weakens`) or protect; objects are identified by their property
    `key`.
    """

    path: str
    what: str
    severity: Severity
    gain_weakens: bool = True
    effect: str = ""
    key: str = ""
    technique: str | None = None

    def hits(self, name: str, before: Document | None, after: Document | None) -> Iterator[Hit]:
        old, new = self._elements(before), self._elements(after)
        gained, lost = new.keys() - old.keys(), old.keys() - new.keys()
        weaker, stronger = (gained, lost) if self.gain_weakens else (lost, gained)
        verb = {True: "now include", False: "no longer include"}
        named = {**old, **new}
        effect = f" {self.effect}." if self.effect else ""
        if weaker:
            shown_weaker = listed(named[key] for key in weaker)
            reason = f"{name}: {self.what} {verb[self.gain_weakens]} {shown_weaker}.{effect}"
            yield weakens(self.severity, reason, self.technique)
        if stronger and not weaker:
            shown_stronger = listed(named[key] for key in stronger)
            yield strengthens(f"{name}: {self.what} {verb[not self.gain_weakens]} {shown_stronger}.")

    def _elements(self, document: Document | None) -> dict[str, str]:
        value = dig(document, *self.path.split("/"))
        items = value if isinstance(value, list) else []
        names = [dig(item, self.key) if self.key and isinstance(item, dict) else item for item in items]
        return {name.casefold(): name for name in names if isinstance(name, str)}


def shown(value: Any) -> str:
    if value is None:
        return "not set"
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"{value:g}" if isinstance(value, float) else str(value).rsplit(".graph.", 1)[-1]


def watching(
    watched: tuple[Watched, ...], *, view: View | None = None, whole_life: bool = False
) -> Callable[[Subject, Context], Iterator[Hit]]:
    """The check of a table. With `whole_life` a missing document counts as one with no settings."""

    def check(subject: Subject, context: Context) -> Iterator[Hit]:  # noqa: ARG001
        if subject.kind != "updated" and not whole_life:
            return
        spec = registry.get(subject.resource_type)
        before, after = (
            None if side is None else with_defaults(side, spec) for side in (subject.before, subject.after)
        )
        if view is not None:
            before, after = view(before), view(after)
        for one in watched:
            yield from one.hits(subject.name, before, after)

    return check


@dataclass(frozen=True)
class Event:
    """The meaning of creating or deleting an object of a type. `effect` is a sentence without a full stop."""

    direction: Direction
    severity: Severity
    effect: str

    def hit(self, subject: Subject) -> Hit:
        reason = f"{subject.name} was {subject.kind}. {self.effect}."
        if self.direction is Direction.STRENGTHENS:
            return strengthens(reason)
        make = weakens if self.direction is Direction.WEAKENS else neutral
        return make(self.severity, reason)


@dataclass(frozen=True)
class Life:
    created: Event | None = None
    deleted: Event | None = None


def opens(severity: Severity, effect: str) -> Event:
    return Event(Direction.WEAKENS, severity, effect)


def always(severity: Severity, effect: str) -> Event:
    return Event(Direction.NEUTRAL, severity, effect)


def closes(effect: str) -> Event:
    return Event(Direction.STRENGTHENS, Severity.LOW, effect)


def lives(
    rule_id: str,
    title: str,
    technique: str,
    by_type: Mapping[str, Life],
    sources: tuple[str, ...] = (),
) -> Rule:
    """The rule on created and deleted objects, with one `Life` per type."""

    def check(subject: Subject, context: Context) -> Iterator[Hit]:  # noqa: ARG001
        life = by_type[subject.resource_type]
        events = {"created": life.created, "deleted": life.deleted}
        if (event := events.get(subject.kind)) is not None:
            yield event.hit(subject)

    return Rule(rule_id, title, tuple(by_type), technique, check, sources)
