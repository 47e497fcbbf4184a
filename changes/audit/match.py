"""Says whether an audit event explains a change, how surely, and why. Pure; called by attribution.

An event must name the object (or what the object joins, or, for a singleton, its activity), have succeeded, and have
happened between the two reads. Points per agreement are declared here; their sum is the score.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Literal, TypeVar

from changes.audit.parse import Target
from changes.diff import FieldChange
from snapshots.catalog.places import ELEMENT
from snapshots.catalog.places import parse as parse_path
from snapshots.catalog.spec import AuditHints, AuditLog, Document

Kind = Literal["created", "updated", "deleted"]
Confidence = Literal["high", "medium", "low"]

SKEW = timedelta(minutes=5)

HIGH = 75
MEDIUM = 50
LOW = 30

OBJECT = 50
"""The event's target is the object, or all of the objects that it joins."""
PARTNER = 30
"""One of the objects that it joins."""
NAME = 25
"""The object's name, or a singleton's activity."""
NAMESAKE = 10
"""The object's name, under another id: deleted and made anew, or another object of the same name."""
ACTIVITY = 20
VERB = 10
UNFAMILIAR = -20
"""The activity is none of those that change this type: the object may only have played a part in it."""
CONTRADICTION = -15
DETAIL = 15
"""The event names what changed: the property, or the member."""
IN_WINDOW = 5
GO_BETWEEN = -10

_GO_BETWEENS = frozenset({"ms-pim", "managed service identity"})
"""Microsoft's own applications that act on a person's behalf; the person stands in another event."""

_PRECISE = frozenset({"intuneAudit", "azureActivity"})
"""Logs that record nothing but changes, and those under the object's own id: activities need not be declared."""

_DELETING = ("delete ", "remove ")
_ADDING = frozenset({"add", "create", "consent", "invite", "restore", "register", "grant", "assign", "write"})
_REMOVING = frozenset({"delete", "remove", "revoke", "unassign"})
_ABOUT_A_PART = frozenset({"member", "members", "owner", "owners", "credentials", "assignment", "grant"})
"""Adding or removing one of these neither makes nor deletes the object that has them."""
_PARTNER_GONE = re.compile(
    r"(hard )?delete (administrative unit|application|group|user|service principal)|remove service principal"
    r"|microsoft .+ delete"
)

_BY_PIM = re.compile(r" in pim( completed)?( permanent| timebound)?$")
"""PIM says what the directory says, and how it came about: the rest of the words is the same."""

_ELEMENT = re.compile(r"\[(.+)\]$")
_ELEMENT_KEY = re.compile(r"\[[^\]=]*=([^\],]+)\]")

_SAME_PROPERTY: Mapping[str, tuple[str, ...]] = {
    "keydescription": ("passwordcredentials", "keycredentials"),
    "appaddress": ("redirecturis",),
}
"""What the log calls a property → what Graph calls it, where spelling does not tell. Source: public detection rules
on the Entra audit log (Microsoft Sentinel)."""


@dataclass(frozen=True)
class ChangeFacts:
    """What is known of a change. `partners`: for each hint, the ids that the document holds there."""

    kind: Kind
    resource_id: str
    display_name: str
    earliest_at: datetime
    detected_at: datetime
    log: AuditLog = "directoryAudit"
    """Where changes of its type stand."""
    partners: tuple[frozenset[str], ...] = ()
    changed: frozenset[str] = frozenset()
    """Words of the changed paths, in the log's loose spelling."""
    gained: frozenset[str] = frozenset()
    """Values, of which ids matter, that the change brought (members, owners, an app role), and `lost`: that it took."""
    lost: frozenset[str] = frozenset()


@dataclass(frozen=True)
class EventFacts:
    """What matching needs of an audit event, prepared once for all changes."""

    log: str
    correlation_id: str
    activity: str
    succeeded: bool
    occurred_at: datetime
    by_go_between: bool
    ids: frozenset[str]
    mentions: frozenset[str]
    names: frozenset[str]
    bare_names: frozenset[str]
    """Names of targets that have no id."""
    properties: frozenset[str]
    elements: frozenset[str]
    """Ids of the elements that differ inside a policy which the event has as one value."""


@dataclass(frozen=True)
class Match:
    score: int
    confidence: Confidence
    why: tuple[str, ...]
    occurred_at: datetime
    in_window: bool
    indirect: bool
    """Found by what the event is about, not by the object itself."""
    correlation_id: str = ""
    by_go_between: bool = False


@dataclass(frozen=True)
class _Point:
    points: int
    why: str
    indirect: bool = False


Event = TypeVar("Event")


def change_facts(
    *,
    kind: Kind,
    resource_id: str,
    display_name: str,
    earliest_at: datetime,
    detected_at: datetime,
    documents: Iterable[Document | None],
    fields: Iterable[FieldChange],
    hints: AuditHints,
    log: AuditLog = "directoryAudit",
) -> ChangeFacts:
    """Facts of a change from its documents (before and after) and its field changes."""
    known = [document for document in documents if document is not None]
    around = _ancestors(resource_id.lower()) if kind == "deleted" else frozenset()
    fields = list(fields) if kind == "updated" else []
    partners = tuple(
        frozenset(value.lower() for document in known for value in _texts_at(document, parse_path(path)))
        - {""}
        for path in hints.targets
    )
    others = frozenset(
        value.lower().rpartition("/")[2]
        for document in known
        for name, value in document.items()
        if kind != "updated" and name not in hints.targets and isinstance(value, str) and value
    )
    return ChangeFacts(
        kind=kind,
        resource_id=resource_id.lower(),
        display_name=_loose(display_name),
        earliest_at=earliest_at,
        detected_at=detected_at,
        log=log,
        partners=tuple(ids for ids in partners if ids),
        changed=frozenset(_loose(word) for field in fields for word in re.split(r"[.\[\]=,]", field.path))
        - {"", "id"},
        gained=_touched(fields, "added") | (others if kind == "created" else frozenset()),
        lost=_touched(fields, "removed") | (others if kind == "deleted" else frozenset()) | around,
    )


def event_facts(
    *,
    activity: str,
    result: str,
    occurred_at: datetime,
    actor_name: str,
    targets: Sequence[Target],
    log: str = "directoryAudit",
    correlation_id: str = "",
) -> EventFacts:
    """Facts of an event, in the loose spelling in which they are compared."""
    return EventFacts(
        log=log,
        correlation_id=correlation_id,
        activity=activity_words(activity),
        succeeded=result.lower() == "success",
        occurred_at=occurred_at,
        by_go_between=actor_name.lower() in _GO_BETWEENS,
        ids=frozenset(target.id.lower() for target in targets if target.id),
        mentions=frozenset(each.lower() for target in targets for each in target.mentions),
        names=frozenset(_loose(target.name) for target in targets if target.name),
        bare_names=frozenset(_loose(target.name) for target in targets if target.name and not target.id),
        properties=frozenset(
            word for target in targets for name in target.properties for word in _property_words(name)
        ),
        elements=frozenset(
            _loose(element)
            for target in targets
            for name in target.properties
            for element in _ELEMENT.findall(name)
        ),
    )


def score(change: ChangeFacts, event: EventFacts, hints: AuditHints) -> Match | None:
    """None where the event cannot be what changed the object."""
    if not event.succeeded:
        return None
    if not change.earliest_at - SKEW <= event.occurred_at <= change.detected_at + SKEW:
        return None
    hinted = event.activity in known_activities(hints)
    verb = _verb(change, event, itself=change.resource_id in event.ids)
    identity = _identity(change, event, hints, hinted, verb)
    if identity is None:
        return None
    in_window = change.earliest_at <= event.occurred_at <= change.detected_at
    points = [identity, *_agreements(event, verb, in_window)]
    if hinted or (event.log == change.log and event.log in _PRECISE and not identity.indirect):
        points.append(_Point(ACTIVITY, "its activity is one that changes this type"))
    elif hints.activities and not identity.indirect:
        points.append(_Point(UNFAMILIAR, "but its activity is not known to change this type"))
    if detail := _detail(change, event, hints):
        points.append(_Point(DETAIL, detail))
    total = max(0, min(100, sum(point.points for point in points)))
    confidence = confidence_of(total)
    if confidence is None:
        return None
    why = tuple(point.why for point in points)
    return Match(
        total,
        confidence,
        why,
        event.occurred_at,
        in_window,
        identity.indirect,
        event.correlation_id,
        event.by_go_between,
    )


def choose(found: Iterable[tuple[Match, Event]]) -> list[tuple[Match, Event]]:
    """The events to keep for one change, best and then latest first.

    Several people may have changed one object between two reads: all of medium confidence or more are kept. What is
    less sure is kept only where there is nothing better: one event of low confidence, events just outside the
    window, and events that do not name the object itself: they may be about another one of its kind. A service of
    Microsoft gives way to the person for whom it acted, which is who has the same correlation.
    """
    found = list(found)
    people = {match.correlation_id for match, _ in found if not match.by_go_between}
    found = [
        each for each in found if not each[0].by_go_between or each[0].correlation_id not in people - {""}
    ]
    ranked = sorted(found, key=lambda each: (each[0].score, each[0].occurred_at), reverse=True)
    sure = [each for each in ranked if each[0].score >= MEDIUM]
    if not sure:
        return ranked[:1]
    sure = [each for each in sure if each[0].in_window] or sure
    best = sure[0][0].score
    return [each for each in sure if not each[0].indirect or each[0].score == best]


def confidence_of(points: int) -> Confidence | None:
    if points >= HIGH:
        return "high"
    if points >= MEDIUM:
        return "medium"
    return "low" if points >= LOW else None


@lru_cache(maxsize=1024)
def known_activities(hints: AuditHints) -> frozenset[str]:
    """The declared ones, and the restoring of what can be deleted, which is logged in the same words."""
    declared = frozenset(activity_words(activity) for activity in hints.activities)
    return declared | {f"restore {each.partition(' ')[2]}" for each in declared if each.startswith(_DELETING)}


def activity_words(activity: str) -> str:
    """Activity names differ in letter case and dashes from place to place: only the words are compared."""
    return _BY_PIM.sub("", " ".join(re.findall(r"[^\W_]+", activity.lower())))


def _identity(
    change: ChangeFacts, event: EventFacts, hints: AuditHints, hinted: bool, verb: _Point | None
) -> _Point | None:
    """How the event names the object. What is named only indirectly needs the activity and the verb to agree."""
    if change.resource_id in event.ids:
        return _Point(OBJECT, "the event's target is this object")
    contradicted = verb is not None and verb.points < 0
    if contradicted or event.log != change.log:
        return None
    found = None
    if hinted or not hints.activities:
        found = (
            _partners(change, event) or _by_name(change, event) or _singleton(change, event, hints, hinted)
        )
    return found or _gone(change, event)


def _gone(change: ChangeFacts, event: EventFacts) -> _Point | None:
    """What joined a deleted object goes with it, and so does its place in others: neither has an event of its own."""
    if not _PARTNER_GONE.fullmatch(event.activity):
        return None
    joined = change.lost.union(*change.partners) if change.kind == "deleted" else change.lost
    if not joined & event.ids:
        return None
    return _Point(PARTNER, "the event deletes an object that this one joined or held", indirect=True)


def _partners(change: ChangeFacts, event: EventFacts) -> _Point | None:
    """Grants and assignments are logged under the objects that they join; one of them must be the target itself.

    An event that names one of them together with a stranger is about another join.
    """
    if not any(ids & event.ids for ids in change.partners):
        return None
    named = event.ids | event.mentions
    if len(change.partners) > 1:
        if all(ids & named for ids in change.partners):
            return _Point(OBJECT, "the event names all the objects that this one joins", indirect=True)
        if named - frozenset().union(*change.partners) - change.gained - change.lost:
            return None
    return _Point(PARTNER, "the event's target is one of the objects that this one joins", indirect=True)


def _by_name(change: ChangeFacts, event: EventFacts) -> _Point | None:
    if change.kind == "updated" or not change.display_name or change.display_name not in event.names:
        return None
    if change.display_name in event.bare_names:
        return _Point(NAME, "the event's target has this object's name, and no id")
    return _Point(NAMESAKE, "the event's target has this object's name, under another id")


def _singleton(change: ChangeFacts, event: EventFacts, hints: AuditHints, hinted: bool) -> _Point | None:
    """Where the event says which elements of the tenant's one policy differ, this must be one of them."""
    if not hints.singleton or not hinted:
        return None
    if event.elements and _loose(change.resource_id) not in event.elements:
        return None
    return _Point(NAME, "the event is about the tenant's one policy of this kind", indirect=True)


def _verb(change: ChangeFacts, event: EventFacts, *, itself: bool) -> _Point | None:
    """Members and owners come and go by updates of what has them, so that any activity agrees with *updated*."""
    agrees = _Point(VERB, f"its activity agrees with {change.kind}")
    if change.kind == "updated":
        return agrees
    words = event.activity.split()
    if itself and not _ABOUT_A_PART.isdisjoint(words):
        return None
    verb = next((word for word in words if word in _ADDING or word in _REMOVING), "")
    if not verb:
        return None
    if (verb in _ADDING) == (change.kind == "created"):
        return agrees
    return _Point(CONTRADICTION, f"but its activity says the opposite of {change.kind}")


def _agreements(event: EventFacts, verb: _Point | None, in_window: bool) -> Iterator[_Point]:
    if verb is not None:
        yield verb
    if in_window:
        yield _Point(IN_WINDOW, "it happened between the two reads")
    else:
        yield _Point(0, "it happened within five minutes of the two reads")
    if event.by_go_between:
        yield _Point(GO_BETWEEN, "but its actor is a service of Microsoft that acts for somebody")


def _detail(change: ChangeFacts, event: EventFacts, hints: AuditHints) -> str:
    if change.changed & event.properties or _loose(change.resource_id) in event.elements:
        return "it modified what changed"
    words = event.activity.split()
    touched: frozenset[str] = frozenset()
    if _REMOVING.isdisjoint(words):
        touched |= change.gained
    if _ADDING.isdisjoint(words):
        touched |= change.lost
    if touched & (event.ids | event.mentions):
        return "it names what was added or removed"
    if hints.singleton and change.display_name and change.display_name in event.names:
        return "it names the object"
    return ""


def _property_words(name: str) -> Iterator[str]:
    """`Group.DisplayName` is about the group, not about a displayName: only the first part counts."""
    word = _loose(re.split(r"[.\[]", name, maxsplit=1)[0])
    if word and word != "id":
        yield word
        yield from _SAME_PROPERTY.get(word, ())


def _touched(fields: Iterable[FieldChange], side: Literal["added", "removed"]) -> frozenset[str]:
    """Plain values that came or went, and the key of a keyed element that did (`members[id=…]`)."""
    found: set[object] = set()
    for field in fields:
        found.update(
            each for each in (field.added if side == "added" else field.removed) if isinstance(each, str)
        )
        if field.kind == side:
            found.update(_ELEMENT_KEY.findall(field.path))
    return frozenset(str(each).lower() for each in found)


def _texts_at(value: object, path: tuple[str, ...]) -> Iterator[str]:
    if not path:
        if isinstance(value, str):
            yield value
    elif path[0] == ELEMENT:
        for element in value if isinstance(value, list) else ():
            yield from _texts_at(element, path[1:])
    elif isinstance(value, dict):
        yield from _texts_at(value.get(path[0]), path[1:])


def _ancestors(resource_id: str) -> frozenset[str]:
    """What an Azure resource is in, which takes it along: its scope, its resource group."""
    parts = resource_id.split("/")
    return frozenset("/".join(parts[:length]) for length in range(3, len(parts), 2) if parts[0] == "")


def _loose(text: str) -> str:
    return re.sub(r"[^\w]+", "", text.lower())
