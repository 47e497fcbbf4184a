"""Targets whose own end time has passed: a plan does not restore them, and removes what somebody prolonged.

Changes targets only.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from rollbacks.planning.model import Target
from snapshots.catalog import registry
from snapshots.recoverability.verdicts import end_of


@dataclass(frozen=True)
class CurrentTargets:
    """The targets that have not expired, and warnings about those that have."""

    targets: list[Target]
    warnings: tuple[str, ...] = ()


def drop_expired(now: datetime, targets: Sequence[Target]) -> CurrentTargets:
    current: list[Target] = []
    warnings: list[str] = []
    for target in targets:
        end = _end(target)
        if end is None or end > now:
            current.append(target)
            continue
        spec = registry.get(target.resource_type)
        who = f"{spec.label} “{target.display_name or target.resource_id}”"
        warnings.append(f"{who} expired at {end:%Y-%m-%d %H:%M} UTC, so it is not restored.")
        current.append(replace(target, wanted=None))
    return CurrentTargets(current, tuple(warnings))


def _end(target: Target) -> datetime | None:
    return None if target.wanted is None else end_of(registry.get(target.resource_type), target.wanted)
