"""Sends one request of a step, written down before it leaves; again only where it certainly had no effect."""

from dataclasses import replace

from rollbacks.execution import azure_operations
from rollbacks.execution.live_step import LiveStep
from rollbacks.execution.outcomes import State, StepRefused, UndeleteRefused
from rollbacks.execution.resolver import REFUSED, Resolver
from rollbacks.models import StepRecord
from rollbacks.planning.model import EffectKind, PlannedRequest
from snapshots.canonical.form import resource_id
from snapshots.catalog.spec import Document
from snapshots.collection.addresses import expand_path, location_of
from tenants.microsoft.errors import BadRequest, MicrosoftError, NotFound, OutcomeUnknown
from tenants.microsoft.request import Request, Response

NOT_THERE_YET = (BadRequest, NotFound)
"""How Microsoft answers a reference to an object that has not replicated."""


class Sender:
    def __init__(self, live: LiveStep, resolver: Resolver) -> None:
        self.live = live
        self.context = live.context
        self.resolver = resolver

    def send(self, planned: PlannedRequest, record: StepRecord) -> None:
        """Sends until it is done; again only where the request certainly had no effect. Raises its last refusal."""
        refused: MicrosoftError | None = None
        for _ in self.context.looks():
            self.context.journal.announce(record)
            try:
                response = self.context.writer.send(self._addressed(planned.to_send()))
            except OutcomeUnknown as lost:
                self.context.journal.note(record, State.UNKNOWN, message=str(lost))
                if self.resolver.arrived(planned, record):
                    return
            except REFUSED as refusal:
                refused = self.resolver.unexplained(planned, record, refusal)
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
                self.context.journal.note(record, State.DONE, keys=keys)
                return
        self.context.journal.note(record, State.FAILED, message=str(refused))
        if planned.effect.kind is EffectKind.UNDELETE and self.live.step.fallback:
            raise UndeleteRefused from refused
        raise StepRefused(str(refused)) from refused

    def _addressed(self, request: Request) -> Request:
        """With what only the live object tells of its place."""
        if "{" not in request.path:
            return request
        return replace(
            request, path=expand_path(request.path, location_of(self.live.spec, self.live.read().raw))
        )

    def _followed(self, record: StepRecord, response: Response) -> None:
        """Where the service goes on with a request after its answer: waits until it says how that ended."""
        failed = azure_operations.failure(self.context.reader, response, self.context.looks())
        if failed:
            self.context.journal.note(record, State.FAILED, message=failed)
            raise StepRefused(failed)

    def _may_be_early(self, planned: PlannedRequest, refusal: Exception) -> bool:
        """Whether the refusal may only mean that something which we have just brought back is not seen yet."""
        return (
            bool(self.context.recreated_ids)
            and isinstance(refusal, NOT_THERE_YET)
            and planned.effect.kind is not EffectKind.UNDELETE
        )

    def _given(self, answer: Document) -> dict[str, str]:
        """The id that a create's answer tells; none where it tells only that the request was taken."""
        answered = {**self.live.wanted, **answer}
        known = answered if not self.live.spec.restore.create.caller_chooses_id else self.live.wanted
        if not known.keys() >= set(self.live.spec.identity.properties):
            return {}
        return {"id": resource_id(known, self.live.spec)}
