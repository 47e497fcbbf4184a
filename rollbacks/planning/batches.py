"""References that are added to, or removed from, one object travel together: up to twenty in one request.

Called for the requests of one sub-collection. Order, and so "additions before removals", stays as it is.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby

from rollbacks.planning.model import EffectKind, PlannedRequest
from tenants.microsoft.batching import BATCH_SIZE
from tenants.microsoft.request import batch_of

_WORDS = {EffectKind.ADD: "add {} to {}", EffectKind.REMOVE: "remove {} from {}"}


def together(requests: Sequence[PlannedRequest]) -> Iterator[PlannedRequest]:
    for kind, group in groupby(requests, _kind_of_reference):
        if kind is None:
            yield from group
            continue
        those = list(group)
        for start in range(0, len(those), BATCH_SIZE):
            few = those[start : start + BATCH_SIZE]
            yield few[0] if len(few) == 1 else _one(few)


def _kind_of_reference(planned: PlannedRequest) -> EffectKind | None:
    """ADD or REMOVE, for what only adds or removes a reference."""
    return planned.effect.kind if planned.request.path.endswith("/$ref") else None


def _one(few: Sequence[PlannedRequest]) -> PlannedRequest:
    """The elements of the effect are in the order of the batch's parts."""
    effect = few[0].effect
    request = batch_of(
        {index: planned.request for index, planned in enumerate(few)},
        why=_WORDS[effect.kind].format(len(few), effect.of),
    )
    elements = tuple(element for planned in few for element in planned.effect.elements)
    return PlannedRequest(request, replace(effect, elements=elements))
