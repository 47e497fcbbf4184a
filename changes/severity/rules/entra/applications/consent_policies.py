"""Rules on permission grant policies: which consents need no administrator."""

import json
from collections.abc import Iterator

from changes.severity.model import Context, Hit, Rule, Severity, Subject, neutral, strengthens, weakens
from changes.severity.readers import Row, is_true, rows, word, words
from snapshots.catalog.spec import Document

POLICY = ("permissionGrantPolicy",)
TECHNIQUE = "T1528"
SCOPES = (
    "permissions",
    "clientApplicationIds",
    "clientApplicationTenantIds",
    "clientApplicationPublisherIds",
)
WORDS = ("permissionType", "permissionClassification", "resourceApplication")
LIMITS = ("clientApplicationsFromVerifiedPublisherOnly", "certifiedClientApplicationsOnly")
ANYTHING = frozenset({"all", "any"})


def _conditions(document: Document | None, name: str) -> list[Document]:
    return [dict(row) for row in rows(document, name)]


def _covers(wide: Document, narrow: Document) -> bool:
    """Whether `wide` includes every consent that `narrow` describes."""
    scopes = all(
        words(wide, name) & ANYTHING or words(narrow, name) <= words(wide, name) - ANYTHING for name in SCOPES
    )
    single = all(word(wide, name) in ANYTHING or word(wide, name) == word(narrow, name) for name in WORDS)
    limits = all(is_true(narrow, name) or not is_true(wide, name) for name in LIMITS)
    return scopes and single and limits


def _beyond(first: list[Document], second: list[Document]) -> list[Document]:
    return [one for one in first if not any(_covers(other, one) for other in second)]


def _severity(conditions: list[Document]) -> Severity:
    return max((_reach(one) for one in conditions), default=Severity.MEDIUM)


def _reach(condition: Row) -> Severity:
    """High for application permissions, or for all delegated permissions of any app."""
    one = dict(condition)
    own = word(one, "permissionType") == "application"
    everything = "all" in words(one, "permissions") and word(one, "permissionClassification") in {"", "all"}
    return (
        Severity.HIGH
        if own or (everything and not any(is_true(one, name) for name in LIMITS))
        else Severity.MEDIUM
    )


def _assigned(subject: Subject, context: Context) -> bool:
    """Whether the policy applies to users; assumed true if unknown."""
    policies = context.all("after", "authorizationPolicy").values()
    return not policies or any(
        subject.resource_id.casefold() in json.dumps(document).casefold() for document in policies
    )


def consents_widened(subject: Subject, context: Context) -> Iterator[Hit]:
    if subject.kind == "deleted":
        yield neutral(Severity.LOW, f"The consent policy {subject.name} was deleted.")
        return
    more = _beyond(_conditions(subject.after, "includes"), _conditions(subject.before, "includes"))
    fewer = _beyond(_conditions(subject.before, "excludes"), _conditions(subject.after, "excludes"))
    less = _beyond(_conditions(subject.before, "includes"), _conditions(subject.after, "includes"))
    barred = _beyond(_conditions(subject.after, "excludes"), _conditions(subject.before, "excludes"))
    if more or fewer:
        severity = _severity(more + fewer)
        if not _assigned(subject, context) or subject.kind == "created":
            severity = severity.lowered()
        yield weakens(severity, f"The policy {subject.name} allows more consents without an administrator.")
    elif less or barred:
        yield strengthens(f"The policy {subject.name} allows fewer consents without an administrator.")


RULES = (
    Rule(
        "consent-policy-widened",
        "The consents allowed without an administrator changed",
        POLICY,
        TECHNIQUE,
        consents_widened,
        ("CISA ScubaGear: MS.AAD.5.2",),
    ),
)
