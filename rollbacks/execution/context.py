"""What the steps of one execution share: the journal, the clients, and the identifiers that came into being."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from rollbacks.execution.journal import Journal
from rollbacks.planning.tokens import token
from tenants.microsoft.client import GraphClient
from tenants.runs import leases

WAITS = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0)
"""Seconds between looks at something fresh: directory objects replicate slowly. One look precedes them."""


@dataclass
class ExecutionContext:
    journal: Journal
    reader: GraphClient
    writer: GraphClient
    sleep: Callable[[float], None] = time.sleep
    recreated_ids: dict[int, dict[str, str]] = field(default_factory=dict)
    """Order of a step that brought a resource back → its identifiers now."""

    def identifier(self, number: int, name: str) -> str:
        """A token of a step that is yet to run stays a token: nothing that is sent now holds one."""
        return self.recreated_ids[number][name] if number in self.recreated_ids else token(number, name)

    def looks(self) -> Iterator[None]:
        """Once at once, then again after each wait."""
        yield
        for seconds in WAITS:
            leases.heartbeat(self.journal.lease)
            self.sleep(seconds)
            yield
