"""What was made to end at a time that has come: today it would be gone without anybody's doing, so a plan does not
bring it back, and takes away what somebody prolonged. Changes targets only.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from rollbacks.planning.model import Target
from snapshots.catalog import registry
from snapshots.recoverability.verdicts import end_of


@dataclass(frozen=True)
class Today:
    """The targets as they would be by now, and what ended meanwhile, in words."""

    targets: list[Target]
    warnings: tuple[str, ...] = ()


def as_of(now: datetime, targets: Sequence[Target]) -> Today:
    told: list[Target] = []
    warnings: list[str] = []
    for target in targets:
        end = _end(target)
        if end is None or end > now:
            told.append(target)
            continue
        spec = registry.get(target.resource_type)
        who = f"{spec.label} “{target.display_name or target.resource_id}”"
        warnings.append(f"{who} was to end at {end:%Y-%m-%d %H:%M} UTC, so it is not brought back.")
        told.append(replace(target, wanted=None))
    return Today(told, tuple(warnings))


def _end(target: Target) -> datetime | None:
    return None if target.wanted is None else end_of(registry.get(target.resource_type), target.wanted)
