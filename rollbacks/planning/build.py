"""From targets and the live state to a plan. Called by the services with everything already read."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from rollbacks.planning.dependencies import Catalogue, Dependencies
from rollbacks.planning.drafts import Draft, Outcome, Phase
from rollbacks.planning.effects import same
from rollbacks.planning.model import BRINGS_BACK, Key, LiveState, PlanDraft, PlannedStep, StepKind, Target
from rollbacks.planning.ordering import Cycle, ordered
from rollbacks.planning.references import repointed
from rollbacks.planning.strategies import Strategist, can_return, made_anew
from rollbacks.planning.tokens import found_in, put_in, step_with, token
from snapshots.canonical.references import Mention, mentions
from snapshots.catalog.spec import Document, ResourceType
from snapshots.collection.addresses import at


@dataclass(frozen=True)
class Recreation:
    """A resource that the plan brings back, so that it may get new identifiers: `keys` are the old ones, and the
    `kept` among them stay what they are.
    """

    number: int
    target: Target
    keys: Mapping[str, str]
    retained: frozenset[str]


def unique_natural_key(spec: ResourceType) -> bool:
    """Whether Microsoft allows one object per natural key: not where the key is just a name."""
    return bool(spec.identity.natural_key) and not {"displayName", "name"} & {*spec.identity.natural_key}


def build(
    targets: Sequence[Target], live: Mapping[Key, LiveState], catalogue: Catalogue, *, graph_url: str
) -> PlanDraft:
    """The whole plan: every target's steps, in an order in which each can succeed."""
    return _Builder(targets, live, catalogue, graph_url).plan()


class _Builder:
    def __init__(
        self, targets: Sequence[Target], live: Mapping[Key, LiveState], catalogue: Catalogue, graph_url: str
    ) -> None:
        self.catalogue = catalogue
        self.live = live
        self.graph_url = graph_url
        self.adopted = self._adoptions(targets)
        taken_over = {(kind, natural_key_match) for (kind, _), natural_key_match in self.adopted.items()}
        self.targets = [
            each
            for each in sorted(
                targets, key=lambda each: (catalogue[each.resource_type].restore.order.rank, each.key)
            )
            if not (each.wanted is None and each.key in taken_over)
        ]
        self.recreations: dict[Key, Recreation] = {}
        while self._note_more_recreations():
            pass

    def plan(self) -> PlanDraft:
        outcomes = [self._outcome(target) for target in self.targets]
        warnings = [warning for outcome in outcomes for warning in outcome.warnings]
        drafts = [draft for outcome in outcomes for draft in outcome.drafts]
        losses = [
            replace(loss, resource_id=self._present_id(target))
            for target, outcome in zip(self.targets, outcomes, strict=True)
            for loss in outcome.losses
        ]
        blockers: tuple[str, ...] = ()
        dependencies = Dependencies(self.catalogue, self._keys_behind)
        needs = dependencies.between(drafts)
        try:
            order = ordered(needs, {index: self._rank(draft, index) for index, draft in enumerate(drafts)})
        except Cycle as cycle:
            names = ", ".join(sorted({drafts[node].target.display_name or "?" for node in cycle.nodes}))
            blockers = (
                f"These resources refer to each other, so none of them can be restored first: {names}.",
            )
            order = list(range(len(drafts)))
        numbered = self._numbered([drafts[index] for index in order])
        steps = dependencies.with_needs(numbered, drafts, needs, order)
        return PlanDraft(steps, tuple(dict.fromkeys(warnings)), tuple(losses), blockers)

    def _adoptions(self, targets: Sequence[Target]) -> dict[Key, str]:
        return {
            target.key: state.natural_key_match.resource_id
            for target in targets
            if target.wanted is not None
            and (state := self.live[target.key]).document is None
            and state.natural_key_match is not None
        }

    def _note_more_recreations(self) -> bool:
        """Whether any was noted: what names a resource with a new ID may have to be recreated itself."""
        known = len(self.recreations)
        for target in self.targets:
            self._note_recreation(target)
        return len(self.recreations) > known

    def _note_recreation(self, target: Target) -> None:
        """Notes a resource, if the plan brings it back and it is not noted already."""
        if target.key in self.recreations or target.wanted is None:
            return
        state, spec = self.live[target.key], self.catalogue[target.resource_type]
        if not can_return(spec, target.wanted, state):
            return
        present = state.present
        if present is not None:
            wanted = repointed(target.wanted, spec, self._repointing(present, spec))
            if not made_anew(spec, present, wanted):
                return
        names = {*self._named_by(spec.key), *spec.principal_identity}
        keys = {
            name: str(at(target.wanted, name)) for name in names if isinstance(at(target.wanted, name), str)
        }
        keys["id"] = target.resource_id
        undeleted = state.deleted and spec.restore.undelete is not None
        retained = (
            frozenset(keys)
            if undeleted
            else frozenset({"id"} if spec.restore.create.caller_chooses_id else ())
        )
        self.recreations[target.key] = Recreation(len(self.recreations) + 1, target, keys, retained)

    def _named_by(self, key: str) -> set[str]:
        """The properties, beside the id, by which other types refer to this one and that a create does not choose."""
        restore = self.catalogue[key].restore
        return {
            reference.by
            for spec in self.catalogue.values()
            for reference in spec.references
            if reference.to == key and reference.by not in (*restore.writable, *restore.create.only, "id")
        }

    def _outcome(self, target: Target) -> Outcome:
        spec, state = self.catalogue[target.resource_type], self.live[target.key]
        if target.wanted is not None and self._comes_with_another(target):
            return Outcome()
        repoint = self._repointing(state.document, spec)
        wanted = None if target.wanted is None else repointed(target.wanted, spec, repoint)
        known = None if target.last_known is None else repointed(target.last_known, spec, repoint)
        if self._is_so(target, state, wanted):
            return Outcome()
        recreation = self.recreations.get(target.key)
        return Strategist(
            target,
            state,
            spec,
            wanted=wanted,
            known=known,
            new_id=target.resource_id
            if recreation is None or spec.restore.create.caller_chooses_id
            else token(recreation.number),
            graph_url=self.graph_url,
            plain=self._plain,
        ).choose()

    def _is_so(self, target: Target, state: LiveState, wanted: Document | None) -> bool:
        """Live already, and referring to nothing that will certainly have another id."""
        if state.document is None or not same(state.document, target.wanted):
            return False
        retained = {
            (recreation.number, name)
            for recreation in self.recreations.values()
            for name in recreation.retained
        }
        adopted = self.adopted and not same(self._plain(wanted), target.wanted)
        return not (found_in(wanted) - retained) and not adopted

    def _comes_with_another(self, target: Target) -> bool:
        """Whether it is what something that the plan brings back is in the directory (an identity's principal)."""
        return self.live[target.key].document is None and any(
            self.catalogue[recreation.target.resource_type].principal_identity.get(name)
            == (target.resource_type, "id")
            and value == target.resource_id
            for recreation in self.recreations.values()
            for name, value in recreation.keys.items()
        )

    def _repointing(self, live: Document | None, spec: ResourceType) -> Callable[[Mention], str]:
        """Old identifier → token, or the adopted twin's id. What lives on with a reference to something that keeps
        its id is left as it is.
        """
        present = {mention.value for mention in mentions(spec, live)} if live is not None else set()

        def repoint(mention: Mention) -> str:
            for recreation, by in self._behind(mention):
                if by in recreation.keys and not (by in recreation.retained and mention.value in present):
                    return token(recreation.number, by)
            natural_key_match = next(
                (new for (_, old), new in self.adopted.items() if old == mention.value), None
            )
            return mention.value if natural_key_match is None or mention.by != "id" else natural_key_match

        return repoint

    def _behind(self, mention: Mention) -> Iterator[tuple[Recreation, str]]:
        """What the plan brings back under this name, and the property that the name is; and what that property is
        taken from in turn: a service principal's appId is its application's.
        """
        recreation = self._recreation_of(mention)
        if recreation is not None:
            yield recreation, mention.by
        yield from self._by_principal_identity(mention)
        spec = self.catalogue.get(mention.to)
        for reference in spec.references if spec is not None else ():
            if reference.path == mention.by:
                yield from self._behind(Mention(reference.to, reference.by, mention.value))

    def _keys_behind(self, mention: Mention) -> Iterator[Key]:
        for recreation, _ in self._behind(mention):
            yield recreation.target.key

    def _by_principal_identity(self, mention: Mention) -> Iterator[tuple[Recreation, str]]:
        for recreation in self.recreations.values():
            for path, (kind, by) in self.catalogue[
                recreation.target.resource_type
            ].principal_identity.items():
                is_kind = mention.to == kind or mention.to not in self.catalogue
                if is_kind and mention.by == by and recreation.keys.get(path) == mention.value:
                    yield recreation, path

    def _recreation_of(self, mention: Mention) -> Recreation | None:
        return next(
            (
                recreation
                for recreation in self.recreations.values()
                if (mention.to == recreation.target.resource_type or mention.to not in self.catalogue)
                and _is_called(recreation.target, mention)
            ),
            None,
        )

    def _plain(self, document: Document | None) -> Document | None:
        by_number = {recreation.number: recreation for recreation in self.recreations.values()}
        return put_in(document, lambda number, name: by_number[number].keys[name])

    def _rank(self, draft: Draft, index: int) -> tuple[Phase, int, str, int, str, int]:
        target = draft.target
        restore = self.catalogue[target.resource_type].restore
        order = -restore.order.rank if draft.phase is Phase.DELETE else restore.order.rank
        rank_within_type = restore.order.rank_within_type(target.wanted)
        return draft.phase, order, target.resource_type, rank_within_type, target.display_name, index

    def _numbered(self, drafts: Sequence[Draft]) -> tuple[PlannedStep, ...]:
        """Steps count from one, and tokens name the step that brings their resource back."""
        step_of = {
            draft.target.key: index for index, draft in enumerate(drafts, 1) if draft.kind in BRINGS_BACK
        }
        renumber = {
            recreation.number: step_of[key] for key, recreation in self.recreations.items() if key in step_of
        }

        def lookup(number: int, name: str) -> str:
            return token(renumber[number], name)

        return tuple(self._step(draft, order, lookup) for order, draft in enumerate(drafts, 1))

    def _step(self, draft: Draft, order: int, lookup: Callable[[int, str], str]) -> PlannedStep:
        target = draft.target
        repoint = self._repointing(self.live[target.key].document, self.catalogue[target.resource_type])
        spec = self.catalogue[target.resource_type]
        wanted = None if target.wanted is None else repointed(target.wanted, spec, repoint)
        recreation = self.recreations.get(target.key) if draft.kind in BRINGS_BACK else None
        return step_with(
            PlannedStep(
                order=order,
                kind=draft.kind,
                resource_type=target.resource_type,
                resource_id=self._acted_on(draft),
                display_name=target.display_name,
                explanation=draft.explanation,
                requests=tuple(draft.requests),
                fallback=tuple(draft.fallback),
                target=draft.result,
                wanted=None if self._takes_a_twin_away(draft) else wanted,
                announced=draft.announced,
                expected=draft.expected,
                follows=draft.follows,
                keys={} if recreation is None else recreation.keys,
                fields=draft.fields,
                changes=target.changes,
            ),
            lookup,
        )

    def _acted_on(self, draft: Draft) -> str:
        """The ID by which the step's resource is found: the natural-key match's, or its own if it is recreated."""
        target = draft.target
        if self._takes_a_twin_away(draft):
            return self.adopted[target.key]
        return self._present_id(target)

    def _present_id(self, target: Target) -> str:
        """The id of the resource: its own where it is brought back, else that of the twin that took its place."""
        if target.key in self.recreations:
            return target.resource_id
        return self.adopted.get(target.key, target.resource_id)

    def _takes_a_twin_away(self, draft: Draft) -> bool:
        return draft.kind is StepKind.DELETE and draft.target.key in self.adopted


def _is_called(target: Target, mention: Mention) -> bool:
    if mention.by == "id":
        return mention.value == target.resource_id
    return (target.wanted or {}).get(mention.by) == mention.value
