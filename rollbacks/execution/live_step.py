"""A step and the live object that it is about."""

from dataclasses import dataclass

from rollbacks.execution.context import ExecutionContext
from rollbacks.execution.outcomes import Stale
from rollbacks.models import StepRecord
from rollbacks.planning.model import PlannedStep
from snapshots.catalog.spec import Document, ResourceType
from snapshots.collection.addresses import present_identity
from snapshots.collection.live import Live, read_live
from snapshots.store import content_store

ABSENT = "absent"


@dataclass(frozen=True)
class LiveStep:
    context: ExecutionContext
    step: PlannedStep
    spec: ResourceType

    @property
    def wanted(self) -> Document:
        return self.step.target or {}

    @property
    def known(self) -> Document:
        return self.step.target or self.step.wanted or self.step.expected or {}

    def present_id(self) -> str:
        """The resource's id now; one that is composed of others' ids follows them."""
        return present_identity(self.spec, self.context.journal.moved_to(self.step.key), self.known)

    def read(self) -> Live:
        return read_live(self.context.reader, self.spec, self.present_id(), self.known)

    def digest(self, document: Document | None) -> str:
        if document is None:
            return ABSENT
        return content_store.digest_of(self.context.journal.lease.run.tenant, self.spec, document)

    def stale(self, record: StepRecord, what: str) -> Live:
        """Raises Stale, which is on record then."""
        name = self.step.display_name or self.step.resource_id
        message = f"{self.spec.label} {name} {what}"
        self.context.journal.note(record, StepRecord.State.STALE, message=message)
        raise Stale(message)
