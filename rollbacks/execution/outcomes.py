"""The outcomes of a step that is not done."""

from dataclasses import dataclass

from rollbacks.models import StepRecord

State = StepRecord.State


class Stale(Exception):
    """The live object is not what the dry run saw; the text says what moved."""


class Stopped(Exception):
    """A step failed and the execution must not go on."""


class StepRefused(Exception):
    """Microsoft refused a step. What does not need it can still be done."""


class UndeleteRefused(Exception):
    """Microsoft keeps the object but does not let us take it out; the plan foresees another way."""


@dataclass(frozen=True)
class Undone:
    """A step that was refused (`failed`) or skipped, and why."""

    state: State
    reason: str
