"""Rules on custom security attributes: allowed values, and values used in access decisions."""

from collections.abc import Iterator

from changes.severity.declared_settings import (
    Life,
    Members,
    Setting,
    Watched,
    always,
    lives,
    on_protects,
    watching,
)
from changes.severity.model import Context, Hit, Rule, Severity, Subject, neutral
from changes.severity.readers import dig, listed, text, word
from changes.severity.surroundings import SIDES

SET, DEFINITION, VALUES = (
    "attributeSet",
    "customSecurityAttributeDefinition",
    "customSecurityAttributeAssignment",
)
TECHNIQUE = "T1098"
FILTERS = (("applications", "applicationFilter"), ("clientApplications", "servicePrincipalFilter"))

DEFINITION_SETTINGS: tuple[Watched, ...] = (
    Setting(
        "usePreDefinedValuesOnly",
        "the restriction to the listed values",
        on_protects(),
        Severity.MEDIUM,
        "Any text can be set where access decisions expect a known value",
    ),
    Members("allowedValues", "the allowed values", Severity.LOW, key="id"),
)


def _names(value: object) -> Iterator[tuple[str, str]]:
    """Every property in a document with its value, at any depth."""
    if isinstance(value, dict):
        for key, item in value.items():
            if not str(key).startswith("@"):
                yield str(key), repr(item)
                yield from _names(item)
    elif isinstance(value, list):
        for item in value:
            yield from _names(item)


def _filters(context: Context) -> dict[str, str]:
    """The attribute filters of Conditional Access policies, by policy."""
    return {
        text(policy, "displayName") or key: " ".join(
            word(policy, "conditions", *path, "rule") for path in FILTERS
        )
        for side in SIDES
        for key, policy in context.all(side, "conditionalAccessPolicy").items()
    }


def values_changed(subject: Subject, context: Context) -> Iterator[Hit]:
    changed = {name for name, _ in set(_names(subject.before)) ^ set(_names(subject.after))}
    tokens = {name.casefold() for name in changed} | {word(subject.document, "name")} - {""}
    deciding = [
        f"policy {name}"
        for name, rule in _filters(context).items()
        if "customsecurityattribute." in rule
        and any(part in rule.replace("_", " ").replace(".", " ").split() for part in tokens)
    ]
    if deciding:
        yield neutral(
            Severity.HIGH,
            f"Security attributes of {subject.name} were {_verb(subject)}: used by {listed(deciding)}.",
        )
    elif changed:
        reason = (
            f"Security attributes of {subject.name} were {_verb(subject)}. Access decisions may depend "
            "on them."
        )
        yield neutral(Severity.MEDIUM, reason)


def _verb(subject: Subject) -> str:
    return {"created": "assigned", "updated": "changed", "deleted": "removed"}[subject.kind]


def definition_withdrawn(subject: Subject, context: Context) -> Iterator[Hit]:  # noqa: ARG001
    before, after = word(subject.before, "status"), word(subject.after, "status")
    if subject.kind == "updated" and before != after:
        reason = f"The security attribute {subject.name} is {after or 'unknown'} instead of {before}."
        yield neutral(Severity.MEDIUM, reason)
    elif subject.kind == "updated" and dig(subject.before, "type") != dig(subject.after, "type"):
        yield neutral(Severity.MEDIUM, f"The security attribute {subject.name} has a different type.")


RULES = (
    Rule(
        "attribute-definition",
        "Allowed values of a security attribute changed",
        (DEFINITION,),
        TECHNIQUE,
        watching(DEFINITION_SETTINGS),
    ),
    Rule(
        "attribute-status",
        "A security attribute was deactivated or reactivated",
        (DEFINITION,),
        TECHNIQUE,
        definition_withdrawn,
    ),
    Rule(
        "attribute-values",
        "Security attributes of a user or application changed",
        (VALUES,),
        TECHNIQUE,
        values_changed,
    ),
    lives(
        "attribute-life",
        "A security attribute or set was created or deleted",
        TECHNIQUE,
        {
            SET: Life(
                created=always(Severity.LOW, "It cannot be deleted"),
                deleted=always(Severity.MEDIUM, "Access decisions based on its attributes no longer work"),
            ),
            DEFINITION: Life(
                created=always(Severity.LOW, "It cannot be deleted, only deactivated"),
                deleted=always(Severity.MEDIUM, "Access decisions based on it no longer work"),
            ),
        },
    ),
)
