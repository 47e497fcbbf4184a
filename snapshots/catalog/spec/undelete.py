"""How a deleted object returns with its ID."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from snapshots.catalog.spec.values import Document


@dataclass(frozen=True)
class Undelete:
    """The soft-delete container of a type: where deleted objects are, and how they return with their IDs."""

    item_path: str
    restore_path: str
    method: Literal["POST", "PUT"] = "POST"
    body: Callable[[Document], Document] | None = None
    """Given the wanted document: the body of the restore."""
    days: int | None = None
    """For how long Microsoft keeps deleted objects, where it says so."""
    doubt: str = ""
    """Why it may not be there: a sentence. What the container does not have is recreated."""
    note: str = ""
    """What does not come back with the object."""
