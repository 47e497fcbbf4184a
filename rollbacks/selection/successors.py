"""An object that somebody recreated under the same ID is another object of the directory: a plan uses that one.

A managed identity deleted and created again has a new principal; whatever named the old one names the new one.
"""

from collections.abc import Iterator, Mapping, Sequence

from rollbacks.planning.model import Key, LiveState, Target
from rollbacks.selection.present_ids import under_ids
from snapshots.catalog import registry
from snapshots.collection.addresses import at


def succeeded(target: Target, state: LiveState) -> Iterator[tuple[str, str, str]]:
    """The kind of each object that the resource is elsewhere as well, its former identifier and the present one."""
    for path, (kind, _) in registry.get(target.resource_type).principal_identity.items():
        old, new = at(target.wanted or {}, path), at(state.document or {}, path)
        if isinstance(old, str) and isinstance(new, str) and old != new:
            yield kind, old, new


def with_successors(targets: Sequence[Target], live: Mapping[Key, LiveState]) -> list[Target]:
    """The targets by the present identifiers, without those former and present objects themselves: they come and go
    with what they belong to.
    """
    found = [each for target in targets for each in succeeded(target, live[target.key])]
    if not found:
        return list(targets)
    moved = {old: new for _, old, new in found}
    embodied = {(kind, identifier) for kind, *both in found for identifier in both}
    return [
        under_ids(target, lambda _kind, value: moved.get(value, value))
        for target in targets
        if target.key not in embodied
    ]
