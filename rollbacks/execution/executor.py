"""Runs an approved plan step by step. Each request is written down before it leaves (`sending`), so that a crash at
any point leaves a record from which the run resumes: what arrived is not sent again, what did not is not lost.

Works with the clients that it is given: one that reads, one that writes.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from changes.diff.structural import diff
from rollbacks.execution import azure_operations
from rollbacks.execution.journal import SENT_PERHAPS, SETTLED, Journal, State
from rollbacks.models import StepRecord
from rollbacks.planning.build import unique_natural_key
from rollbacks.planning.effects import after, foreseeable, same, shown, without_appended
from rollbacks.planning.model import BRINGS_BACK, Effect, EffectKind, PlannedRequest, PlannedStep, StepKind
from rollbacks.planning.tokens import request_with, step_with, token
from rollbacks.selection.natural_keys import natural_key_matches
from snapshots.canonical.form import canonicalise, resource_id
from snapshots.catalog import registry
from snapshots.catalog.spec import Document, ResourceType
from snapshots.collection.addresses import at, expand_path, place_of, present_identity
from snapshots.collection.live import Live, read_live
from snapshots.store import content_store
from tenants.microsoft.client import GraphClient
from tenants.microsoft.errors import (
    BadRequest,
    BatchRefused,
    Conflict,
    MicrosoftError,
    NotFound,
    OutcomeUnknown,
    PermissionMissing,
    WriteRefused,
)
from tenants.microsoft.request import Request, Response
from tenants.runs import leases

WAITS = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0)
"""Seconds between looks at something fresh: directory objects replicate slowly. One look precedes them."""
MAXIMUM_ATTEMPTS = 2
"""A request whose answer was lost is repeated once, and only where reading shows that nothing has changed."""
ABSENT = "absent"
REFUSED = (BadRequest, BatchRefused, Conflict, NotFound, PermissionMissing, WriteRefused)
NOT_THERE_YET = (BadRequest, NotFound)
"""How Microsoft answers a reference to an object that has not replicated."""


class Stale(Exception):
    """The live object is not what the dry run saw; the text says what moved."""


class Stopped(Exception):
    """A step failed and the execution must not go on."""


class StepRefused(Exception):
    """Microsoft refused a step. What does not need it can still be done."""


class _UndeleteRefused(Exception):
    """Microsoft keeps the object but does not let us take it out; the plan foresees another way."""


@dataclass(frozen=True)
class Undone:
    """A step that was refused (`failed`) or skipped, and why."""

    state: State
    reason: str


_PAST = {State.FAILED: "refused", State.SKIPPED: "skipped"}


@dataclass
class Executor:
    """One run of one execution. Raises Stale, Stopped or MicrosoftError; LeaseLost where another worker took over."""

    journal: Journal
    reader: GraphClient
    writer: GraphClient
    sleep: Callable[[float], None] = time.sleep
    recreated_ids: dict[int, dict[str, str]] = field(default_factory=dict)
    """Order of a step that brought a resource back → its identifiers now."""
    undone: dict[int, Undone] = field(default_factory=dict)
    """Order of a step that was refused or skipped → which of both, and why."""

    def run(self, steps: Sequence[PlannedStep]) -> None:
        for planned in steps:
            leases.heartbeat(self.journal.lease)
            missing = planned.missing(self.undone)
            if missing is not None:
                self._skip(planned, missing)
                continue
            spec = registry.get(planned.resource_type)
            try:
                _StepRun(self, bound(planned, spec, self.identifier), spec).run()
            except StepRefused as refusal:
                self.undone[planned.order] = Undone(State.FAILED, str(refusal))

    def _skip(self, planned: PlannedStep, missing: int) -> None:
        reason = f"Skipped: it needs step {missing}, which was {_PAST[self.undone[missing].state]}."
        self.journal.note(self.journal.record(planned, 0), State.SKIPPED, message=reason)
        self.undone[planned.order] = Undone(State.SKIPPED, reason)

    def identifier(self, number: int, name: str) -> str:
        """A token of a step that is yet to run stays a token: nothing that is sent now holds one."""
        return self.recreated_ids[number][name] if number in self.recreated_ids else token(number, name)

    def looks(self) -> Iterator[None]:
        """Once at once, then again after each wait."""
        yield
        for seconds in WAITS:
            leases.heartbeat(self.journal.lease)
            self.sleep(seconds)
            yield


class _StepRun:
    """One step. Its precondition is read before every request, not only before the first."""

    def __init__(self, executor: Executor, step: PlannedStep, spec: ResourceType) -> None:
        self.executor = executor
        self.journal = executor.journal
        self.step = step
        self.spec = spec
        self.before: Document | None = None
        """The object as it was read before the request."""

    def run(self) -> None:
        if any(record.closes_step for record in self.journal.of_step(self.step)):
            self._remember()
            return
        if self._is_so_already():
            return
        first = self.journal.record(self.step, 0)
        if self.step.fallback and first.state == State.FAILED:
            self._send_fallback()
        else:
            try:
                self._send_all(self.step.requests, 0)
            except _UndeleteRefused:
                self._send_fallback()
        self._close()

    def _is_so_already(self) -> bool:
        """True where nothing was begun and the live object already is as it should be in the end."""
        if any(record.state != State.SKIPPED for record in self.journal.of_step(self.step)):
            return False
        live = self._read().document
        if not (same(live, self.step.target) or same(live, self.step.wanted)):
            return False
        record = self.journal.record(self.step, 0)
        self.journal.note(record, State.ALREADY, message="Already matches.")
        self.journal.close(self.step, self._digest(live))
        self._remember()
        return True

    def _send_fallback(self) -> None:
        """The undelete was refused for good: the object is created anew, with its own old identifiers in the body."""
        step = self.step

        def lookup(number: int, name: str) -> str:
            return step.keys[name] if number == step.order else self.executor.identifier(number, name)

        self._send_all([request_with(each, lookup) for each in step.fallback], len(step.requests))

    def _send_all(self, requests: Sequence[PlannedRequest], start: int) -> None:
        for index, planned in enumerate(requests, start):
            record = self.journal.record(self.step, index)
            if record.state in SETTLED:
                continue
            if record.state in SENT_PERHAPS and self._arrived(planned, record):
                continue
            if record.state not in SENT_PERHAPS and self._needless(planned, record, index):
                continue
            self._send(planned, record)

    def _needless(self, planned: PlannedRequest, record: StepRecord, index: int) -> bool:
        """Reads the precondition. True where the request would change nothing. Raises Stale."""
        live = self._read()
        if planned.effect.kind is EffectKind.CREATE:
            return self._exists_already(record, live)
        if planned.effect.kind is EffectKind.UNDELETE:
            if live.document is not None:
                self._stale(record, "exists again since the dry run.")
            return False
        live = self._as_left(live, record, index)
        if not shown(planned.effect, live.document, self.spec):
            self.before = live.document
            record.before_digest = self._digest(live.document)
            if foreseeable(planned.effect, self.spec):
                record.left_digest = self._digest(after(planned.effect, live.document, self.spec))
            return False
        self.journal.note(
            record,
            State.ALREADY,
            message="It was so already; nothing was sent.",
            left_digest=self._digest(live.document),
        )
        return True

    def _as_left(self, live: Live, record: StepRecord, index: int) -> Live:
        """The live object, which must be what the dry run saw or what we ourselves left. Raises Stale."""
        previous = self.journal.record(self.step, index - 1).left_digest if index else ""
        left = previous or (self.journal.left_by_earlier(self.step) if not index else None)
        if index and not previous:
            return live
        if left is None and self.step.follows and self.spec.restore.arrives_with:
            return self._arriving(record)
        if left is None:
            if self._is_as_refused(record, live):
                return live
            if self.step.follows or not same(self._unmoved(live.document), self._unmoved(self.step.expected)):
                self._stale(record, _moved(self.step, live.document, self.spec))
            return live
        for _ in self.executor.looks():
            if self._digest(live.document) == left or self._is_as_refused(record, live):
                return live
            live = self._read()
        return self._stale(record, "changed since this execution wrote it.")

    def _is_as_refused(self, record: StepRecord, live: Live) -> bool:
        """Whether the object is what an earlier, refused attempt left: of a batch, some parts may have been done."""
        return record.state == State.FAILED and record.before_digest == self._digest(live.document)

    def _arriving(self, record: StepRecord) -> Live:
        """What comes into being with something that this plan brought back, as soon as it is there."""
        for _ in self.executor.looks():
            live = self._read()
            if live.document is not None:
                return live
        return self._stale(record, "did not come into being with what it belongs to.")

    def _unmoved(self, document: Document | None) -> Document | None:
        """Without what our own writes to its neighbours may have moved."""
        shifting = self.spec.restore.shifting
        return document and {name: value for name, value in document.items() if name not in shifting}

    def _exists_already(self, record: StepRecord, live: Live) -> bool:
        """For a create: whether somebody was first. Notes the objects that ours must not be mistaken for."""
        if live.document is not None:
            self._stale(record, "exists again since the dry run.")
        others = natural_key_matches(self.executor.reader, self.spec, self._wanted())
        record.lookalikes = sorted(others)
        record.before_digest = ABSENT
        if not others or not unique_natural_key(self.spec):
            return False
        (other, *_) = sorted(others)
        found = read_live(self.executor.reader, self.spec, other, self._wanted()).document
        if not same(found, self._wanted()):
            self._stale(record, f"exists since the dry run under another id ({other}), and differs.")
        self.journal.note(
            record, State.ALREADY, message="It exists already under another id.", keys={"id": other}
        )
        return True

    def _send(self, planned: PlannedRequest, record: StepRecord) -> None:
        """Sends until it is done; again only where the request certainly had no effect. Raises its last refusal."""
        refused: MicrosoftError | None = None
        for _ in self.executor.looks():
            self.journal.announce(record)
            try:
                response = self.executor.writer.send(self._addressed(planned.to_send()))
            except OutcomeUnknown as lost:
                self.journal.note(record, State.UNKNOWN, message=str(lost))
                if self._arrived(planned, record):
                    return
            except REFUSED as refusal:
                refused = self._unexplained(planned, record, refusal)
                if refused is None:
                    return
                record.attempts -= 1
                if not self._may_be_early(planned, refused):
                    break
            else:
                self._followed(record, response)
                keys = {}
                if planned.effect.kind is EffectKind.CREATE:
                    keys = self._given(response.body if isinstance(response.body, dict) else {})
                self.journal.note(record, State.DONE, keys=keys)
                return
        self.journal.note(record, State.FAILED, message=str(refused))
        if planned.effect.kind is EffectKind.UNDELETE and self.step.fallback:
            raise _UndeleteRefused from refused
        raise StepRefused(str(refused)) from refused

    def _addressed(self, request: Request) -> Request:
        """With what only the live object tells of its place."""
        if "{" not in request.path:
            return request
        return replace(request, path=expand_path(request.path, place_of(self.spec, self._read().raw)))

    def _followed(self, record: StepRecord, response: Response) -> None:
        """Where the service goes on with a request after its answer: waits until it says how that ended."""
        failed = azure_operations.failure(self.executor.reader, response, self.executor.looks())
        if failed:
            self.journal.note(record, State.FAILED, message=failed)
            raise StepRefused(failed)

    def _may_be_early(self, planned: PlannedRequest, refusal: Exception) -> bool:
        """Whether the refusal may only mean that something which we have just brought back is not seen yet."""
        return (
            bool(self.executor.recreated_ids)
            and isinstance(refusal, NOT_THERE_YET)
            and planned.effect.kind is not EffectKind.UNDELETE
        )

    def _unexplained(
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
        live = self._read().document
        if isinstance(refusal, BatchRefused):
            self._note_partial(effect, refusal, record)
            for index, inner in refusal.refusals.items():
                if not shown(replace(effect, elements=(effect.elements[index],)), live, self.spec):
                    if isinstance(inner, REFUSED):
                        return inner
                    raise inner from refusal
            message = f"{len(refusal.refusals)} of {len(effect.elements)} were so already."
            self.journal.note(record, State.DONE, message=message)
            return None
        if not shown(effect, live, self.spec):
            return refusal
        self.journal.note(
            record,
            State.ALREADY,
            message="Refused, because it was so already.",
            left_digest=self._digest(live),
        )
        return None

    def _note_partial(self, effect: Effect, refusal: BatchRefused, record: StepRecord) -> None:
        """What the parts of a batch that were not refused leave: from there it may be tried again."""
        done = tuple(each for index, each in enumerate(effect.elements) if index not in refusal.refusals)
        if self.before is not None and foreseeable(effect, self.spec):
            left = after(replace(effect, elements=done), self.before, self.spec)
            record.before_digest = self._digest(left)

    def _was_created_before(self, record: StepRecord) -> bool:
        """Whether an earlier attempt, whose answer was lost, did arrive, so that the second one had to be refused."""
        if record.attempts < MAXIMUM_ATTEMPTS or self.spec.restore.keeps_id:
            return False
        for _ in self.executor.looks():
            created, _untouched = self._created_meanwhile(record)
            if created:
                self._resolved(record, {"id": created})
                return True
        return False

    def _arrived(self, planned: PlannedRequest, record: StepRecord) -> bool:
        """Resolves a request of unknown outcome by reading. False: it certainly may be sent again. Raises Stopped."""
        untouched = False
        for _ in self.executor.looks():
            if planned.effect.kind is EffectKind.CREATE and not self.spec.restore.keeps_id:
                created, untouched = self._created_meanwhile(record)
                if created:
                    self._resolved(record, {"id": created})
                    return True
            else:
                live = self._read()
                if shown(planned.effect, live.document, self.spec):
                    self._resolved(record, {})
                    return True
                untouched = self._untouched(planned, record, live)
        if not untouched or record.attempts >= MAXIMUM_ATTEMPTS:
            message = (
                f"Step {self.step.order}: the answer to {planned.request.method} {planned.request.path} was lost, and "
                "reading does not tell whether it arrived. Look at the object, then plan again."
            )
            self.journal.note(record, State.UNKNOWN, message=message)
            raise Stopped(message)
        return False

    def _created_meanwhile(self, record: StepRecord) -> tuple[str, bool]:
        """The id of the one object that is new since the request left; or none, and that nothing is new."""
        found = natural_key_matches(self.executor.reader, self.spec, self._wanted())
        new = sorted(found.keys() - set(record.lookalikes))
        return (new[0], False) if len(new) == 1 else ("", not new)

    def _untouched(self, planned: PlannedRequest, record: StepRecord, live: Live) -> bool:
        if planned.effect.kind is EffectKind.UNDELETE:
            return live.document is None and live.deleted
        return self._digest(live.document) == record.before_digest or self._partly(planned, record, live)

    def _partly(self, planned: PlannedRequest, record: StepRecord, live: Live) -> bool:
        """Whether only some parts of a batch arrived: sent again, it does the others and is refused those."""
        return (
            bool(planned.request.parts)
            and live.document is not None
            and self._digest(after(planned.effect, live.document, self.spec)) == record.left_digest
        )

    def _resolved(self, record: StepRecord, keys: dict[str, str]) -> None:
        message = "The answer was lost; reading showed that the request had arrived."
        self.journal.note(record, State.DONE, keys=keys, message=message)

    def _close(self) -> None:
        """Waits until the step's effect can be read, and remembers what it left behind.

        What an update leaves is known beforehand; if something else is read, the next step finds it stale.
        """
        self._remember()
        live: Document | None = None
        added: tuple[str, ...] = ()
        for _ in self.executor.looks():
            live = self._read().document
            ours, added = without_appended(live, self.step.target, self.step.expected, self.spec)
            settled = live is not None if self.step.kind in BRINGS_BACK else same(ours, self.step.target)
            if settled or self._shows_all(ours):
                break
        last = self.journal.of_step(self.step)[-1]
        observed = self.step.kind in BRINGS_BACK or not last.left_digest or bool(added)
        self.journal.close(self.step, self._digest(live) if observed else last.left_digest)

    def _shows_all(self, live: Document | None) -> bool:
        """Whether all requests show, though the object is not wholly the target (an undelete came back otherwise)."""
        return self.step.kind not in BRINGS_BACK and all(
            shown(planned.effect, live, self.spec) for planned in self.step.requests
        )

    def _remember(self) -> None:
        """The identifiers of what a step brought back, for the steps that follow."""
        step = self.step
        if step.kind not in BRINGS_BACK:
            if self._id() != self.journal.moved_to(step.key):
                self.journal.remember_move(step, "id", self._id())
            return
        given: dict[str, str] = {}
        for record in self.journal.of_step(step):
            given |= record.new_keys
        keys = {**step.keys, **given}
        others = [name for name in step.keys if name != "id"]
        if others and (given or step.kind is StepKind.RECREATE):
            live = self._visible(keys["id"])
            keys |= {name: str(at(live, name) or keys[name]) for name in others}
        self.executor.recreated_ids[step.order] = keys
        for name, new in keys.items():
            if new != step.keys[name]:
                self.journal.remember_move(step, name, new)

    def _given(self, answer: Document) -> dict[str, str]:
        """The id that a create's answer tells; none where it tells only that the request was taken."""
        answered = {**self._wanted(), **answer}
        known = answered if not self.spec.restore.keeps_id else self._wanted()
        if not known.keys() >= set(self.spec.identity):
            return {}
        return {"id": resource_id(known, self.spec)}

    def _visible(self, object_id: str) -> Document:
        for _ in self.executor.looks():
            live = read_live(self.executor.reader, self.spec, object_id, self.step.target)
            if live.document is not None:
                return live.document
        raise Stopped(
            f"The new {self.spec.label} {object_id} cannot be read. Look at the tenant, then plan again."
        )

    def _wanted(self) -> Document:
        return self.step.target or {}

    def _id(self) -> str:
        """The resource's id now; one that is composed of others' ids follows them."""
        return present_identity(self.spec, self.journal.moved_to(self.step.key), self._known())

    def _known(self) -> Document:
        return self.step.target or self.step.wanted or self.step.expected or {}

    def _read(self) -> Live:
        return read_live(self.executor.reader, self.spec, self._id(), self._known())

    def _digest(self, document: Document | None) -> str:
        if document is None:
            return ABSENT
        return content_store.digest_of(self.journal.lease.run.tenant, self.spec, document)

    def _stale(self, record: StepRecord, what: str) -> Live:
        name = self.step.display_name or self.step.resource_id
        message = f"{self.spec.label} {name} {what}"
        self.journal.note(record, State.STALE, message=message)
        raise Stale(message)


def bound(planned: PlannedStep, spec: ResourceType, lookup: Callable[[int, str], str]) -> PlannedStep:
    """The step with identifiers in place of tokens. Sets are sorted anew: an id sorts otherwise than its token."""
    step = step_with(planned, lookup)
    documents = {
        name: None if value is None else canonicalise(value, spec)
        for name, value in (
            ("target", step.target),
            ("wanted", step.wanted),
            ("expected", step.expected),
            ("announced", step.announced),
        )
    }
    return PlannedStep.from_json({**step.to_json(), **documents})


def _moved(step: PlannedStep, live: Document | None, spec: ResourceType) -> str:
    if live is None:
        return "is gone since the dry run."
    if step.expected is None:
        return "exists or changed since the dry run."
    paths = ", ".join(field.path for field in diff(step.expected, live, spec).fields)
    return f"changed since the dry run: {paths}."
