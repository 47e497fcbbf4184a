"""Runs an approved plan step by step. Each request is written down before it leaves (`sending`), so that a crash at
any point leaves a record from which the run resumes: what arrived is not sent again, what did not is not lost.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from rollbacks.execution.context import ExecutionContext
from rollbacks.execution.live_step import LiveStep
from rollbacks.execution.outcomes import State, StepRefused, Undone
from rollbacks.execution.step_run import StepRun
from rollbacks.planning.model import PlannedStep
from rollbacks.planning.tokens import step_with
from snapshots.canonical.form import canonicalise
from snapshots.catalog import registry
from snapshots.catalog.spec import ResourceType
from tenants.runs import leases

_PAST = {State.FAILED: "refused", State.SKIPPED: "skipped"}


@dataclass
class Executor:
    """One run of one execution. Raises Stale, Stopped or MicrosoftError; LeaseLost where another worker took over."""

    context: ExecutionContext
    undone: dict[int, Undone] = field(default_factory=dict)
    """Order of a step that was refused or skipped → which of both, and why."""

    def run(self, steps: Sequence[PlannedStep]) -> None:
        for planned in steps:
            leases.heartbeat(self.context.journal.lease)
            missing = planned.missing(self.undone)
            if missing is not None:
                self._skip(planned, missing)
                continue
            spec = registry.get(planned.resource_type)
            try:
                StepRun(LiveStep(self.context, bound(planned, spec, self.context.identifier), spec)).run()
            except StepRefused as refusal:
                self.undone[planned.order] = Undone(State.FAILED, str(refusal))

    def _skip(self, planned: PlannedStep, missing: int) -> None:
        reason = f"Skipped: it needs step {missing}, which was {_PAST[self.undone[missing].state]}."
        self.context.journal.note(self.context.journal.record(planned, 0), State.SKIPPED, message=reason)
        self.undone[planned.order] = Undone(State.SKIPPED, reason)


def bound(planned: PlannedStep, spec: ResourceType, lookup: Callable[[int, str], str]) -> PlannedStep:
    """The step with identifiers in place of tokens. Sets are sorted again: an ID sorts differently from its token."""
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
