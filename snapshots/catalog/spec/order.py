"""When a type is written within a plan."""

from collections.abc import Callable
from dataclasses import dataclass

from snapshots.catalog.spec.values import Document, Quirk, WithQuirks


class OrderQuirk(Quirk):
    """Of a type's place in a plan."""


@dataclass(frozen=True)
class WrittenFirst(OrderQuirk):
    """Written before everything else, which it stands in the way of."""

    applies: Callable[[Document | None, Document | None], bool]
    """Given the live and the wanted document."""


@dataclass(frozen=True)
class WrittenLast(OrderQuirk):
    """Written after everything else, deletions included."""

    applies: Callable[[Document], bool]
    """Given the wanted document."""


@dataclass(frozen=True)
class RankWithinType(OrderQuirk):
    """Rank among the steps of the object's own type."""

    rank: Callable[[Document], int]
    """Given the wanted document."""


@dataclass(frozen=True, kw_only=True)
class Order(WithQuirks[OrderQuirk]):
    rank: int = 50
    """Among the steps of one plan, where references alone do not decide. Lower is earlier."""

    def is_first(self, live: Document | None, wanted: Document | None) -> bool:
        first = self.quirk(WrittenFirst)
        return first is not None and first.applies(live, wanted)

    def is_last(self, wanted: Document | None) -> bool:
        last = self.quirk(WrittenLast)
        return last is not None and wanted is not None and last.applies(wanted)

    def rank_within_type(self, wanted: Document | None) -> int:
        within = self.quirk(RankWithinType)
        return 0 if within is None or wanted is None else within.rank(wanted)
