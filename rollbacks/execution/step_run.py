"""Runs one step of a plan: its requests in order, each after its precondition, and what the step leaves behind."""

from collections.abc import Sequence

from rollbacks.execution.journal import SENT_PERHAPS, SETTLED
from rollbacks.execution.live_step import LiveStep
from rollbacks.execution.outcomes import State, Stopped, UndeleteRefused
from rollbacks.execution.preconditions import Preconditions
from rollbacks.execution.resolver import Resolver
from rollbacks.execution.sender import Sender
from rollbacks.planning.effects import same, shown, without_appended
from rollbacks.planning.model import BRINGS_BACK, PlannedRequest, StepKind
from rollbacks.planning.tokens import request_with
from snapshots.catalog.spec import Document
from snapshots.collection.addresses import at
from snapshots.collection.live import read_live


class StepRun:
    """Its precondition is read before every request, not only before the first."""

    def __init__(self, live: LiveStep) -> None:
        self.live = live
        self.context = live.context
        self.preconditions = Preconditions(live)
        self.resolver = Resolver(live, self.preconditions)
        self.sender = Sender(live, self.resolver)

    def run(self) -> None:
        if any(record.closes_step for record in self.context.journal.of_step(self.live.step)):
            self._remember()
            return
        if self._is_so_already():
            return
        first = self.context.journal.record(self.live.step, 0)
        if self.live.step.fallback and first.state == State.FAILED:
            self._send_fallback()
        else:
            try:
                self._send_all(self.live.step.requests, 0)
            except UndeleteRefused:
                self._send_fallback()
        self._close()

    def _is_so_already(self) -> bool:
        """True where nothing was begun and the live object already is as it should be in the end."""
        if any(record.state != State.SKIPPED for record in self.context.journal.of_step(self.live.step)):
            return False
        live = self.live.read().document
        if not (same(live, self.live.step.target) or same(live, self.live.step.wanted)):
            return False
        record = self.context.journal.record(self.live.step, 0)
        self.context.journal.note(record, State.ALREADY, message="Already matches.")
        self.context.journal.close(self.live.step, self.live.digest(live))
        self._remember()
        return True

    def _send_fallback(self) -> None:
        """The undelete was refused for good: the object is recreated, with its own old identifiers in the body."""
        step = self.live.step

        def lookup(number: int, name: str) -> str:
            return step.keys[name] if number == step.order else self.context.identifier(number, name)

        self._send_all([request_with(each, lookup) for each in step.fallback], len(step.requests))

    def _send_all(self, requests: Sequence[PlannedRequest], start: int) -> None:
        for index, planned in enumerate(requests, start):
            record = self.context.journal.record(self.live.step, index)
            if record.state in SETTLED:
                continue
            if record.state in SENT_PERHAPS and self.resolver.arrived(planned, record):
                continue
            if record.state not in SENT_PERHAPS and self.preconditions.needless(planned, record, index):
                continue
            self.sender.send(planned, record)

    def _close(self) -> None:
        """Waits until the step's effect can be read, and remembers what it left behind.

        What an update leaves is known beforehand; if something else is read, the next step finds it stale.
        """
        self._remember()
        live: Document | None = None
        added: tuple[str, ...] = ()
        for _ in self.context.looks():
            live = self.live.read().document
            ours, added = without_appended(
                live, self.live.step.target, self.live.step.expected, self.live.spec
            )
            settled = (
                live is not None if self.live.step.kind in BRINGS_BACK else same(ours, self.live.step.target)
            )
            if settled or self._shows_all(ours):
                break
        last = self.context.journal.of_step(self.live.step)[-1]
        observed = self.live.step.kind in BRINGS_BACK or not last.left_digest or bool(added)
        self.context.journal.close(self.live.step, self.live.digest(live) if observed else last.left_digest)

    def _shows_all(self, live: Document | None) -> bool:
        """Whether all requests show, though the object is not wholly the target (an undelete came back otherwise)."""
        return self.live.step.kind not in BRINGS_BACK and all(
            shown(planned.effect, live, self.live.spec) for planned in self.live.step.requests
        )

    def _remember(self) -> None:
        """The identifiers of what a step brought back, for the steps that follow."""
        step = self.live.step
        if step.kind not in BRINGS_BACK:
            if self.live.present_id() != self.context.journal.moved_to(step.key):
                self.context.journal.remember_move(step, "id", self.live.present_id())
            return
        given: dict[str, str] = {}
        for record in self.context.journal.of_step(step):
            given |= record.new_keys
        keys = {**step.keys, **given}
        others = [name for name in step.keys if name != "id"]
        if others and (given or step.kind is StepKind.RECREATE):
            live = self._visible(keys["id"])
            keys |= {name: str(at(live, name) or keys[name]) for name in others}
        self.context.recreated_ids[step.order] = keys
        for name, new in keys.items():
            if new != step.keys[name]:
                self.context.journal.remember_move(step, name, new)

    def _visible(self, object_id: str) -> Document:
        for _ in self.context.looks():
            live = read_live(self.context.reader, self.live.spec, object_id, self.live.step.target)
            if live.document is not None:
                return live.document
        raise Stopped(
            f"The new {self.live.spec.label} {object_id} cannot be read. Check the tenant, then plan again."
        )
