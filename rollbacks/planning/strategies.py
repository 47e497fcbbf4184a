"""How one resource comes back: undelete, the least update, recreate or delete, whichever its spec and its live
state allow, least destructive first. Says in words what cannot be brought back.
"""

from collections.abc import Callable

from rollbacks.planning import bodies
from rollbacks.planning.announcements import Announcements, protected
from rollbacks.planning.drafts import Drafting, Outcome, Phase
from rollbacks.planning.effects import after, same
from rollbacks.planning.model import LiveState, PlannedRequest, StepKind, Target
from rollbacks.planning.requests import RequestWriter
from snapshots.canonical.form import canonicalise
from snapshots.catalog.spec import Document, ResourceType
from snapshots.collection.addresses import at
from snapshots.recoverability.verdicts import uncreatable


def made_anew(spec: ResourceType, live: Document, wanted: Document) -> bool:
    """Whether the difference is in something that only a new object can have otherwise."""
    return any(not same(at(live, path), at(wanted, path)) for path in spec.restore.create.recreate_for)


def can_return(spec: ResourceType, wanted: Document, live: LiveState) -> bool:
    """Whether a resource that is gone can come back at all."""
    undeletable = live.deleted and spec.restore.undelete is not None
    creatable = spec.restore.create.path is not None and uncreatable(spec, wanted) is None
    return (undeletable or creatable) and protected(spec, wanted) is None


def _direction(*, relaxing: bool, raising: bool) -> Phase:
    return Phase.RELAX if relaxing else Phase.ENFORCE if raising else Phase.BRING_BACK


class Strategist:
    """Chooses the steps for one target. `wanted` and `known` have tokens for ids that the execution will give;
    `plain` puts the old ids back, for people's eyes.
    """

    def __init__(
        self,
        target: Target,
        live: LiveState,
        spec: ResourceType,
        *,
        wanted: Document | None,
        known: Document | None,
        new_id: str,
        graph_url: str,
        plain: Callable[[Document | None], Document | None],
    ) -> None:
        self.target = target
        self.live = live
        self.spec = spec
        self.wanted = wanted
        self.known = known
        self.new_id = new_id
        self.graph_url = graph_url
        self.outcome = Outcome()
        self.announce = Announcements(target, spec, self.outcome)
        self.drafting = Drafting(target, spec, plain, self.outcome)
        self.label = self.announce.label
        self.announced: Document | None = None
        """What the resource will be in the end, where the plan cannot bring back all of it."""

    def choose(self) -> Outcome:
        if self.wanted is None:
            self._not_wanted()
        elif self.live.document is not None:
            self._changed(self.live.document, self.wanted, self.target.resource_id)
        elif self.live.natural_key_match is not None:
            self._adopt(
                self.live.natural_key_match.resource_id, self.live.natural_key_match.document, self.wanted
            )
        else:
            self._absent(self.wanted)
        for draft in self.outcome.drafts:
            draft.announced = self.announced
        return self.outcome

    def _not_wanted(self) -> None:
        live = self.live.document
        if live is None:
            return
        if self.announce.is_protected(live):
            return
        if self.spec.restore.delete.retired_with:
            self._retire(live)
            return
        reason = self.spec.restore.guards.never_deleted(live)
        if reason is not None:
            self.announce.lose(f"{self.label} stays: {reason}", f"It stays: {reason}")
            return
        if self.spec.restore.delete.path is None:
            what = "cannot be deleted through Microsoft Graph and stays."
            self.announce.lose(f"{self.label} {what}", f"It {what}")
            return
        self.drafting.step(
            StepKind.DELETE,
            self._phase(live, None, Phase.DELETE),
            f"Deletes {self.label}, which did not exist at that time.",
            self._writer(self.target.resource_id, live).delete(live),
            result=None,
            before=live,
        )

    def _retire(self, live: Document) -> None:
        names = ", ".join(sorted(self.spec.restore.delete.retired_with))
        what = f"cannot be deleted; it stays, and {names} is set so that it is not used."
        self.announce.lose(f"{self.label} {what}", f"It {what}")
        request = self._writer(self.target.resource_id, live).retire(live)
        result = self.announced = self._reached([request], live)
        if not same(result, live):
            explanation = f"Puts {self.label}, which did not exist at that time, out of use."
            self.drafting.step(
                StepKind.UPDATE, Phase.DELETE, explanation, [request], result=result, before=live
            )

    def _absent(self, wanted: Document) -> None:
        if self.announce.is_protected(wanted):
            return
        restore, reason = self.spec.restore, uncreatable(self.spec, wanted)
        known = self.known or wanted
        if self.live.deleted and restore.undelete is not None:
            writer = self._writer(self.target.resource_id, wanted)
            fallback = [self._writer(self.new_id, wanted).create(bodies.staged(self.spec, wanted))]
            self.drafting.step(
                StepKind.UNDELETE,
                Phase.BRING_BACK,
                f"Restores {self.label} from the deleted items. It keeps its ID.",
                [writer.undelete()],
                result=wanted,
                fallback=fallback if restore.create.path and reason is None else [],
            )
            rewrite, unwritable = self._writer(self.new_id, wanted).update(
                known, bodies.staged(self.spec, wanted), ensure=True
            )
            self.announce.unwritable(unwritable)
            if unwritable:
                known_values = {name: known.get(name) for name in unwritable}
                self.announced = canonicalise({**wanted, **known_values}, self.spec)
            if restore.undelete.note:
                self.outcome.warnings.append(f"{self.label} is recovered. {restore.undelete.note}")
            self._settle(wanted, rewrite, "Writes properties that the restored object still lacks, if any.")
        elif restore.create.path is not None and reason is None:
            first = bodies.staged(self.spec, wanted)
            self.drafting.step(
                StepKind.RECREATE,
                self._phase(None, wanted, Phase.BRING_BACK),
                self._creation(first is not wanted),
                [self._writer(self.new_id, wanted).create(first)],
                result=first,
            )
            self.announce.of_a_new_object(wanted)
            self._settle(
                wanted,
                self._writer(self.new_id, wanted).settle(wanted),
                "Adds properties that cannot be set when an object is created.",
            )
        elif restore.create.auto_created_with:
            self._arrive(wanted)
        elif reason is None:
            what = "no longer exists and cannot be recreated through Microsoft Graph."
            self.announce.lose(f"{self.label} {what}", f"It {what}")
        else:
            what = f"no longer exists and cannot be recreated: {reason}"
            self.announce.lose(f"{self.label} {what}", f"It {what}")

    def _arrive(self, wanted: Document) -> None:
        """What comes into being with another object is then set as it was."""
        given = {name: value for name, value in wanted.items() if not self.spec.writes(name)}
        requests, _ = self._writer(self.target.resource_id, wanted).update(given, wanted, ensure=True)
        explanation = f"Restores {self.label} after the object that it belongs to exists again."
        self.drafting.step(
            StepKind.UPDATE, Phase.BRING_BACK, explanation, requests, result=wanted, follows=True
        )

    def _creation(self, is_staged: bool) -> str:
        how = ", without enforcing it yet" if is_staged else ""
        if self.spec.restore.create.caller_chooses_id:
            return f"Recreates {self.label}{how} under its old ID."
        return f"Recreates {self.label}{how}. It gets a new ID unless Microsoft keeps the old one."

    def _settle(self, wanted: Document, requests: list[PlannedRequest], explanation: str) -> None:
        first = bodies.staged(self.spec, wanted)
        if requests:
            self.drafting.step(
                StepKind.UPDATE,
                Phase.BRING_BACK,
                f"{self.label}: {explanation}",
                requests,
                result=first,
                object_id=self.new_id,
                follows=True,
            )
        if first is not wanted:
            self._enforce(first, wanted, self.new_id)

    def _adopt(self, live_id: str, live: Document, wanted: Document) -> None:
        self.outcome.warnings.append(
            f"{self.label} exists under another ID ({live_id}) and is restored to the earlier version there."
            if not made_anew(self.spec, live, wanted)
            else f"{self.label} exists with different content under another ID ({live_id}) and is "
            "replaced by a new one."
        )
        self._changed(live, wanted, live_id)

    def _changed(self, live: Document, wanted: Document, object_id: str) -> None:
        if same(live, wanted) or self.announce.is_protected(live) or self.announce.is_protected(wanted):
            return
        if made_anew(self.spec, live, wanted):
            self._replace(live, wanted, object_id)
            return
        wanted = self.announce.attainable(live, wanted)
        raising = bodies.enforcing(self.spec, wanted) and not bodies.enforcing(self.spec, live)
        stage = self.spec.restore.update.staged
        only_state = stage is not None and bodies.differing(live, wanted) == (stage.property,)
        first = bodies.staged(self.spec, wanted) if raising and not only_state else wanted
        requests, unwritable = self._writer(object_id, live).update(live, first)
        only_lacking = self.announce.lost_items(live, wanted)
        self.announce.unwritable([name for name in unwritable if name not in only_lacking])
        relaxing = bodies.enforcing(self.spec, live) and not bodies.enforcing(self.spec, wanted)
        if requests:
            self.drafting.step(
                StepKind.UPDATE,
                self._phase(live, wanted, _direction(relaxing=relaxing, raising=raising and only_state)),
                f"Restores {self.label} to the earlier version by writing only the differences.",
                requests,
                result=self._reached(requests, live),
                before=live,
                object_id=object_id,
            )
        if first is not wanted:
            self._enforce(self._reached(requests, live) or first, wanted, object_id)
        if self.outcome.losses and self.outcome.drafts:
            self.announced = self.outcome.drafts[-1].result

    def _phase(self, live: Document | None, wanted: Document | None, otherwise: Phase) -> Phase:
        order = self.spec.restore.order
        if order.is_first(live, wanted):
            return Phase.FIRST
        return Phase.LAST if order.is_last(wanted) else otherwise

    def _replace(self, live: Document, wanted: Document, object_id: str) -> None:
        """Deletes and creates: what differs is something that only a new object can have otherwise."""
        reason = uncreatable(self.spec, wanted)
        if reason is not None:
            what = f"is left unchanged because it cannot be recreated: {reason}"
            self.announce.lose(f"{self.label} {what}", f"It {what}")
            return
        self.drafting.step(
            StepKind.DELETE,
            Phase.BRING_BACK,
            f"Deletes {self.label}, because the changed properties cannot be set on an existing object.",
            self._writer(object_id, live).delete(live),
            result=None,
            before=live,
            object_id=object_id,
        )
        self.drafting.step(
            StepKind.RECREATE,
            Phase.BRING_BACK,
            self._creation(is_staged=False),
            [self._writer(self.new_id, wanted).create(wanted)],
            result=wanted,
            follows=True,
        )
        self.announce.of_a_new_object(wanted)
        self._settle(
            wanted,
            self._writer(self.new_id, wanted).settle(wanted),
            "Adds properties that cannot be set when an object is created.",
        )

    def _reached(self, requests: list[PlannedRequest], live: Document) -> Document | None:
        """What the requests can reach: the wanted document, less what cannot be written."""
        document: Document | None = live
        for planned in requests:
            document = after(planned.effect, document, self.spec)
        return document

    def _enforce(self, first: Document, wanted: Document, object_id: str) -> None:
        stage = self.spec.restore.update.staged
        if stage is None:
            return
        value = wanted.get(stage.property)
        result = canonicalise({**first, stage.property: value}, self.spec)
        requests, _ = self._writer(object_id, wanted).update(
            {stage.property: first.get(stage.property)}, {stage.property: value}
        )
        self.drafting.step(
            StepKind.ENFORCE,
            Phase.ENFORCE,
            f"Sets {self.label} to {value} after everything it refers to is in place.",
            requests,
            result=result,
            before=first,
            object_id=object_id,
            follows=True,
        )

    def _writer(self, object_id: str, document: Document) -> RequestWriter:
        return RequestWriter(
            self.spec, object_id, {**document, **self.live.location}, self.graph_url, self.live.raw
        )
