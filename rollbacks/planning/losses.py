"""Whether a resource is as its plan announced it: as asked for, less what the plan said it does not bring back."""

from collections.abc import Iterable
from typing import Any

from rollbacks.planning.effects import same
from rollbacks.planning.model import AnnouncedLoss
from snapshots.catalog.spec import Document, ResourceType
from snapshots.collection.addresses import at, with_value


def attained(
    found: Document | None,
    wanted: Document | None,
    announced: Document | None,
    losses: Iterable[AnnouncedLoss],
) -> Document | None:
    """The document to be found: the announced one, with whatever came back although it was said to be lost."""
    if announced is None or same(found, wanted):
        return wanted
    for loss in losses:
        path = _place(loss)
        if path and found is not None and wanted is not None and same(at(found, path), at(wanted, path)):
            announced = with_value(announced, path, at(wanted, path))
    return announced


def without_losses(
    document: Document | None, spec: ResourceType, losses: Iterable[AnnouncedLoss]
) -> Document | None:
    """The document without the values that its plan left open; of a list, without the elements that it named."""
    for loss in losses:
        if document is not None and loss.left_open:
            document = _without(document, spec, loss)
    return document


def _without(document: Document, spec: ResourceType, loss: AnnouncedLoss) -> Document:
    path = _place(loss)
    value = at(document, path)
    if value is None:
        return document
    left = (
        [each for each in value if not _is_named(each, path, spec, loss)] if isinstance(value, list) else []
    )
    return with_value(document, path, left or None)


def _is_named(element: Any, path: str, spec: ResourceType, loss: AnnouncedLoss) -> bool:
    """Whether the element of the list is one of the lost items; all of them are where the loss names none."""
    if not loss.items:
        return True
    alone = with_value({}, path, [element])
    declared = (each for each in spec.restore.losses if each.path == loss.path and each.items is not None)
    names = {name for each in declared if each.items is not None for name in each.items(alone)}
    return bool(names) and names <= set(loss.items)


def _place(loss: AnnouncedLoss) -> str:
    """The property, or the list that has the lost elements."""
    return loss.path.split("[")[0]
