"""Predicts whether and how a resource can be restored, before anything happens to it. Pure. Uses the same
declarations as the planner, without the live tenant. A plan must fulfil what this predicts.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum

from snapshots.catalog.places import ODATA_TYPE
from snapshots.catalog.spec import Document, Loss, ResourceType
from snapshots.collection.addresses import at

NOTHING: tuple[object, ...] = (None, False, "", [], {})


class Verdict(StrEnum):
    """From the best to the worst."""

    IN_PLACE = "in_place"
    NEW_ID = "new_id"
    PARTLY = "partly"
    NOT_RESTORABLE = "not_restorable"

    @property
    def label(self) -> str:
        return _LABELS[self]

    @property
    def rank(self) -> int:
        return list(Verdict).index(self)


_LABELS = {
    Verdict.IN_PLACE: "restorable in place",
    Verdict.NEW_ID: "restorable with a new ID",
    Verdict.PARTLY: "partly restorable",
    Verdict.NOT_RESTORABLE: "not restorable",
}


@dataclass(frozen=True)
class Referrer:
    """A resource that refers to the given one."""

    resource_type: str
    resource_id: str
    display_name: str


@dataclass(frozen=True)
class Lost:
    """A loss at one path; `items` lists the affected items, if there are several."""

    path: str
    what: str
    items: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.path}: {self.what}" + (f" ({'; '.join(self.items)})" if self.items else "")


@dataclass(frozen=True)
class Answer:
    """What a rollback can do in one case."""

    verdict: Verdict
    reason: str
    losses: tuple[Lost, ...] = ()
    new_id: bool = False
    """It returns, or may return, under a new ID."""


@dataclass(frozen=True)
class Restorability:
    """The verdict on one resource: the worst of the cases that can happen to it. A case is None if it cannot
    happen: settings cannot be deleted, and assignments cannot be changed.
    """

    verdict: Verdict
    reason: str
    remedy: str
    """How to make more possible; empty if nothing helps."""
    losses: tuple[Lost, ...]
    changed: Answer | None
    deleted: Answer | None
    purged: Answer | None
    """Deleted, and no longer in the deleted items."""
    remapped: tuple[Referrer, ...] = ()
    """References that would be updated if it returns under a new ID."""

    @property
    def may_get_a_new_id(self) -> bool:
        return any(answer.new_id for answer in (self.changed, self.deleted, self.purged) if answer)

    def remapping(self, referrers: Iterable[Referrer]) -> "Restorability":
        """Adds the resources that refer to this one."""
        return replace(self, remapped=tuple(referrers) if self.may_get_a_new_id else ())


@dataclass(frozen=True)
class Obstacle:
    """Why a type currently cannot be written, and the remedy."""

    reason: str
    remedy: str


def restorability(
    spec: ResourceType,
    document: Document,
    *,
    now: datetime,
    obstacle: Obstacle | None = None,
) -> Restorability:
    """Without referrers: see `remapping`. `obstacle` is the result of `obstacle_to` for the type; the cases
    are described as if it did not exist.
    """
    changed, deleted, purged = cases(spec, document, now=now)
    possible = [answer for answer in (changed, deleted) if answer is not None]
    verdict, reason = _overall(changed, deleted)
    if obstacle is not None and verdict is not Verdict.NOT_RESTORABLE:
        verdict, reason, remedy = (
            Verdict.NOT_RESTORABLE,
            f"Currently not restorable: {obstacle.reason}",
            obstacle.remedy,
        )
    else:
        remedy = ""
    losses = tuple(dict.fromkeys(lost for answer in possible for lost in answer.losses))
    return Restorability(verdict, reason, remedy, losses, changed, deleted, purged)


def cases(
    spec: ResourceType, document: Document, *, now: datetime
) -> tuple[Answer | None, Answer | None, Answer | None]:
    """The cases: changed, deleted, and removed from the deleted items."""
    hopeless = _hopeless(spec, document, now)
    if hopeless is not None:
        never = Answer(Verdict.NOT_RESTORABLE, hopeless)
        return never, never, None
    recreated = _recreated(spec, document)
    changed = _changed(spec, document, recreated)
    if spec.restore.delete.resets_to_default(document):
        return changed, None, None
    return changed, *_deleted(spec, recreated)


def obstacle_to(spec: ResourceType, granted: Collection[str] | None) -> Obstacle | None:
    """Why the writer cannot write this type. `granted`: its application permissions, or None without a
    writer. Azure roles are not in the writer's token, so they are not checked.
    """
    if granted is None:
        return Obstacle("the tenant has no writer connection.", "Connect a writer and test the connection.")
    permissions = spec.permissions
    if spec.on_azure or not permissions.write or permissions.may_write(granted):
        return None
    missing = ", ".join(name for name in permissions.write if name not in granted)
    return Obstacle(
        f"the writer lacks {missing}.",
        f"Grant {missing} to the writer's app registration with admin consent, then test the connection.",
    )


def end_of(spec: ResourceType, document: Document) -> datetime | None:
    """When the object expires; None if it does not."""
    text = None if spec.restore.guards.ends_at is None else at(document, spec.restore.guards.ends_at)
    if not isinstance(text, str):
        return None
    try:
        end = datetime.fromisoformat(text)
    except ValueError:
        return None
    return end if end.tzinfo is not None else end.replace(tzinfo=UTC)


def lost_in_place(spec: ResourceType, document: Document) -> Iterator[Lost]:
    """What a change of an existing object could destroy permanently."""
    restore = spec.restore
    written = {action.property for action in restore.update.actions} | {*restore.create.recreate_for}
    for loss in restore.losses:
        if callable(loss.fixed):
            if not loss.keeps(at(document, loss.path)):
                yield Lost(loss.path, loss.what)
            continue
        unwritten = not (spec.writes(_top(loss)) or _top(loss) in written)
        if not loss.recreated_only and not names_an_id(loss) and (loss.fixed or unwritten):
            yield from _lost(loss, document)


def lost_anew(spec: ResourceType, document: Document) -> Iterator[Lost]:
    """What a recreated object lacks, apart from its ID."""
    acted = {action.property for action in spec.restore.update.actions}
    for loss in spec.restore.losses:
        brought = spec.creates_with(_top(loss)) or _top(loss) in acted
        if not loss.fixed and not names_an_id(loss) and (loss.recreated_only or not brought):
            yield from _lost(loss, document)


def left_out(spec: ResourceType, document: Document) -> tuple[str, ...]:
    """Properties that no request can set on a new object and that are not declared as losses: Microsoft added
    them later, and an object created without them would not be the same.
    """
    restore = spec.restore
    reached = {action.property for action in restore.update.actions} | {
        each.property for each in restore.update.removals
    }
    reached |= {part.name for part in spec.parts} | {stream.name for stream in spec.streams}
    reached |= {_top(loss) for loss in restore.losses} | {
        path.partition(".")[0] for path in restore.create.after
    }
    given = {
        *spec.identity.properties,
        *spec.addressing,
        *spec.identity.spelling,
        *restore.create.given,
        ODATA_TYPE,
    }
    return tuple(
        name
        for name, value in sorted(document.items())
        if value not in NOTHING and not spec.creates_with(name) and name not in reached | given
    )


def uncreatable(spec: ResourceType, document: Document) -> str | None:
    """Why this object cannot be recreated although others of its type can; None if it can."""
    reason = spec.restore.guards.irreplaceable(document)
    if reason is not None:
        return reason
    lacking = left_out(spec, document)
    if not lacking:
        return None
    return (
        f"it contains {', '.join(lacking)}, and there is no known request to set this on a new object. "
        "Create it manually, then take a snapshot."
    )


def names_an_id(loss: Loss) -> bool:
    """A new ID is part of the verdict, not a loss."""
    return loss.path == "id" or loss.path.endswith("[].id")


def keeps_same_id(spec: ResourceType) -> bool:
    """Whether a recreated object gets its old ID."""
    return spec.restore.create.caller_chooses_id or "id" not in spec.identity.properties


def can_be_written(spec: ResourceType) -> bool:
    """Whether an existing object can be updated."""
    restore = spec.restore
    return bool(
        restore.update.path
        or restore.update.actions
        or restore.update.removals
        or restore.create.recreate_for
    ) or any(part.add_ref or part.element_path for part in spec.parts)


def can_be_deleted(spec: ResourceType) -> bool:
    """Whether objects of the type can be deleted. Microsoft's settings cannot."""
    restore = spec.restore
    return any((restore.delete.path, restore.create.path, restore.undelete))


def _hopeless(spec: ResourceType, document: Document, now: datetime) -> str | None:
    protected = None if spec.restore.guards.protected is None else spec.restore.guards.protected(document)
    if protected is not None:
        return protected
    end = end_of(spec, document)
    if end is not None and end <= now:
        return f"It expired at {end:%Y-%m-%d %H:%M} UTC."
    if not can_be_written(spec) and not can_be_deleted(spec):
        return f"Microsoft does not allow applications to write {spec.plural[:1].lower()}{spec.plural[1:]}."
    return None


def _changed(spec: ResourceType, document: Document, recreated: Answer) -> Answer | None:
    if not can_be_written(spec):
        return None
    if not spec.restore.writable and spec.restore.create.recreate_for:
        return Answer(
            recreated.verdict, f"It is first deleted. {recreated.reason}", recreated.losses, recreated.new_id
        )
    replaced = ", ".join(
        name for name in spec.restore.create.recreate_for if at(document, name) not in NOTHING
    )
    also = f" If {replaced} changes, it is deleted and recreated." if replaced else ""
    losses = tuple(lost_in_place(spec, document))
    but = f" The contents of {', '.join(lost.path for lost in losses)} may be lost." if losses else ""
    return Answer(
        Verdict.PARTLY if losses else Verdict.IN_PLACE,
        f"Only the differences are written. It keeps its ID.{also}{but}",
        losses,
        new_id=bool(replaced) and not keeps_same_id(spec),
    )


def _deleted(spec: ResourceType, recreated: Answer) -> tuple[Answer | None, Answer | None]:
    undelete = spec.restore.undelete
    if undelete is None:
        return (recreated if can_be_deleted(spec) else None), None
    within = f" within {undelete.days} days" if undelete.days is not None else ""
    if not undelete.doubt:
        return Answer(
            Verdict.IN_PLACE, f"It is restored from the deleted items{within} and keeps its ID."
        ), recreated
    return (
        Answer(
            recreated.verdict,
            f"If it is in the deleted items{within}, it is restored from there and keeps its ID. "
            f"{undelete.doubt} Otherwise: {recreated.reason}",
            recreated.losses,
            recreated.new_id,
        ),
        recreated,
    )


def _recreated(spec: ResourceType, document: Document) -> Answer:
    if spec.restore.create.path is None:
        return Answer(Verdict.NOT_RESTORABLE, "Microsoft does not allow applications to recreate it.")
    reason = uncreatable(spec, document)
    if reason is not None:
        return Answer(Verdict.NOT_RESTORABLE, f"It cannot be recreated: {reason}")
    losses = tuple(lost_anew(spec, document))
    if keeps_same_id(spec):
        verdict = Verdict.PARTLY if losses else Verdict.IN_PLACE
        return Answer(verdict, "It is recreated under its old ID.", losses)
    verdict = Verdict.PARTLY if losses else Verdict.NEW_ID
    reason = f"It is recreated under a new ID. {spec.restore.create.new_id_note}".rstrip()
    return Answer(verdict, reason, losses, new_id=True)


def _overall(changed: Answer | None, deleted: Answer | None) -> tuple[Verdict, str]:
    """The verdict of the worst case. If only one case is hopeless, the resource is partly restorable."""
    cases = [("changed", changed), ("deleted", deleted)]
    possible = [(case, answer) for case, answer in cases if answer is not None]
    worst = max((answer.verdict for _, answer in possible), key=lambda verdict: verdict.rank)
    if len({answer.reason for _, answer in possible}) == 1:
        return worst, possible[0][1].reason
    if any(answer.verdict is not worst for _, answer in possible) and worst is Verdict.NOT_RESTORABLE:
        worst = Verdict.PARTLY
    return worst, " ".join(f"If {case}: {answer.reason}" for case, answer in possible)


def _lost(loss: Loss, document: Document) -> Iterator[Lost]:
    if loss.items is not None:
        items = tuple(loss.items(document))
        if items:
            yield Lost(loss.path, loss.what, items)
    elif at(document, loss.path.partition("[")[0]) not in NOTHING:
        yield Lost(loss.path, loss.what)


def _top(loss: Loss) -> str:
    return loss.path.split("[")[0].split(".")[0]
