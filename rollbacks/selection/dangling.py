"""No step names what does not exist: whatever the steps of a plan write is looked up in the live tenant.

Microsoft refuses a body that names somebody or something that is gone, so a plan leaves the reference out, or the
resource that is about it, and says so. What cannot be looked up is said as well. Changes targets only.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from rollbacks.planning.model import (
    BRINGS_BACK,
    AnnouncedLoss,
    Effect,
    EffectKind,
    Key,
    LiveState,
    PlanDraft,
    PlannedRequest,
    PlannedStep,
    StepKind,
    Target,
)
from rollbacks.planning.tokens import found_in
from snapshots.canonical.references import Mention, references_in
from snapshots.catalog import registry
from snapshots.catalog.elsewhere import DIRECTORY_KINDS, KINDS
from snapshots.catalog.places import ANY_KEY, ELEMENT, Path, parse
from snapshots.catalog.spec import Document, Reference, ResourceType
from snapshots.collection.presence import Presence
from snapshots.recoverability.verdicts import keeps_same_id

_GONE = object()

Named = tuple[Reference, Mention]


@dataclass(frozen=True)
class Sound:
    """The plan without dangling references, and what was left out or could not be looked up, in words."""

    draft: PlanDraft
    warnings: tuple[str, ...] = ()
    losses: tuple[AnnouncedLoss, ...] = ()


def without_dangling(
    targets: Sequence[Target],
    live: Mapping[Key, LiveState],
    presence: Presence,
    plan: Callable[[Sequence[Target]], PlanDraft],
    names: Callable[[Collection[str]], Mapping[str, str]],
) -> Sound:
    """Plans again until no step names something that does not exist. `names` gives display names to ids.

    Raises MicrosoftError where it cannot be asked who exists.
    """
    presence.tell({key: True for key, state in live.items() if state.document is not None})
    found = list(targets)
    warnings: list[str] = []
    losses: list[AnnouncedLoss] = []
    while True:
        draft = plan(found)
        named = [(step, list(_named_by(step, draft))) for step in draft.steps]
        presence.ask(
            mention for _, each in named for reference, mention in each if reference.if_gone != "kept"
        )
        lost = _lost(named, live, presence)
        known = names({mention.value for _, each in named for _, mention in each})
        if not lost:
            said = _said(named, presence, known)
            return Sound(draft, tuple(dict.fromkeys((*warnings, *said))), tuple(losses))
        remaining, left_out = _left_out(found, lost, known)
        if remaining == found:
            blocked = replace(draft, blockers=(*draft.blockers, *_blockers(lost, known)))
            return Sound(blocked, tuple(warnings), tuple(losses))
        found = remaining
        warnings += [warning for warning, _ in left_out]
        losses += [loss for _, loss in left_out]


def _lost(
    named: Sequence[tuple[PlannedStep, Sequence[Named]]], live: Mapping[Key, LiveState], presence: Presence
) -> dict[Key, set[Mention]]:
    """What must not be named, by the target that does: the step's own, or the one whose place a live twin takes."""
    adopted = {
        (kind, state.natural_key_match.resource_id): (kind, identifier)
        for (kind, identifier), state in live.items()
        if state.natural_key_match is not None
    }
    found: dict[Key, set[Mention]] = {}
    for step, each in named:
        for reference, mention in each:
            if reference.if_gone == "left out" and presence.of(mention) is False:
                found.setdefault(adopted.get(step.key, step.key), set()).add(mention)
    return found


def _left_out(
    targets: Sequence[Target], lost: Mapping[Key, set[Mention]], known: Mapping[str, str]
) -> tuple[list[Target], list[tuple[str, AnnouncedLoss]]]:
    """What can be restored, and what cannot: in words, and as the loss that it is."""
    remaining: list[Target] = []
    left_out: list[tuple[str, AnnouncedLoss]] = []
    for target in targets:
        gone = lost.get(target.key)
        if not gone or target.wanted is None:
            remaining.append(target)
            continue
        spec = registry.get(target.resource_type)
        who = f"{spec.label} “{target.display_name or target.resource_id}”"
        what = ", ".join(sorted(_in_words(mention, known) for mention in gone))
        pruned = _pruned(target.wanted, spec, gone)
        if pruned is None or pruned == target.wanted:
            said = f"cannot be restored: it refers to {what}, which no longer exists."
        else:
            said = f"is restored without {what}, which no longer exists."
            remaining.append(replace(target, wanted=pruned))
        loss = AnnouncedLoss(*target.key, target.display_name, "", f"It {said}")
        left_out.append((f"{who} {said}", loss))
    return remaining, left_out


def _blockers(lost: Mapping[Key, set[Mention]], known: Mapping[str, str]) -> Iterator[str]:
    for (kind, identifier), gone in lost.items():
        what = ", ".join(sorted(_in_words(mention, known) for mention in gone))
        yield (
            f"{registry.get(kind).label} {identifier} would be written with a reference to {what}, "
            "which does not exist."
        )


def _said(
    named: Sequence[tuple[PlannedStep, Sequence[Named]]], presence: Presence, known: Mapping[str, str]
) -> Iterator[str]:
    """What is written although it has no effect, and what nobody can look up."""
    for step, each in named:
        who = f"{registry.get(step.resource_type).label} “{step.display_name or step.resource_id}”"
        for reference, mention in each:
            if reference.if_gone == "kept":
                continue
            there, what = presence.of(mention), _in_words(mention, known)
            if there is False and reference.if_gone == "told":
                yield f"{who} refers to {what} in its {reference.path}, which no longer exists."
            elif there is None and mention.to in KINDS:
                yield f"{who} refers to {what}, which could not be looked up. Check that it exists."


def _in_words(mention: Mention, known: Mapping[str, str]) -> str:
    name = known.get(mention.value)
    label = (
        DIRECTORY_KINDS.get(mention.to)
        or (KINDS[mention.to].label if mention.to in KINDS else "")
        or registry.get(mention.to).label
    )
    return f"{label} {mention.value}" if name is None else f"{label} “{name}” ({mention.value})"


def _named_by(step: PlannedStep, draft: PlanDraft) -> Iterator[Named]:
    """What the step's requests name, without what the plan itself brings back."""
    spec = registry.get(step.resource_type)
    brought = set(_brought_back(draft))
    for planned in (*step.requests, *step.fallback):
        for reference, value in references_in(spec, _written(planned, step, spec)):
            if not found_in(value) and value not in brought:
                yield reference, Mention(reference.to, reference.by, value)


def _brought_back(draft: PlanDraft) -> Iterator[str]:
    """Identifiers that stay with what a step brings back; others stand in the plan as tokens."""
    for step in draft.steps:
        if step.kind is StepKind.UNDELETE:
            yield from step.keys.values()
        elif step.kind in BRINGS_BACK and keeps_same_id(registry.get(step.resource_type)):
            yield step.keys.get("id", step.resource_id)


def _written(planned: PlannedRequest, step: PlannedStep, spec: ResourceType) -> Document:
    """The part of the document that a request writes."""
    effect, whole = planned.effect, step.target or {}
    if effect.kind is EffectKind.CREATE:
        return {
            name: value
            for name, value in whole.items()
            if spec.creates_with(name) or name in spec.addressing or name in spec.identity.properties
        }
    if effect.kind is EffectKind.SET and (planned.request.method == "PUT" or _adds_to_updates(spec, effect)):
        return {name: value for name, value in whole.items() if spec.writes(name)}
    if effect.kind is EffectKind.SET:
        return {name: value for name, value in effect.values.items() if value is not None}
    if effect.kind in (EffectKind.ADD, EffectKind.CHANGE):
        return {effect.of: list(effect.elements)}
    return {}


def _adds_to_updates(spec: ResourceType, effect: Effect) -> bool:
    """Whether the body holds more than what differs."""
    return spec.restore.update.shape is not None and any(spec.writes(name) for name in effect.values)


def _pruned(document: Document, spec: ResourceType, gone: Collection[Mention]) -> Document | None:
    """Without the elements and settings that name what is gone; None where the document itself is about it."""
    value: Any = document
    places = [(parse(each.path), each) for each in spec.references if each.if_gone == "left out"]
    places += [
        ((part.name, ELEMENT, part.named_by), Reference("", part.reference))
        for part in spec.parts
        if part.reference is not None
    ]
    named_fields = {*spec.identity.properties, *spec.identity.natural_key, *spec.restore.create.only}
    for path, reference in places:
        left = _without(value, path, partial(_names_one_of, reference, gone))
        if left is not _GONE:
            value = left
        elif len(path) == 1 and path[0] not in named_fields:
            value = {name: each for name, each in value.items() if name != path[0]}
        else:
            return None
    return dict(value)


def _names_one_of(reference: Reference, gone: Collection[Mention], value: Any) -> bool:
    return any(Mention(reference.to, reference.by, named) in gone for named in reference.named(value))


def _without(value: Any, path: Path, gone: Callable[[Any], bool]) -> Any:
    """The value without what is gone at the path: a list loses the element, a map of any keys the entry, everything
    else is gone itself.
    """
    if not path:
        return _GONE if gone(value) else value
    if path[0] == ELEMENT:
        if not isinstance(value, list):
            return value
        elements = (_without(element, path[1:], gone) for element in value)
        return [element for element in elements if element is not _GONE]
    if isinstance(value, dict) and path[0] == ANY_KEY:
        entries = {name: _without(each, path[1:], gone) for name, each in value.items()}
        return {name: each for name, each in entries.items() if each is not _GONE}
    if not isinstance(value, dict) or path[0] not in value:
        return value
    inner = _without(value[path[0]], path[1:], gone)
    return _GONE if inner is _GONE else {**value, path[0]: inner}
