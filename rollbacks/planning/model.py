"""The values of a plan: what is wanted, what is live, and the steps and requests that lead from one to the other.

Built by this package, sealed by the plan store, interpreted by the executor. Values only; they decide nothing.
"""

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from typing import Any, TypeAlias

from snapshots.canonical.spelling import revealed
from snapshots.catalog.spec import Document
from tenants.microsoft.request import Request

Key: TypeAlias = tuple[str, str]
"""Resource type and resource id."""


class StepKind(StrEnum):
    UNDELETE = "undelete"
    UPDATE = "update"
    RECREATE = "recreate"
    DELETE = "delete"
    ENFORCE = "enforce"


BRINGS_BACK = frozenset({StepKind.UNDELETE, StepKind.RECREATE})


class EffectKind(StrEnum):
    CREATE = "create"
    UNDELETE = "undelete"
    SET = "set"
    ADD = "add"
    CHANGE = "change"
    REMOVE = "remove"
    DELETE = "delete"


@dataclass(frozen=True)
class Target:
    """One resource to bring to an earlier version. `wanted` None: it must not exist."""

    resource_type: str
    resource_id: str
    wanted: Document | None
    display_name: str = ""
    last_known: Document | None = None
    """Its newest recorded version, from which a deleted object is expected to come back."""
    changes: tuple[int, ...] = ()
    because: str = ""
    """Why it is in the plan, where nobody chose it."""

    @property
    def key(self) -> Key:
        return self.resource_type, self.resource_id


@dataclass(frozen=True)
class NaturalKeyMatch:
    """Another live object with the same natural key, where Microsoft allows only one."""

    resource_id: str
    document: Document


@dataclass(frozen=True)
class LiveState:
    """What the tenant has now. `document` None: absent; `deleted`: the soft-delete container holds it."""

    document: Document | None = None
    deleted: bool = False
    natural_key_match: NaturalKeyMatch | None = None
    location: Mapping[str, str] = field(default_factory=dict)
    """Where it is, as far as neither its id nor its document says so."""
    raw: Document | None = None
    """The object as the service told of it, with what documents leave out."""

    @property
    def present(self) -> Document | None:
        """The object, or the twin that takes its place."""
        return (
            self.natural_key_match.document
            if self.document is None and self.natural_key_match is not None
            else self.document
        )


@dataclass(frozen=True)
class AnnouncedLoss:
    """Something that a plan says it does not bring back. The approvers sign it, and verification expects it."""

    resource_type: str
    resource_id: str
    display_name: str
    path: str
    """Of the property; empty where it is the resource as a whole."""
    what: str
    items: tuple[str, ...] = ()
    """Each lost thing by name, where there are several."""
    left_open: bool = False
    """What the tenant will have there is not known beforehand; otherwise the step's `announced` says it."""

    @property
    def key(self) -> Key:
        return self.resource_type, self.resource_id

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "items": list(self.items)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "AnnouncedLoss":
        return cls(**{**data, "items": tuple(data["items"])})


@dataclass(frozen=True)
class Effect:
    """What a request does to the canonical document, so that its success can be told by reading.

    `values` are the properties that SET writes (None clears). `elements` of the array or part `of` are what ADD,
    CHANGE and REMOVE speak of.
    """

    kind: EffectKind
    of: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)
    elements: tuple[Document, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return {
            "kind": self.kind.value,
            "of": self.of,
            "values": dict(self.values),
            "elements": list(self.elements),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Effect":
        return cls(EffectKind(data["kind"]), data["of"], data["values"], tuple(data["elements"]))


@dataclass(frozen=True)
class PlannedRequest:
    """One request with its effect. Ids that only the execution will know stand in it as tokens."""

    request: Request
    effect: Effect
    secrets: Mapping[str, str] = field(default_factory=dict)
    """Marks in the body and the secrets that they stand for: put in when it is sent, and shown to nobody."""

    def to_send(self) -> Request:
        body = self.request.body
        return replace(self.request, body=revealed(body, self.secrets)) if self.secrets else self.request

    def to_json(self) -> dict[str, Any]:
        return {
            "request": self.request.to_json(),
            "effect": self.effect.to_json(),
            "secrets": dict(self.secrets),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "PlannedRequest":
        request, effect = Request.from_json(data["request"]), Effect.from_json(data["effect"])
        return cls(request, effect, data.get("secrets") or {})


@dataclass(frozen=True)
class PlannedStep:
    """One step: what the live object must be (`expected`), what is sent, what it is afterwards (`target`), and what
    the resource should be when the whole plan is done (`wanted`), or will be for all the plan can do (`announced`).

    `expected` is None where the object must be absent, and also (`follows`) where the step builds upon what an
    earlier step of the same plan leaves behind. `keys` are the old identifiers of a resource that is brought back.
    """

    order: int
    kind: StepKind
    resource_type: str
    resource_id: str
    display_name: str
    explanation: str
    requests: tuple[PlannedRequest, ...]
    target: Document | None
    wanted: Document | None = None
    expected: Document | None = None
    follows: bool = False
    fallback: tuple[PlannedRequest, ...] = ()
    """What is sent instead where Microsoft refuses the undelete."""
    keys: Mapping[str, str] = field(default_factory=dict)
    fields: tuple[Mapping[str, Any], ...] = ()
    changes: tuple[int, ...] = ()
    announced: Document | None = None
    needs: tuple[int, ...] | None = None
    """Orders of the earlier steps without which this one is skipped; None (in plans of older releases): of all."""

    @property
    def key(self) -> Key:
        return self.resource_type, self.resource_id

    def missing(self, undone: Collection[int]) -> int | None:
        """The first of the undone steps that this one needs."""
        needed = range(1, self.order) if self.needs is None else self.needs
        return next((order for order in needed if order in undone), None)

    def to_json(self) -> dict[str, Any]:
        """Without what older plans do not have, so that their digests stay what they were."""
        announced = {} if self.announced is None else {"announced": self.announced}
        needs = {} if self.needs is None else {"needs": list(self.needs)}
        return (
            announced
            | needs
            | {
                "order": self.order,
                "kind": self.kind.value,
                "resource_type": self.resource_type,
                "resource_id": self.resource_id,
                "display_name": self.display_name,
                "explanation": self.explanation,
                "requests": [planned.to_json() for planned in self.requests],
                "target": self.target,
                "wanted": self.wanted,
                "expected": self.expected,
                "follows": self.follows,
                "fallback": [planned.to_json() for planned in self.fallback],
                "keys": dict(self.keys),
                "fields": [dict(each) for each in self.fields],
                "changes": list(self.changes),
            }
        )

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "PlannedStep":
        values = dict(data)
        values["kind"] = StepKind(values["kind"])
        for name in ("requests", "fallback"):
            values[name] = tuple(PlannedRequest.from_json(each) for each in values[name])
        for name in ("fields", "changes"):
            values[name] = tuple(values[name])
        values["needs"] = None if values.get("needs") is None else tuple(values["needs"])
        return cls(**values)


@dataclass(frozen=True)
class PlanDraft:
    """The plan before it is stored. It may be shown and yet not be applicable: `blockers` say why."""

    steps: tuple[PlannedStep, ...]
    warnings: tuple[str, ...]
    losses: tuple[AnnouncedLoss, ...] = ()
    blockers: tuple[str, ...] = ()

    @property
    def complete(self) -> bool:
        """Everything asked for is in the steps."""
        return not self.losses

    @property
    def applicable(self) -> bool:
        return bool(self.steps) and not self.blockers
