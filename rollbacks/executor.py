"""Runs an approved plan step by step. Each request is written down before it leaves (`sending`), so that a crash at any
point leaves a record from which the run resumes: what arrived is never sent again, what did not is not lost.

Works with clients that it is given: one that reads, one that writes.
"""

import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from django.db import transaction
from django.utils import timezone

from changes.diff import diff
from rollbacks.models import Execution, Remapping, Step, StepRecord
from rollbacks.planning.effects import same, shown
from rollbacks.planning.model import BRINGS_BACK, EffectKind, PlannedRequest, PlannedStep, StepKind
from rollbacks.planning.tokens import request_with, step_with, token
from snapshots import store
from snapshots.canonical import resource_id
from snapshots.catalog import registry
from snapshots.catalog.spec import Document, ResourceType
from snapshots.live import find_twin, read_live
from tenants import runs
from tenants.microsoft.client import GraphClient
from tenants.microsoft.errors import (
    BadRequest,
    Conflict,
    NotFound,
    OutcomeUnknown,
    PermissionMissing,
    WriteRefused,
)
from tenants.microsoft.request import Response
from tenants.runs import Lease

State = StepRecord.State

LOOKS = 8
"""How often a fresh object is looked for before it is believed missing: directory objects replicate slowly."""
SETTLING_LOOKS = 4
FIRST_WAIT_SECONDS = 0.5
REFUSED = (BadRequest, Conflict, NotFound, PermissionMissing, WriteRefused)


class Stale(Exception):
    """The live object is not what the dry run saw; the text says what moved."""


class Stopped(Exception):
    """A step failed and the execution must not go on."""


@dataclass
class Executor:
    """One run of one execution."""

    execution: Execution
    lease: Lease
    reader: GraphClient
    writer: GraphClient
    sleep: Callable[[float], None] = time.sleep
    born: dict[int, dict[str, str]] = field(default_factory=dict)
    """Order of a step that brought a resource back → its identifiers now."""

    def run(self, steps: Sequence[PlannedStep]) -> None:
        """Raises Stale, Stopped or MicrosoftError; LeaseLost where another worker took over."""
        rows = {row.order: row for row in self.execution.plan.steps.all()}
        for step in steps:
            runs.heartbeat(self.lease)
            self._step(step_with(step, self.identifier), rows[step.order])

    def identifier(self, number: int, name: str) -> str:
        """A token of a step that is yet to run stays a token: nothing that is sent now holds one."""
        return self.born[number][name] if number in self.born else token(number, name)

    def _step(self, step: PlannedStep, row: Step) -> None:
        spec = registry.get(step.resource_type)
        records = list(self.execution.records.filter(step=row))
        if any(record.state == State.DONE and record.closes_step for record in records):
            self._remember(step, row)
            return
        begun = any(record.state != State.PENDING for record in records)
        object_id = self._object_id(step)
        if not begun and self._settled_already(step, row, spec, object_id):
            return
        try:
            self._send_all(step.requests, step, row, spec)
        except REFUSED as refusal:
            if step.kind is not StepKind.UNDELETE or not step.fallback:
                raise
            self._note(
                row, 0, State.FAILED, f"The undelete was refused ({refusal}); the object is created anew."
            )
            fallback = tuple(request_with(each, self._lookup_or_own(step)) for each in step.fallback)
            self._send_all(fallback, step, row, spec, start=len(step.requests))
        self._close(step, row, spec)

    def _settled_already(self, step: PlannedStep, row: Step, spec: ResourceType, object_id: str) -> bool:
        """Checks the precondition. True where the live object already is the target. Raises Stale."""
        live = read_live(self.reader, spec, object_id, step.target or step.expected)
        if step.kind not in BRINGS_BACK and same(live.document, step.target):
            self._note(row, 0, State.ALREADY, "The object already is as it should be.", closes=True)
            return True
        if step.follows:
            expected_digest = self._left_by_earlier(step)
            as_expected = expected_digest in ("", self._digest(spec, live.document))
            expected = None
        else:
            expected = step.expected
            as_expected = same(live.document, expected)
        if not as_expected:
            message = _moved(step, expected, live.document, spec)
            self._note(row, 0, State.STALE, message)
            raise Stale(message)
        return False

    def _send_all(
        self,
        requests: Sequence[PlannedRequest],
        step: PlannedStep,
        row: Step,
        spec: ResourceType,
        start: int = 0,
    ) -> None:
        for index, planned in enumerate(requests, start):
            record, _ = StepRecord.objects.get_or_create(
                execution=self.execution, step=row, request_index=index
            )
            if record.state in (State.DONE, State.ALREADY):
                continue
            if record.state in (State.SENDING, State.UNKNOWN) and self._arrived(planned, step, spec, record):
                continue
            self._send(planned, step, spec, record)

    def _send(
        self, planned: PlannedRequest, step: PlannedStep, spec: ResourceType, record: StepRecord
    ) -> None:
        response = self._patiently(planned, step, spec, record)
        if response is None:
            return
        keys = {}
        if planned.effect.kind is EffectKind.CREATE and isinstance(response.body, dict):
            keys = {"id": resource_id(response.body, spec)}
        self._finish(record, State.DONE, keys=keys)

    def _patiently(
        self, planned: PlannedRequest, step: PlannedStep, spec: ResourceType, record: StepRecord
    ) -> Response | None:
        """Sends; a refusal that replication explains is tried again. None: the answer was lost, but it arrived."""
        wait = FIRST_WAIT_SECONDS
        for look in range(LOOKS):
            self._announce(record)
            try:
                return self.writer.send(planned.request)
            except OutcomeUnknown as lost:
                self._finish(record, State.UNKNOWN, message=str(lost))
                if self._arrived(planned, step, spec, record):
                    return None
            except REFUSED:
                if not self.born or look == LOOKS - 1:
                    self._finish(record, State.FAILED)
                    raise
            self.sleep(wait)
            wait *= 2
        raise Stopped(
            f"Step {step.order}: Microsoft did not answer whether the request arrived. Look at the object."
        )

    def _announce(self, record: StepRecord) -> None:
        """The write-ahead record: committed, and fenced by the lease, before the request leaves."""
        with transaction.atomic():
            runs.still_held(self.lease)
            StepRecord.objects.filter(pk=record.pk).update(
                state=State.SENDING, sent_at=timezone.now(), client_request_id=str(uuid.uuid4())
            )

    def _arrived(
        self, planned: PlannedRequest, step: PlannedStep, spec: ResourceType, record: StepRecord
    ) -> bool:
        """Resolves a request of unknown outcome by reading. True where the tenant shows its effect."""
        wait = FIRST_WAIT_SECONDS
        for _ in range(LOOKS // 2):
            if self._shows(planned, step, spec, record):
                return True
            self.sleep(wait)
            wait *= 2
        return False

    def _shows(
        self, planned: PlannedRequest, step: PlannedStep, spec: ResourceType, record: StepRecord
    ) -> bool:
        keys = {}
        if planned.effect.kind is EffectKind.CREATE:
            twin = find_twin(self.reader, spec, step.target or {})
            arrived = twin is not None
            keys = {"id": twin[0]} if twin is not None else {}
        else:
            live = read_live(self.reader, spec, self._object_id(step), step.target or step.expected)
            arrived = shown(planned.effect, live.document, spec)
        if arrived:
            self._finish(
                record, State.DONE, keys=keys, message="The answer was lost; reading showed that it arrived."
            )
        return arrived

    def _close(self, step: PlannedStep, row: Step, spec: ResourceType) -> None:
        """Waits until the step's effect can be read, and remembers what it left behind."""
        self._remember(step, row)
        object_id = self._object_id(step)
        document, wait = None, FIRST_WAIT_SECONDS
        for _ in range(SETTLING_LOOKS):
            document = read_live(self.reader, spec, object_id, step.target or step.expected).document
            if _settled(step, document):
                break
            self.sleep(wait)
            wait *= 2
        last = self.execution.records.filter(step=row).order_by("-request_index").first()
        if last is not None:
            StepRecord.objects.filter(pk=last.pk).update(
                closes_step=True, left_digest=self._digest(spec, document)
            )

    def _remember(self, step: PlannedStep, row: Step) -> None:
        """The identifiers of what a step brought back, for the steps that follow."""
        if step.kind not in BRINGS_BACK:
            return
        given = {
            name: value
            for record in self.execution.records.filter(step=row)
            for name, value in record.new_keys.items()
        }
        keys = {**step.keys, **given}
        others = [name for name in step.keys if name != "id"]
        if given and others:
            spec = registry.get(step.resource_type)
            live = self._visible(spec, keys["id"], step.target)
            keys |= {name: str(live.get(name, keys[name])) for name in others}
        self.born[step.order] = keys
        for name, new in keys.items():
            if new != step.keys[name]:
                Remapping.objects.get_or_create(
                    execution=self.execution,
                    resource_type=step.resource_type,
                    old_id=step.keys[name],
                    new_id=new,
                    defaults={
                        "display_name": step.display_name if name == "id" else f"{step.display_name} ({name})"
                    },
                )

    def _visible(self, spec: ResourceType, object_id: str, known: Document | None) -> Document:
        wait = FIRST_WAIT_SECONDS
        for _ in range(LOOKS):
            live = read_live(self.reader, spec, object_id, known)
            if live.document is not None:
                return live.document
            self.sleep(wait)
            wait *= 2
        raise Stopped(
            f"The new {spec.label} {object_id} cannot be read. Look at the tenant, then plan again."
        )

    def _object_id(self, step: PlannedStep) -> str:
        """The id of the step's object now: the new one once it has been brought back under one."""
        for remapping in self.execution.remappings.filter(
            resource_type=step.resource_type, old_id=step.resource_id
        ):
            return remapping.new_id
        return self.born.get(step.order, {}).get("id", step.resource_id)

    def _left_by_earlier(self, step: PlannedStep) -> str:
        earlier = (
            self.execution.records.filter(
                closes_step=True,
                step__resource_type=step.resource_type,
                step__resource_id=step.resource_id,
                step__order__lt=step.order,
            )
            .order_by("-step__order")
            .first()
        )
        return earlier.left_digest if earlier is not None else ""

    def _lookup_or_own(self, step: PlannedStep) -> Callable[[int, str], str]:
        def lookup(number: int, name: str) -> str:
            return step.keys[name] if number == step.order else self.identifier(number, name)

        return lookup

    def _digest(self, spec: ResourceType, document: Document | None) -> str:
        return "absent" if document is None else store.digest_of(self.lease.run.tenant, spec, document)

    def _note(self, row: Step, index: int, state: State, message: str, *, closes: bool = False) -> None:
        StepRecord.objects.update_or_create(
            execution=self.execution,
            step=row,
            request_index=index,
            defaults={
                "state": state,
                "message": message,
                "finished_at": timezone.now(),
                "closes_step": closes,
            },
        )

    def _finish(
        self, record: StepRecord, state: State, *, keys: dict[str, str] | None = None, message: str = ""
    ) -> None:
        record.state, record.message, record.finished_at = state, message, timezone.now()
        record.new_keys = keys or record.new_keys
        record.save(update_fields=["state", "message", "finished_at", "new_keys"])


def _settled(step: PlannedStep, document: Document | None) -> bool:
    """What came back may still lack its parts, or be as it was deleted: it only has to be there."""
    return document is not None if step.kind in BRINGS_BACK else same(document, step.target)


def _moved(step: PlannedStep, expected: Document | None, live: Document | None, spec: ResourceType) -> str:
    name = step.display_name or step.resource_id
    if live is None:
        return f"{spec.label} {name} is gone since the dry run."
    if expected is None:
        return f"{spec.label} {name} exists or changed since the dry run."
    paths = ", ".join(field.path for field in diff(expected, live, spec).fields)
    return f"{spec.label} {name} changed since the dry run: {paths}."
