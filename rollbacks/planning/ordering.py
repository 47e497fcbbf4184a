"""The order of steps: what is referred to before what refers to it, phase by phase, deletions the other way round.

Knows only what each node needs; reports a cycle instead of breaking it silently.
"""

import heapq
from collections.abc import Hashable, Mapping, Sequence
from typing import Any, TypeVar

Node = TypeVar("Node", bound=Hashable)


class Cycle(Exception):
    """Some steps wait for each other. `nodes` are those that could not be placed."""

    def __init__(self, nodes: Sequence[Any]) -> None:
        super().__init__(f"{len(nodes)} steps wait for each other.")
        self.nodes = tuple(nodes)


def ordered(needs: Mapping[Node, frozenset[Node]], rank: Mapping[Node, Any]) -> list[Node]:
    """Every node after all that it needs; among the free ones the lowest rank first. Raises Cycle."""
    waiting = {
        node: {need for need in wanted if need in needs and need != node} for node, wanted in needs.items()
    }
    needed_by: dict[Node, list[Node]] = {node: [] for node in needs}
    for node, wanted in waiting.items():
        for need in wanted:
            needed_by[need].append(node)
    position = {node: index for index, node in enumerate(sorted(needs, key=lambda each: rank[each]))}
    node_at = {index: node for node, index in position.items()}
    free = [position[node] for node, wanted in waiting.items() if not wanted]
    heapq.heapify(free)
    result: list[Node] = []
    while free:
        node = node_at[heapq.heappop(free)]
        result.append(node)
        for dependant in needed_by[node]:
            waiting[dependant].discard(node)
            if not waiting[dependant]:
                heapq.heappush(free, position[dependant])
    if len(result) < len(needs):
        emitted = set(result)
        raise Cycle([node for node in needs if node not in emitted])
    return result
