"""Derives the state of a change, for pages, API, commands and counts."""

from django.db import models
from django.db.models import OuterRef, Q, QuerySet

from changes.models import Change, Resolution


class State(models.TextChoices):
    OPEN = "open", "open"
    ACKNOWLEDGED = "acknowledged", "acknowledged"
    EXPECTED = "expected", "expected"
    ROLLED_BACK = "rolled_back", "rolled back"


def state_of(change: Change) -> State:
    """Uses the rows prefetched by `with_details`."""
    resolution = change.resolution
    if resolution is not None:
        return State(resolution.kind)
    return State.ACKNOWLEDGED if hasattr(change, "acknowledgement") else State.OPEN


def in_state(changes: QuerySet[Change], state: str) -> QuerySet[Change]:
    newest = Resolution.objects.filter(change=OuterRef("pk")).order_by("-pk").values("kind")[:1]
    known = changes.annotate(resolved_as=newest)
    if state in (State.EXPECTED, State.ROLLED_BACK):
        return known.filter(resolved_as=state)
    unresolved = known.filter(Q(resolved_as__isnull=True) | Q(resolved_as=Resolution.Kind.REOPENED))
    return unresolved.filter(acknowledgement__isnull=state == State.OPEN)


def open_changes(changes: QuerySet[Change]) -> QuerySet[Change]:
    """Open changes: neither acknowledged nor undone."""
    return in_state(changes, State.OPEN)
