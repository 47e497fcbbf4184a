"""The rule on settings of the Settings Catalog, whose meaning is declared in changes/severity/settings_catalog."""

from collections.abc import Iterator

from changes.severity.model import (
    Context,
    Direction,
    Hit,
    Rule,
    Severity,
    Subject,
    neutral,
    strengthens,
    weakens,
)
from changes.severity.readers import listed
from changes.severity.rules.intune.protection import CATALOG, MAESTER, TECHNIQUE
from changes.severity.settings_catalog import effects, unknown_changes
from changes.severity.settings_catalog.vocabulary import Effect

SHOWN = 5
TYPES = (*CATALOG, "deviceManagementCompliancePolicy")


def setting_changed(subject: Subject, context: Context) -> Iterator[Hit]:  # noqa: ARG001
    """For a new policy, only weakening settings are reported. The rule on created policies reports its
    protection.
    """
    if subject.kind == "deleted":
        return
    found = list(effects(subject.before, subject.after))
    weaker = [effect for effect in found if effect.direction is Direction.WEAKENS]
    stronger = [effect for effect in found if effect.direction is Direction.STRENGTHENS]
    if weaker:
        worst = max(effect.severity for effect in weaker)
        yield weakens(worst, f"{subject.name}: {_told(weaker)}.")
    elif stronger and subject.kind == "updated":
        yield strengthens(f"{subject.name}: {_told(stronger)}.")
    if (
        not weaker
        and subject.kind == "updated"
        and (others := unknown_changes(subject.before, subject.after))
    ):
        reason = f"{subject.name} changes values without a known effect on protection: {listed(others)}."
        yield neutral(Severity.MEDIUM, reason)


def _told(found: list[Effect]) -> str:
    """The worst first."""
    texts = list(
        dict.fromkeys(
            each.text for each in sorted(found, key=lambda each: (-each.severity.weight, each.text))
        )
    )
    rest = len(texts) - SHOWN
    return "; ".join([*texts[:SHOWN], *([f"and {rest} more settings"] if rest > 0 else [])])


RULES = (Rule("intune-catalog", "Settings of a policy changed", TYPES, TECHNIQUE, setting_changed, MAESTER),)
