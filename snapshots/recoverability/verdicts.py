"""Whether and how a resource could be brought back, said before anything happens to it. Pure.

It reads the same declarations as the planner, and knows no live tenant: what it promises, a plan must keep.
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
    Verdict.NEW_ID: "restorable with a new id",
    Verdict.PARTLY: "partly restorable",
    Verdict.NOT_RESTORABLE: "not restorable",
}


@dataclass(frozen=True)
class Referrer:
    """A resource that names the one in question."""

    resource_type: str
    resource_id: str
    display_name: str


@dataclass(frozen=True)
class Lost:
    """What stays lost at one place; `items` names each thing, where there are several."""

    path: str
    what: str
    items: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.path}: {self.what}" + (f" ({'; '.join(self.items)})" if self.items else "")


@dataclass(frozen=True)
class Answer:
    """What a rollback could do in one case."""

    verdict: Verdict
    reason: str
    losses: tuple[Lost, ...] = ()
    new_id: bool = False
    """It comes, or may come, back under a new id."""


@dataclass(frozen=True)
class Restorability:
    """The verdict on one resource, which is the worse of the cases that can happen to it.

    A case is None where it cannot happen: nobody deletes a setting, nobody changes an assignment.
    """

    verdict: Verdict
    reason: str
    remedy: str
    """What would make more possible; empty where nothing would."""
    losses: tuple[Lost, ...]
    changed: Answer | None
    deleted: Answer | None
    purged: Answer | None
    """Deleted, and not in the deleted items any more."""
    remapped: tuple[Referrer, ...] = ()
    """What would be re-pointed, should it come back under a new id."""

    @property
    def may_get_a_new_id(self) -> bool:
        return any(answer.new_id for answer in (self.changed, self.deleted, self.purged) if answer)

    def remapping(self, referrers: Iterable[Referrer]) -> "Restorability":
        """With whoever refers to the resource."""
        return replace(self, remapped=tuple(referrers) if self.may_get_a_new_id else ())


@dataclass(frozen=True)
class Obstacle:
    """Why nothing of a type can be written at present, and what helps."""

    reason: str
    remedy: str


def restorability(
    spec: ResourceType,
    document: Document,
    *,
    now: datetime,
    obstacle: Obstacle | None = None,
) -> Restorability:
    """Without the referrers: see `remapping`.

    `obstacle` is what `obstacle_to` found for the type; the cases are told as if it were out of the way.
    """
    changed, deleted, purged = cases(spec, document, now=now)
    possible = [answer for answer in (changed, deleted) if answer is not None]
    verdict, reason = _overall(changed, deleted)
    if obstacle is not None and verdict is not Verdict.NOT_RESTORABLE:
        verdict, reason, remedy = (
            Verdict.NOT_RESTORABLE,
            f"Not at present: {obstacle.reason}",
            obstacle.remedy,
        )
    else:
        remedy = ""
    losses = tuple(dict.fromkeys(lost for answer in possible for lost in answer.losses))
    return Restorability(verdict, reason, remedy, losses, changed, deleted, purged)


def cases(
    spec: ResourceType, document: Document, *, now: datetime
) -> tuple[Answer | None, Answer | None, Answer | None]:
    """If it is changed, if it is deleted, and if it is gone from the deleted items as well."""
    hopeless = _hopeless(spec, document, now)
    if hopeless is not None:
        never = Answer(Verdict.NOT_RESTORABLE, hopeless)
        return never, never, None
    anew = _made_anew(spec, document)
    changed = _changed(spec, document, anew)
    if spec.restore.stays is not None and spec.restore.stays(document):
        return changed, None, None
    return changed, *_deleted(spec, anew)


def obstacle_to(spec: ResourceType, granted: Collection[str] | None) -> Obstacle | None:
    """What keeps the writer from this type. `granted`: its application permissions; None: there is no writer.

    Azure's roles are not in the writer's token, so nothing is said of them.
    """
    if granted is None:
        return Obstacle("the tenant has no writer connection.", "Connect a writer, then test it.")
    permissions = spec.permissions
    if spec.on_azure or not permissions.write or permissions.may_write(granted):
        return None
    missing = ", ".join(name for name in permissions.write if name not in granted)
    return Obstacle(
        f"the writer lacks {missing}.",
        f"Grant {missing} to the writer's app registration with admin consent, then test the connection.",
    )


def end_of(spec: ResourceType, document: Document) -> datetime | None:
    """When the object ends by itself; None where it does not."""
    text = None if spec.restore.ends is None else at(document, spec.restore.ends)
    if not isinstance(text, str):
        return None
    try:
        end = datetime.fromisoformat(text)
    except ValueError:
        return None
    return end if end.tzinfo is not None else end.replace(tzinfo=UTC)


def lost_in_place(spec: ResourceType, document: Document) -> Iterator[Lost]:
    """What a change of an existing object could destroy for good."""
    restore = spec.restore
    written = {action.property for action in restore.actions} | {*restore.recreate_for}
    for loss in restore.losses:
        if callable(loss.fixed):
            if not loss.keeps(at(document, loss.path)):
                yield Lost(loss.path, loss.what)
            continue
        unwritten = not (spec.writes(_top(loss)) or _top(loss) in written)
        if not loss.anew and not names_an_id(loss) and (loss.fixed or unwritten):
            yield from _lost(loss, document)


def lost_anew(spec: ResourceType, document: Document) -> Iterator[Lost]:
    """What an object made anew does not have of the old one, its id aside."""
    acted = {action.property for action in spec.restore.actions}
    for loss in spec.restore.losses:
        brought = spec.creates_with(_top(loss)) or _top(loss) in acted
        if not loss.fixed and not names_an_id(loss) and (loss.anew or not brought):
            yield from _lost(loss, document)


def left_out(spec: ResourceType, document: Document) -> tuple[str, ...]:
    """Properties of the object that no request would give to a new one, and whose loss nothing declares: Microsoft has
    added them since, and an object made without them would not be the same.
    """
    restore = spec.restore
    reached = {action.property for action in restore.actions} | {each.property for each in restore.removals}
    reached |= {part.name for part in spec.parts} | {stream.name for stream in spec.streams}
    reached |= {_top(loss) for loss in restore.losses} | {
        path.partition(".")[0] for path in restore.after_create
    }
    given = {*spec.identity, *spec.addressing, *spec.spelled, *restore.given, ODATA_TYPE}
    return tuple(
        name
        for name, value in sorted(document.items())
        if value not in NOTHING and not spec.creates_with(name) and name not in reached | given
    )


def uncreatable(spec: ResourceType, document: Document) -> str | None:
    """Why an object cannot be created again although others of its type can; None where it can."""
    reason = None if spec.restore.irreplaceable is None else spec.restore.irreplaceable(document)
    if reason is not None:
        return reason
    lacking = left_out(spec, document)
    if not lacking:
        return None
    return (
        f"it holds {', '.join(lacking)}, and no request is known that sets this on a new object. "
        "Create it by hand, then take a snapshot."
    )


def names_an_id(loss: Loss) -> bool:
    """That an object made anew has another id is the verdict itself and no loss."""
    return loss.path == "id" or loss.path.endswith("[].id")


def keeps_its_id(spec: ResourceType) -> bool:
    """Whether an object made anew has the id of the old one."""
    return spec.restore.keeps_id or "id" not in spec.identity


def can_be_written(spec: ResourceType) -> bool:
    """Whether anything of an existing object can be."""
    restore = spec.restore
    return bool(restore.update_path or restore.actions or restore.removals or restore.recreate_for) or any(
        part.add_ref or part.element_path for part in spec.parts
    )


def can_be_deleted(spec: ResourceType) -> bool:
    """Whether there is any sign that an object of the type can go: Microsoft keeps settings for ever."""
    restore = spec.restore
    return any((restore.delete_path, restore.create_path, restore.undelete))


def _hopeless(spec: ResourceType, document: Document, now: datetime) -> str | None:
    protected = None if spec.restore.protected is None else spec.restore.protected(document)
    if protected is not None:
        return protected
    end = end_of(spec, document)
    if end is not None and end <= now:
        return f"It was to end at {end:%Y-%m-%d %H:%M} UTC."
    if not can_be_written(spec) and not can_be_deleted(spec):
        return f"Microsoft lets no application write {spec.plural[:1].lower()}{spec.plural[1:]}."
    return None


def _changed(spec: ResourceType, document: Document, anew: Answer) -> Answer | None:
    if not can_be_written(spec):
        return None
    if not spec.restore.writable and spec.restore.recreate_for:
        return Answer(anew.verdict, f"It is deleted first. {anew.reason}", anew.losses, anew.new_id)
    replaced = ", ".join(name for name in spec.restore.recreate_for if at(document, name) not in NOTHING)
    also = f" For another {replaced} it is deleted and made anew." if replaced else ""
    losses = tuple(lost_in_place(spec, document))
    but = f" What was in {', '.join(lost.path for lost in losses)} may stay lost." if losses else ""
    return Answer(
        Verdict.PARTLY if losses else Verdict.IN_PLACE,
        f"Only what differs is written, and its id stays.{also}{but}",
        losses,
        new_id=bool(replaced) and not keeps_its_id(spec),
    )


def _deleted(spec: ResourceType, anew: Answer) -> tuple[Answer | None, Answer | None]:
    undelete = spec.restore.undelete
    if undelete is None:
        return (anew if can_be_deleted(spec) else None), None
    within = f" within {undelete.days} days" if undelete.days is not None else ""
    if not undelete.doubt:
        return Answer(
            Verdict.IN_PLACE, f"It is taken out of the deleted items{within}, and its id stays."
        ), anew
    return (
        Answer(
            anew.verdict,
            f"Where the deleted items have it{within}, it is taken out of them, and its id stays. "
            f"{undelete.doubt} Otherwise: {anew.reason}",
            anew.losses,
            anew.new_id,
        ),
        anew,
    )


def _made_anew(spec: ResourceType, document: Document) -> Answer:
    if spec.restore.create_path is None:
        return Answer(Verdict.NOT_RESTORABLE, "Microsoft offers applications no way to make it again.")
    reason = uncreatable(spec, document)
    if reason is not None:
        return Answer(Verdict.NOT_RESTORABLE, f"It cannot be made again: {reason}")
    losses = tuple(lost_anew(spec, document))
    if keeps_its_id(spec):
        verdict = Verdict.PARTLY if losses else Verdict.IN_PLACE
        return Answer(verdict, "It is made again under its old id.", losses)
    verdict = Verdict.PARTLY if losses else Verdict.NEW_ID
    reason = f"It is made anew, under a new id. {spec.restore.new_id_note}".rstrip()
    return Answer(verdict, reason, losses, new_id=True)


def _overall(changed: Answer | None, deleted: Answer | None) -> tuple[Verdict, str]:
    """The worse case's; where only one is hopeless, part of what can happen can be undone."""
    cases = [("changed", changed), ("deleted", deleted)]
    possible = [(case, answer) for case, answer in cases if answer is not None]
    worst = max((answer.verdict for _, answer in possible), key=lambda verdict: verdict.rank)
    if len({answer.reason for _, answer in possible}) == 1:
        return worst, possible[0][1].reason
    if any(answer.verdict is not worst for _, answer in possible) and worst is Verdict.NOT_RESTORABLE:
        worst = Verdict.PARTLY
    return worst, " ".join(f"If it is {case}: {answer.reason}" for case, answer in possible)


def _lost(loss: Loss, document: Document) -> Iterator[Lost]:
    if loss.items is not None:
        items = tuple(loss.items(document))
        if items:
            yield Lost(loss.path, loss.what, items)
    elif at(document, loss.path.partition("[")[0]) not in NOTHING:
        yield Lost(loss.path, loss.what)


def _top(loss: Loss) -> str:
    return loss.path.split("[")[0].split(".")[0]
