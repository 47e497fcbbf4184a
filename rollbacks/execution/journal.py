"""The write-ahead record of an execution, request by request. Only the executor writes it.

Every entry is committed when its method returns, and fenced by the run's lease: a worker that was replaced stops
before it writes or sends anything more.
"""

import uuid
from collections.abc import Mapping, Sequence
from typing import TypeVar

from django.db import transaction
from django.utils import timezone

from rollbacks.models import Execution, Remapping, Step, StepRecord
from rollbacks.planning.model import Key, PlannedStep
from tenants.runs import leases
from tenants.runs.leases import Lease

State = StepRecord.State
Row = TypeVar("Row", StepRecord, Remapping)

SETTLED = frozenset({State.DONE, State.ALREADY})
SENT_PERHAPS = frozenset({State.SENDING, State.UNKNOWN})


class Journal:
    def __init__(self, execution: Execution, lease: Lease) -> None:
        self.execution = execution
        self.lease = lease
        self._rows: dict[int, Step] = {row.order: row for row in execution.plan.steps.all()}

    def record(self, step: PlannedStep, index: int) -> StepRecord:
        """The record of one request; a fresh one, not stored yet, where nothing happened to it so far."""
        row = self._rows[step.order]
        found = StepRecord.objects.filter(execution=self.execution, step=row, request_index=index).first()
        if found is None:
            return StepRecord(execution=self.execution, step=row, request_index=index, state=State.PENDING)
        return _sealed(found)

    def of_step(self, step: PlannedStep) -> Sequence[StepRecord]:
        records = self.execution.records.filter(step=self._rows[step.order]).order_by("request_index", "pk")
        return [_sealed(record) for record in records]

    def announce(self, record: StepRecord) -> None:
        """Written before the request leaves, with what the object was and what a create must not be mistaken for."""
        record.state = State.SENDING
        record.attempts += 1
        record.client_request_id = str(uuid.uuid4())
        record.sent_at = timezone.now()
        self._commit(record)

    def note(
        self,
        record: StepRecord,
        state: State,
        *,
        message: str = "",
        keys: Mapping[str, str] | None = None,
        left_digest: str = "",
    ) -> None:
        record.state, record.message, record.finished_at = state, message, timezone.now()
        record.new_keys = dict(keys or record.new_keys)
        record.left_digest = left_digest or record.left_digest
        self._commit(record)

    def close(self, step: PlannedStep, left_digest: str) -> None:
        """The step is done, and this is what it leaves behind."""
        last = self.of_step(step)[-1]
        last.closes_step, last.left_digest = True, left_digest
        self._commit(last)

    def left_by_earlier(self, step: PlannedStep) -> str | None:
        """The digest of the resource as this execution's previous step on it left it; None if there was none."""
        closed = self.execution.records.filter(
            closes_step=True,
            step__resource_type=step.resource_type,
            step__resource_id=step.resource_id,
            step__order__lt=step.order,
        )
        record = closed.order_by("-step__order").first()
        return None if record is None else _sealed(record).left_digest

    def moved_to(self, key: Key) -> str:
        """The id under which a resource came back, or the old one."""
        remapping = self.execution.remappings.filter(resource_type=key[0], old_id=key[1]).first()
        return key[1] if remapping is None else _sealed(remapping).new_id

    def remember_move(self, step: PlannedStep, name: str, new: str) -> None:
        with transaction.atomic():
            leases.still_held(self.lease)
            Remapping.objects.get_or_create(
                execution=self.execution,
                resource_type=step.resource_type,
                old_id=step.keys.get(name, step.resource_id),
                new_id=new,
                defaults={
                    "display_name": step.display_name if name == "id" else f"{step.display_name} ({name})"
                },
            )

    def _commit(self, record: StepRecord) -> None:
        with transaction.atomic():
            leases.heartbeat(self.lease)
            record.save()


def sent(execution: Execution) -> set[int]:
    """Orders of the steps of which a request was sent. Even a refused batch may have changed something."""
    records = execution.records.filter(sent_at__isnull=False).select_related("step")
    return {_sealed(record).step.order for record in records}


def _sealed(row: Row) -> Row:
    """Raises Forged where somebody else than the journal wrote this row."""
    row.require_seal()
    return row
