"""What became of a request: of one whose answer was lost, and of one that Microsoft refused. Reading tells."""

from dataclasses import replace

from rollbacks.execution.live_step import LiveStep
from rollbacks.execution.outcomes import State, Stopped
from rollbacks.execution.preconditions import Preconditions
from rollbacks.models import StepRecord
from rollbacks.planning.effects import after, foreseeable, shown
from rollbacks.planning.model import Effect, EffectKind, PlannedRequest
from rollbacks.selection.natural_keys import natural_key_matches
from snapshots.collection.live import Live
from tenants.microsoft.errors import (
    BadRequest,
    BatchRefused,
    Conflict,
    MicrosoftError,
    NotFound,
    PermissionMissing,
    WriteRefused,
)

MAXIMUM_ATTEMPTS = 2
"""A request whose answer was lost is repeated once, and only where reading shows that nothing has changed."""
REFUSED = (BadRequest, BatchRefused, Conflict, NotFound, PermissionMissing, WriteRefused)


class Resolver:
    def __init__(self, live: LiveStep, preconditions: Preconditions) -> None:
        self.live = live
        self.context = live.context
        self.preconditions = preconditions

    def arrived(self, planned: PlannedRequest, record: StepRecord) -> bool:
        """Resolves a request of unknown outcome by reading. False: it certainly may be sent again. Raises Stopped."""
        untouched = False
        for _ in self.context.looks():
            if (
                planned.effect.kind is EffectKind.CREATE
                and not self.live.spec.restore.create.caller_chooses_id
            ):
                created, untouched = self._created_meanwhile(record)
                if created:
                    self._resolved(record, {"id": created})
                    return True
            else:
                live = self.live.read()
                if shown(planned.effect, live.document, self.live.spec):
                    self._resolved(record, {})
                    return True
                untouched = self._untouched(planned, record, live)
        if not untouched or record.attempts >= MAXIMUM_ATTEMPTS:
            message = (
                f"Step {self.live.step.order}: the answer to {planned.request.method} "
                f"{planned.request.path} was lost, and reading the object does not show whether the "
                "request was applied. Check the object, then plan again."
            )
            self.context.journal.note(record, State.UNKNOWN, message=message)
            raise Stopped(message)
        return False

    def unexplained(
        self, planned: PlannedRequest, record: StepRecord, refusal: MicrosoftError
    ) -> MicrosoftError | None:
        """Microsoft refuses what is so already ("already exists", "does not exist"): reading tells. None: it was so.

        Of a batch, the refusal of the first part that is not so; the parts that were not refused are done. Raises what
        is no refusal, such as Throttled.
        """
        effect = planned.effect
        if effect.kind is EffectKind.CREATE:
            return None if self._was_created_before(record) else refusal
        if effect.kind is EffectKind.UNDELETE:
            return refusal
        live = self.live.read().document
        if isinstance(refusal, BatchRefused):
            self._note_partial(effect, refusal, record)
            for index, inner in refusal.refusals.items():
                if not shown(replace(effect, elements=(effect.elements[index],)), live, self.live.spec):
                    if isinstance(inner, REFUSED):
                        return inner
                    raise inner from refusal
            message = f"{len(refusal.refusals)} of {len(effect.elements)} already matched."
            self.context.journal.note(record, State.DONE, message=message)
            return None
        if not shown(effect, live, self.live.spec):
            return refusal
        self.context.journal.note(
            record,
            State.ALREADY,
            message="Microsoft refused the request because it already matches.",
            left_digest=self.live.digest(live),
        )
        return None

    def _note_partial(self, effect: Effect, refusal: BatchRefused, record: StepRecord) -> None:
        """What the parts of a batch that were not refused leave: from there it may be tried again."""
        done = tuple(each for index, each in enumerate(effect.elements) if index not in refusal.refusals)
        if self.preconditions.before is not None and foreseeable(effect, self.live.spec):
            left = after(replace(effect, elements=done), self.preconditions.before, self.live.spec)
            record.before_digest = self.live.digest(left)

    def _was_created_before(self, record: StepRecord) -> bool:
        """Whether an earlier attempt, whose answer was lost, did arrive, so that the second one had to be refused."""
        if record.attempts < MAXIMUM_ATTEMPTS or self.live.spec.restore.create.caller_chooses_id:
            return False
        for _ in self.context.looks():
            created, _untouched = self._created_meanwhile(record)
            if created:
                self._resolved(record, {"id": created})
                return True
        return False

    def _created_meanwhile(self, record: StepRecord) -> tuple[str, bool]:
        """The id of the one object that is new since the request left; or none, and that nothing is new."""
        found = natural_key_matches(self.context.reader, self.live.spec, self.live.wanted)
        new = sorted(found.keys() - set(record.lookalikes))
        return (new[0], False) if len(new) == 1 else ("", not new)

    def _untouched(self, planned: PlannedRequest, record: StepRecord, live: Live) -> bool:
        if planned.effect.kind is EffectKind.UNDELETE:
            return live.document is None and live.deleted
        return self.live.digest(live.document) == record.before_digest or self._partly(planned, record, live)

    def _partly(self, planned: PlannedRequest, record: StepRecord, live: Live) -> bool:
        """Whether only some parts of a batch arrived: sent again, it does the others and is refused those."""
        return (
            bool(planned.request.parts)
            and live.document is not None
            and self.live.digest(after(planned.effect, live.document, self.live.spec)) == record.left_digest
        )

    def _resolved(self, record: StepRecord, keys: dict[str, str]) -> None:
        message = "The response was lost. Reading the object showed that the request was applied."
        self.context.journal.note(record, State.DONE, keys=keys, message=message)
