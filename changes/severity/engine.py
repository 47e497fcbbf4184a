"""Grades one change: runs the rules of its type; the most severe finding determines the severity. Called when
a change is detected and by the `grade` command. Pure: the same change and context give the same verdict,
regardless of the order of keys and rules.
"""

from changes.severity.model import (
    Context,
    Direction,
    EmptyContext,
    Finding,
    Severity,
    Subject,
    Verdict,
)
from changes.severity.readers import listed
from changes.severity.rules import rules_for
from snapshots.catalog.spec import Document

WORDING = frozenset(
    {
        "displayName",
        "description",
        "notes",
        "tags",
        "info",
        "appDescription",
        "appDisplayName",
        "classification",
        "mailNickname",
        "mail",
        "preferredLanguage",
        "serviceManagementReference",
        "theme",
    }
)
"""Properties that are only displayed and have no effect."""

UNCHANGED = "unchanged"
WORDING_ONLY = "wording-only"
UNGRADED = "no-security-rule"

_DIRECTION_ORDER = (Direction.WEAKENS, Direction.NEUTRAL, Direction.STRENGTHENS)


def grade(subject: Subject, context: Context | None = None) -> Verdict:
    """The verdict on a change, with at least one finding and thus a reason."""
    surroundings = context if context is not None else EmptyContext()
    rules = rules_for(subject.resource_type) if subject.before != subject.after else ()
    found = {finding for rule in rules for finding in rule.findings(subject, surroundings)}
    findings = tuple(sorted(found, key=_rank)) or (_default(subject),)
    return Verdict(findings[0].severity, findings[0].direction, findings)


def _rank(finding: Finding) -> tuple[int, int, str, str]:
    return (
        -finding.severity.weight,
        _DIRECTION_ORDER.index(finding.direction),
        finding.rule,
        finding.reason,
    )


def _default(subject: Subject) -> Finding:
    changed = changed_properties(subject.before, subject.after)
    if subject.before == subject.after:
        return _neutral(UNCHANGED, Severity.INFORMATIONAL, f"Nothing changed in {subject.name}.")
    if subject.kind != "updated":
        return _neutral(UNGRADED, Severity.LOW, f"{subject.name} was {subject.kind}.")
    if all(name in WORDING for name in changed):
        reason = f"Only text changed in {subject.name}: {listed(changed, limit=5)}."
        return _neutral(WORDING_ONLY, Severity.INFORMATIONAL, reason)
    reason = (
        f"{subject.name} was updated: {listed(changed, limit=5)}. No rule detects an effect on protection."
    )
    return _neutral(UNGRADED, Severity.LOW, reason)


def changed_properties(before: Document | None, after: Document | None) -> frozenset[str]:
    old, new = before or {}, after or {}
    return frozenset(name for name in {*old, *new} if old.get(name) != new.get(name))


def _neutral(rule: str, severity: Severity, reason: str) -> Finding:
    return Finding(rule, severity, reason, "", Direction.NEUTRAL)
