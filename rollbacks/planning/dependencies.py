"""Which steps of a plan depend on which: for their order, and for what is skipped when Microsoft refuses one."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from rollbacks.planning.drafts import Draft, Phase
from rollbacks.planning.model import BRINGS_BACK, Key, PlannedStep, StepKind
from rollbacks.planning.tokens import found_in
from snapshots.canonical.references import Mention, mentions
from snapshots.catalog.spec import Document, ResourceType

Catalogue = Mapping[str, ResourceType]


class Dependencies:
    """`behind` names the resources that the plan brings back under what a document mentions."""

    def __init__(self, catalogue: Catalogue, behind: Callable[[Mention], Iterable[Key]]) -> None:
        self.catalogue = catalogue
        self.behind = behind

    def between(self, drafts: Sequence[Draft]) -> dict[int, frozenset[int]]:
        """By position: a resource's own earlier steps, the steps that bring back what it names, and for a deletion
        those of everything that refers to it.
        """
        arrival = {draft.target.key: index for index, draft in enumerate(drafts) if draft.kind in BRINGS_BACK}
        deletions = {
            draft.target.key: index for index, draft in enumerate(drafts) if draft.kind is StepKind.DELETE
        }
        referrers = self._referrers([drafts[index] for index in deletions.values()])
        last: dict[Key, int] = {}
        needs: dict[int, frozenset[int]] = {}
        for index, draft in enumerate(drafts):
            key = draft.target.key
            own = {last[key]} if key in last else set()
            named = {arrival[each] for each in self._named_in(draft) if each in arrival}
            needs[index] = frozenset(
                own
                | named
                | {deletions[each] for each in referrers.get(key, ())}
                | {other for other in deletions.values() if self._stands_in_the_way(drafts[other], draft)}
            )
            last[key] = index
        return needs

    def _named_in(self, draft: Draft) -> set[Key]:
        """What must be there before this step; an object comes back before its members and owners."""
        wanted = draft.target.wanted
        if wanted is None:
            return set()
        spec = self.catalogue[draft.target.resource_type]
        if draft.kind in BRINGS_BACK:
            parts = {part.name for part in spec.parts}
            wanted = {name: value for name, value in wanted.items() if name not in parts}
        return {key for mention in mentions(spec, wanted) for key in self.behind(mention)} - {
            draft.target.key
        }

    def _referrers(self, deletions: Sequence[Draft]) -> dict[Key, frozenset[Key]]:
        """For each resource to be deleted, the others to be deleted that refer to it."""
        found: dict[Key, set[Key]] = {}
        for draft in deletions:
            spec = self.catalogue[draft.target.resource_type]
            for mention in mentions(spec, draft.expected or {}):
                for other in deletions:
                    if other is not draft and _names(mention, other, self.catalogue):
                        found.setdefault(other.target.key, set()).add(draft.target.key)
        return {key: frozenset(keys - {key}) for key, keys in found.items()}

    def _stands_in_the_way(self, deletion: Draft, draft: Draft) -> bool:
        """Whether one fact is to be said by another type again: Microsoft takes it only once the first is gone."""
        if draft.kind is StepKind.DELETE or draft.target.wanted is None:
            return False
        gone, spec = self.catalogue[deletion.target.resource_type], self.catalogue[draft.target.resource_type]
        old, new = deletion.expected or {}, draft.target.wanted
        if any(
            part.derived_from is not None and part.derived_from.path == gone.read.path for part in spec.parts
        ):
            return any(_names(mention, draft, self.catalogue) for mention in mentions(gone, old))
        return any(
            derived_from is not None
            and derived_from.path == other.read.path
            and all(old.get(name) == new.get(name) for name in derived_from.by)
            for derived_from, other in ((spec.read.derived_from, gone), (gone.read.derived_from, spec))
        )

    def with_needs(
        self,
        steps: Sequence[PlannedStep],
        drafts: Sequence[Draft],
        needs: Mapping[int, frozenset[int]],
        order: Sequence[int],
    ) -> tuple[PlannedStep, ...]:
        """Each step with the earlier ones without which it must not run: those that decided its place, those on
        resources that it names, and, before protection is relaxed, those that put protection of its type in place.
        """
        number_of = {index: number for number, index in enumerate(order, 1)}
        touching: dict[str, set[int]] = defaultdict(set)
        referring: dict[str, set[int]] = defaultdict(set)
        protecting: dict[str, set[int]] = defaultdict(set)
        for index, step in zip(order, steps, strict=True):
            touching[step.resource_id].add(step.order)
            for resource_id in self._ids_in(step, step.expected):
                referring[resource_id].add(step.order)
            if self._protects(step, drafts[index].phase):
                protecting[step.resource_type].add(step.order)
        result = []
        for index, step in zip(order, steps, strict=True):
            needed = {number_of[each] for each in needs[index]}
            needed = needed.union(*(touching.get(each, ()) for each in self._ids_named_by(step, steps)))
            if step.kind is StepKind.DELETE:
                needed |= referring.get(step.resource_id, set())
            if drafts[index].phase in (Phase.RELAX, Phase.DELETE):
                needed |= protecting.get(step.resource_type, set())
            result.append(replace(step, needs=tuple(sorted(each for each in needed if each < step.order))))
        return tuple(result)

    def _ids_named_by(self, step: PlannedStep, steps: Sequence[PlannedStep]) -> set[str]:
        """Ids in the step's references; a token stands for the resource that the named step brings back."""
        named = self._ids_in(step, step.target) | self._ids_in(step, step.wanted)
        return named | {steps[number - 1].resource_id for number, _ in found_in(step.to_json())}

    def _ids_in(self, step: PlannedStep, document: Document | None) -> set[str]:
        return {mention.value for mention in mentions(self.catalogue[step.resource_type], document or {})}

    def _protects(self, step: PlannedStep, phase: Phase) -> bool:
        """Whether it brings back or enforces a resource of a type that is enforced in stages."""
        is_staged = self.catalogue[step.resource_type].restore.update.staged is not None
        return is_staged and phase in (Phase.BRING_BACK, Phase.ENFORCE)


def _names(mention: Mention, draft: Draft, catalogue: Catalogue) -> bool:
    if mention.to != draft.target.resource_type and mention.to in catalogue:
        return False
    if mention.by == "id":
        return mention.value == draft.target.resource_id
    return (draft.expected or {}).get(mention.by) == mention.value
