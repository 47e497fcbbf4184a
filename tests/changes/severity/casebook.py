"""The form in which the tests of the rules are written: what must speak, how loudly, and what must stay silent."""

import copy
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from changes.severity.engine import grade
from changes.severity.model import MappingContext, Subject, Verdict

Document = dict[str, Any]


@dataclass(frozen=True)
class Case:
    """One change under one rule. `severity` None: the rule stays silent."""

    title: str
    rule: str
    resource_type: str
    before: Document | None
    after: Document | None
    severity: str | None
    direction: str = "weakens"
    context: Document = field(default_factory=dict)
    resource_id: str = "subject-id"
    either_way: bool = False
    """One thing took another's place: the reverse weakens as much."""

    @property
    def subject(self) -> Subject:
        return Subject(self.resource_type, self.resource_id, self.before, self.after)

    @property
    def swapped(self) -> Subject:
        return Subject(self.resource_type, self.resource_id, self.after, self.before)

    @property
    def surroundings(self) -> MappingContext:
        return MappingContext.from_json(self.context)

    def verdict(self) -> Verdict:
        return grade(self.subject, self.surroundings)


def changed(document: Document, edit: Callable[[Document], Any]) -> Document:
    """A copy of `document` with one edit."""
    result = copy.deepcopy(document)
    edit(result)
    return result


def both_sides(**types: Document) -> Document:
    """A context that holds the same documents before and after."""
    return {"before": types, "after": copy.deepcopy(types)}
