"""Types for verdicts: severity, direction, the graded change, and its context. Used by the engine, the rules
and everything that shows a severity. Contains no decisions and reads no clock, database or network.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal, Protocol

from snapshots.catalog.spec import Document
from tenants.errors import InvalidInput

Side = Literal["before", "after"]
Kind = Literal["created", "updated", "deleted"]


class Severity(StrEnum):
    """The severity of a change. Compares by weight, not alphabetically."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    INFORMATIONAL = "informational"

    @property
    def weight(self) -> int:
        return len(Severity) - list(Severity).index(self)

    def __lt__(self, other: str) -> bool:
        return self.weight < Severity(other).weight

    def __le__(self, other: str) -> bool:
        return self.weight <= Severity(other).weight

    def __gt__(self, other: str) -> bool:
        return self.weight > Severity(other).weight

    def __ge__(self, other: str) -> bool:
        return self.weight >= Severity(other).weight

    def lowered(self, steps: int = 1) -> "Severity":
        ladder = list(Severity)
        return ladder[min(ladder.index(self) + steps, len(ladder) - 1)]

    def raised(self, steps: int = 1) -> "Severity":
        ladder = list(Severity)
        return ladder[max(ladder.index(self) - steps, 0)]


class Direction(StrEnum):
    """The effect of a change on the tenant's protection."""

    WEAKENS = "weakens"
    NEUTRAL = "neutral"
    STRENGTHENS = "strengthens"


@dataclass(frozen=True)
class Finding:
    """One rule's verdict on a change. `reason` describes the effect and who is affected."""

    rule: str
    severity: Severity
    reason: str
    technique: str
    direction: Direction


@dataclass(frozen=True)
class Verdict:
    severity: Severity
    direction: Direction
    findings: tuple[Finding, ...]


@dataclass(frozen=True)
class Subject:
    """The graded change: two canonical documents of one resource, either of which may be missing."""

    resource_type: str
    resource_id: str
    before: Document | None
    after: Document | None

    @property
    def kind(self) -> Kind:
        if self.before is None:
            return "created"
        return "deleted" if self.after is None else "updated"

    @property
    def document(self) -> Document:
        """The latest available document."""
        if self.after is not None:
            return self.after
        return self.before or {}

    @property
    def name(self) -> str:
        """The display name of the object; for Azure resources the last part of the path."""
        for key in ("displayName", "name"):
            name = self.document.get(key)
            if isinstance(name, str) and name:
                return name
        return self.resource_id.rsplit("/", 1)[-1]


@dataclass(frozen=True)
class PrincipalFacts:
    """Known facts about a principal. `kind` is user, group or servicePrincipal."""

    kind: str = ""
    name: str = ""
    is_guest: bool = False
    break_glass: bool = False
    """The MSP documented this principal as a break-glass account or group."""


class Context(Protocol):
    """The rest of the tenant before and after the change. Returns None or nothing for unknown objects."""

    def get(self, side: Side, resource_type: str, resource_id: str) -> Document | None: ...

    def all(self, side: Side, resource_type: str) -> Mapping[str, Document]: ...

    def principal(self, principal_id: str) -> PrincipalFacts | None: ...


class EmptyContext:
    """An empty context: rules grade the change alone."""

    def get(self, side: Side, resource_type: str, resource_id: str) -> Document | None:  # noqa: ARG002
        return None

    def all(self, side: Side, resource_type: str) -> Mapping[str, Document]:  # noqa: ARG002
        return {}

    def principal(self, principal_id: str) -> PrincipalFacts | None:  # noqa: ARG002
        return None


class InvalidContext(InvalidInput):
    """Invalid grading context."""


@dataclass(frozen=True)
class MappingContext:
    """An in-memory context with case-insensitive IDs."""

    documents: Mapping[str, Mapping[str, Mapping[str, Document]]] = field(default_factory=dict)
    principals: Mapping[str, PrincipalFacts] = field(default_factory=dict)

    @classmethod
    def from_json(cls, data: object) -> "MappingContext":
        """From `{"before": {type: {id: document}}, "after": {…}, "principals": {id: {…}}}`."""
        root = _object(data, "the context")
        unknown = sorted(set(root) - {"before", "after", "principals"})
        if unknown:
            raise InvalidContext(
                f"The context has unknown keys: {', '.join(unknown)}. Use before, after and principals."
            )
        documents = {
            side: {
                str(kind): {
                    str(key).casefold(): _object(document, f"{side}.{kind}.{key}")
                    for key, document in _object(by_id, f"{side}.{kind}").items()
                }
                for kind, by_id in _object(root.get(side, {}), side).items()
            }
            for side in ("before", "after")
        }
        principals = {
            str(key).casefold(): _facts(_object(value, f"principals.{key}"))
            for key, value in _object(root.get("principals", {}), "principals").items()
        }
        return cls(documents=documents, principals=principals)

    def get(self, side: Side, resource_type: str, resource_id: str) -> Document | None:
        return self.all(side, resource_type).get(resource_id.casefold())

    def all(self, side: Side, resource_type: str) -> Mapping[str, Document]:
        return self.documents.get(side, {}).get(resource_type, {})

    def principal(self, principal_id: str) -> PrincipalFacts | None:
        return self.principals.get(principal_id.casefold())


def _object(value: object, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise InvalidContext(f"{where} must be a JSON object, not {type(value).__name__}.")
    return value


def _facts(value: Mapping[str, Any]) -> PrincipalFacts:
    return PrincipalFacts(
        kind=str(value.get("kind") or ""),
        name=str(value.get("name") or ""),
        is_guest=value.get("is_guest") is True,
        break_glass=value.get("break_glass") is True,
    )


@dataclass(frozen=True)
class Hit:
    """The result of a rule's check. The engine adds the rule's ID and technique."""

    severity: Severity
    reason: str
    direction: Direction
    technique: str | None = None
    """Overrides the rule's technique if this hit is of another kind."""


def weakens(severity: Severity, reason: str, technique: str | None = None) -> Hit:
    return Hit(severity, reason, Direction.WEAKENS, technique)


def neutral(severity: Severity, reason: str, technique: str | None = None) -> Hit:
    return Hit(severity, reason, Direction.NEUTRAL, technique)


def strengthens(reason: str) -> Hit:
    """A tightening is low and has no attack technique."""
    return Hit(Severity.LOW, reason, Direction.STRENGTHENS, "")


Check = Callable[[Subject, Context], Iterable[Hit]]


@dataclass(frozen=True)
class Rule:
    """A declared rule: the types it checks, its ATT&CK technique, its sources, and its pure check."""

    id: str
    title: str
    resource_types: tuple[str, ...]
    technique: str
    check: Check
    sources: tuple[str, ...] = ()

    def findings(self, subject: Subject, context: Context) -> Iterator[Finding]:
        for hit in self.check(subject, context):
            technique = self.technique if hit.technique is None else hit.technique
            yield Finding(self.id, hit.severity, hit.reason, technique, hit.direction)
