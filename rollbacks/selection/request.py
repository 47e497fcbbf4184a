"""What somebody asks a rollback to do, and what that comes to."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from changes.models import Change
from rollbacks.planning.model import Target
from tenants.errors import DomainError


class NothingToDo(DomainError):
    """What was asked for names nothing that could be brought back."""


@dataclass(frozen=True)
class RollbackSelection:
    """What somebody asked for: changes, an actor's window, a snapshot (of one type, or one resource), or the state
    before a rollback was executed.
    """

    changes: tuple[int, ...] = ()
    actor_name: str = ""
    since: datetime | None = None
    until: datetime | None = None
    snapshot: int | None = None
    resource_type: str = ""
    resource_id: str = ""
    undo: int | None = None

    def to_json(self) -> dict[str, object]:
        return {
            "changes": list(self.changes),
            "actor_name": self.actor_name,
            "since": self.since.isoformat() if self.since else None,
            "until": self.until.isoformat() if self.until else None,
            "snapshot": self.snapshot,
            "resource_type": self.resource_type,
            "resource_id": self.resource_id,
            "undo": self.undo,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, object]) -> "RollbackSelection":
        values = dict(data)
        values["changes"] = tuple(values["changes"])  # type: ignore[arg-type]
        for name in ("since", "until"):
            moment = values[name]
            values[name] = datetime.fromisoformat(str(moment)) if moment else None
        return cls(**values)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Resolved:
    """The targets, with the resources that they need; every change that going there undoes, asked for or not; and
    what must be said about it.
    """

    targets: list[Target]
    undone: list[Change]
    warnings: tuple[str, ...] = ()
