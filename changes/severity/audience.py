"""Whom an Intune object is assigned to, and whether a change removed or added targets. Used by the Intune
rules. A target is a token: a group, all users or all devices, with its filter.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from changes.severity.readers import dig, rows, short_type, word
from snapshots.catalog.spec import Document

EVERYBODY = {"alldevicesassignmenttarget": "all devices", "alllicensedusersassignmenttarget": "all users"}
EXCLUSION = "exclusiongroupassignmenttarget"
NO_FILTER = frozenset({"", "none", "00000000-0000-0000-0000-000000000000"})


@dataclass(frozen=True)
class Audience:
    included: frozenset[str]
    excluded: frozenset[str]

    @property
    def everybody(self) -> bool:
        return any(token in EVERYBODY.values() for token in self.included)

    @property
    def nobody(self) -> bool:
        return not self.included

    def misses(self, other: "Audience") -> frozenset[str]:
        """The targets that `other` reaches and this does not: no longer included, or newly excluded."""
        lost = frozenset[str]() if self.everybody else other.included - self.included
        return lost | (self.excluded - other.excluded)


def audience_of(document: Document | None, intent: str = "") -> Audience:
    """With `intent`, only assignments with this intent."""
    included, excluded = set[str](), set[str]()
    for target in _targets(document, intent):
        kind = short_type(target).casefold()
        token = EVERYBODY.get(kind) or f"group {word(target, 'groupId') or word(target, 'collectionId')}"
        name = word(target, "deviceAndAppManagementAssignmentFilterId")
        if name not in NO_FILTER:
            mode = word(target, "deviceAndAppManagementAssignmentFilterType")
            token += f" ({mode} filter {name})"
        (excluded if kind == EXCLUSION else included).add(token)
    return Audience(frozenset(included), frozenset(excluded))


def _targets(document: Document | None, intent: str) -> Iterator[Document]:
    for row in rows(document, "assignments"):
        target = dig(dict(row), "target")
        if isinstance(target, Mapping) and intent in {"", word(dict(row), "intent")}:
            yield dict(target)
