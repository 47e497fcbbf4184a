"""Whether a request may be sent: the live object must be what the dry run saw, or what this execution left."""

from changes.diff.structural import diff
from rollbacks.execution.live_step import ABSENT, LiveStep
from rollbacks.execution.outcomes import State
from rollbacks.models import StepRecord
from rollbacks.planning.build import unique_natural_key
from rollbacks.planning.effects import after, foreseeable, same, shown
from rollbacks.planning.model import EffectKind, PlannedRequest, PlannedStep
from rollbacks.selection.natural_keys import natural_key_matches
from snapshots.catalog.spec import Document, ResourceType
from snapshots.collection.live import Live, read_live


class Preconditions:
    def __init__(self, live: LiveStep) -> None:
        self.live = live
        self.context = live.context
        self.before: Document | None = None
        """The object as it was read before the last request."""

    def needless(self, planned: PlannedRequest, record: StepRecord, index: int) -> bool:
        """Reads the precondition. True where the request would change nothing. Raises Stale."""
        live = self.live.read()
        if planned.effect.kind is EffectKind.CREATE:
            return self._exists_already(record, live)
        if planned.effect.kind is EffectKind.UNDELETE:
            if live.document is not None:
                self.live.stale(record, "exists again since the dry run.")
            return False
        live = self._as_left(live, record, index)
        if not shown(planned.effect, live.document, self.live.spec):
            self.before = live.document
            record.before_digest = self.live.digest(live.document)
            if foreseeable(planned.effect, self.live.spec):
                record.left_digest = self.live.digest(after(planned.effect, live.document, self.live.spec))
            return False
        self.context.journal.note(
            record,
            State.ALREADY,
            message="Already matches; nothing was sent.",
            left_digest=self.live.digest(live.document),
        )
        return True

    def _as_left(self, live: Live, record: StepRecord, index: int) -> Live:
        """The live object, which must be what the dry run saw or what we ourselves left. Raises Stale."""
        previous = self.context.journal.record(self.live.step, index - 1).left_digest if index else ""
        left = previous or (self.context.journal.left_by_earlier(self.live.step) if not index else None)
        if index and not previous:
            return live
        if left is None and self.live.step.follows and self.live.spec.restore.create.auto_created_with:
            return self._arriving(record)
        if left is None:
            if self._is_as_refused(record, live):
                return live
            if self.live.step.follows or not same(
                self._unmoved(live.document), self._unmoved(self.live.step.expected)
            ):
                self.live.stale(record, _moved(self.live.step, live.document, self.live.spec))
            return live
        for _ in self.context.looks():
            if self.live.digest(live.document) == left or self._is_as_refused(record, live):
                return live
            live = self.live.read()
        return self.live.stale(record, "changed since this execution wrote it.")

    def _is_as_refused(self, record: StepRecord, live: Live) -> bool:
        """Whether the object is what an earlier, refused attempt left: of a batch, some parts may have been done."""
        return record.state == State.FAILED and record.before_digest == self.live.digest(live.document)

    def _arriving(self, record: StepRecord) -> Live:
        """What comes into being with something that this plan brought back, as soon as it is there."""
        for _ in self.context.looks():
            live = self.live.read()
            if live.document is not None:
                return live
        return self.live.stale(record, "was not created together with the object that it belongs to.")

    def _unmoved(self, document: Document | None) -> Document | None:
        """Without what our own writes to its neighbours may have moved."""
        moved_by_neighbours = self.live.spec.restore.update.moved_by_neighbours
        return document and {
            name: value for name, value in document.items() if name not in moved_by_neighbours
        }

    def _exists_already(self, record: StepRecord, live: Live) -> bool:
        """For a create: whether somebody was first. Notes the objects that ours must not be mistaken for."""
        if live.document is not None:
            self.live.stale(record, "exists again since the dry run.")
        others = natural_key_matches(self.context.reader, self.live.spec, self.live.wanted)
        record.lookalikes = sorted(others)
        record.before_digest = ABSENT
        if not others or not unique_natural_key(self.live.spec):
            return False
        (other, *_) = sorted(others)
        found = read_live(self.context.reader, self.live.spec, other, self.live.wanted).document
        if not same(found, self.live.wanted):
            self.live.stale(record, f"exists since the dry run under another id ({other}), and differs.")
        self.context.journal.note(
            record, State.ALREADY, message="It already exists under another ID.", keys={"id": other}
        )
        return True


def _moved(step: PlannedStep, live: Document | None, spec: ResourceType) -> str:
    if live is None:
        return "is gone since the dry run."
    if step.expected is None:
        return "exists or changed since the dry run."
    paths = ", ".join(field.path for field in diff(step.expected, live, spec).fields)
    return f"changed since the dry run: {paths}."
