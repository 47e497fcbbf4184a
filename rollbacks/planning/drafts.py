"""Steps before they have numbers, in the phases of a plan."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum

from changes.diff.structural import shown_diff
from rollbacks.planning.model import AnnouncedLoss, PlannedRequest, StepKind, Target
from snapshots.catalog.spec import Document, ResourceType


class Phase(IntEnum):
    """What stands in the way goes first. Nothing is enforced before all is in place, nothing relaxed before the rest is
    enforced, then come deletions, and at last what Microsoft takes only after all of them.
    """

    FIRST = 0
    BRING_BACK = 1
    ENFORCE = 2
    RELAX = 3
    DELETE = 4
    LAST = 5


@dataclass
class Draft:
    """A step before it has its number."""

    kind: StepKind
    phase: Phase
    target: Target
    object_id: str
    explanation: str
    requests: list[PlannedRequest]
    result: Document | None
    expected: Document | None = None
    follows: bool = False
    fallback: list[PlannedRequest] = field(default_factory=list)
    fields: tuple[dict[str, object], ...] = ()
    announced: Document | None = None
    """The resource when the whole plan is done, where that is less than what is wanted."""


@dataclass
class Outcome:
    """The steps for one target, and what must be said about it."""

    drafts: list[Draft] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    losses: list[AnnouncedLoss] = field(default_factory=list)


@dataclass
class Drafting:
    """Writes the drafts of one target. `plain` puts the old IDs back, for people's eyes."""

    target: Target
    spec: ResourceType
    plain: Callable[[Document | None], Document | None]
    outcome: Outcome

    def step(
        self,
        kind: StepKind,
        phase: Phase,
        explanation: str,
        requests: list[PlannedRequest],
        *,
        result: Document | None,
        before: Document | None = None,
        object_id: str = "",
        follows: bool = False,
        fallback: list[PlannedRequest] | None = None,
    ) -> None:
        compared = before is not None or not follows
        difference = shown_diff(self.plain(before), self.plain(result), self.spec) if compared else None
        because = f" {self.target.because}" if self.target.because and not follows else ""
        self.outcome.drafts.append(
            Draft(
                kind=kind,
                phase=phase,
                target=self.target,
                object_id=object_id or self.target.resource_id,
                explanation=explanation + because,
                requests=requests,
                result=result,
                expected=before,
                follows=follows,
                fallback=fallback or [],
                fields=tuple(
                    {
                        "path": each.path,
                        "label": each.label,
                        "kind": each.kind,
                        "before": each.before,
                        "after": each.after,
                        "added": list(each.added),
                        "removed": list(each.removed),
                    }
                    for each in (difference.fields if difference else ())
                ),
            )
        )
