"""Decides whether an audit event explains a change, with what confidence, and why. Pure; called by
attribution. An event must name the object (or an object that it connects or was deleted with or, for a
singleton, its activity), must have succeeded, and must have happened between the two reads. Each match gives
points, declared here; their sum is the score.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Literal, TypeVar

from changes.attribution.compared import ChangeFacts, EventFacts, activity_words, loose
from snapshots.catalog.spec import AuditHints

Confidence = Literal["high", "medium", "low"]

SKEW = timedelta(minutes=5)

HIGH = 75
MEDIUM = 50
LOW = 30

OBJECT = 50
"""The event's target is the object, or all objects that it connects."""
PARTNER = 30
"""One of the objects that it connects."""
NAME = 25
"""The object's name, or a singleton's activity."""
NAMESAKE = 10
"""The object's name with another ID: deleted and recreated, or another object with the same name."""
ACTIVITY = 20
VERB = 10
UNFAMILIAR = -20
"""The activity is not known to change this type; the object may only have been involved."""
CONTRADICTION = -15
DETAIL = 15
"""The event names the changed property or member."""
IN_WINDOW = 5
GO_BETWEEN = -10

_PRECISE = frozenset({"intuneAudit", "azureActivity"})
"""Logs that record only changes, under the object's own ID: activities need not be declared."""

_DELETING = ("delete ", "remove ")
_ADDING = frozenset({"add", "create", "consent", "invite", "restore", "register", "grant", "assign", "write"})
_REMOVING = frozenset({"delete", "remove", "revoke", "unassign"})
_ABOUT_A_PART = frozenset({"member", "members", "owner", "owners", "credentials", "assignment", "grant"})
"""Adding or removing one of these does not create or delete the object itself."""
_PARTNER_GONE = re.compile(
    r"(hard )?delete (administrative unit|application|group|user|service principal)|remove service principal"
    r"|microsoft .+ delete"
)


@dataclass(frozen=True)
class Match:
    score: int
    confidence: Confidence
    why: tuple[str, ...]
    occurred_at: datetime
    in_window: bool
    indirect: bool
    """Matched by related objects, not by the object itself."""
    correlation_id: str = ""
    by_go_between: bool = False


@dataclass(frozen=True)
class _Point:
    points: int
    why: str
    indirect: bool = False


Event = TypeVar("Event")


def score(change: ChangeFacts, event: EventFacts, hints: AuditHints) -> Match | None:
    """None if the event cannot have changed the object."""
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
        points.append(_Point(ACTIVITY, "its activity changes objects of this type"))
    elif hints.activities and not identity.indirect:
        points.append(_Point(UNFAMILIAR, "but its activity is not known to change objects of this type"))
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
    """The events to keep for one change, best first, then latest first. Several people may have changed an
    object between two snapshots, so all events with medium or high confidence are kept. Weaker events are
    kept only if there is nothing better: one event with low confidence, events just outside the time window,
    and events that do not name the object itself, which may be about a similar object. A Microsoft service is
    replaced by the person for whom it acted, found by the same correlation ID.
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
    """The declared activities, and for each delete the corresponding restore."""
    declared = frozenset(activity_words(activity) for activity in hints.activities)
    return declared | {f"restore {each.partition(' ')[2]}" for each in declared if each.startswith(_DELETING)}


def _identity(
    change: ChangeFacts, event: EventFacts, hints: AuditHints, hinted: bool, verb: _Point | None
) -> _Point | None:
    """How the event names the object. If only indirectly, activity and verb must match as well."""
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
    """Objects connected to a deleted object, and its entries in other objects, disappear without an event of
    their own.
    """
    if not _PARTNER_GONE.fullmatch(event.activity):
        return None
    joined = change.lost.union(*change.partners) if change.kind == "deleted" else change.lost
    if not joined & event.ids:
        return None
    return _Point(PARTNER, "the event deletes an object that this one connected or contained", indirect=True)


def _partners(change: ChangeFacts, event: EventFacts) -> _Point | None:
    """Grants and assignments are logged under the objects that they connect; one of these must be the target.
    An event that also names an unrelated object is about a different connection.
    """
    if not any(ids & event.ids for ids in change.partners):
        return None
    named = event.ids | event.mentions
    if len(change.partners) > 1:
        if all(ids & named for ids in change.partners):
            return _Point(OBJECT, "the event names all objects that this one connects", indirect=True)
        if named - frozenset().union(*change.partners) - change.gained - change.lost:
            return None
    return _Point(PARTNER, "the event's target is one of the objects that this one connects", indirect=True)


def _by_name(change: ChangeFacts, event: EventFacts) -> _Point | None:
    if change.kind == "updated" or not change.display_name or change.display_name not in event.names:
        return None
    if change.display_name in event.bare_names:
        return _Point(NAME, "the event's target has this object's name and no ID")
    return _Point(NAMESAKE, "the event's target has this object's name but another ID")


def _singleton(change: ChangeFacts, event: EventFacts, hints: AuditHints, hinted: bool) -> _Point | None:
    """If the event lists the changed elements of the tenant-wide policy, this must be one of them."""
    if not hints.singleton or not hinted:
        return None
    if event.elements and loose(change.resource_id) not in event.elements:
        return None
    return _Point(NAME, "the event is about the tenant-wide policy of this kind", indirect=True)


def _verb(change: ChangeFacts, event: EventFacts, *, itself: bool) -> _Point | None:
    """Adding and removing members and owners updates the object, so any activity matches *updated*."""
    agrees = _Point(VERB, f"its activity matches the kind of change ({change.kind})")
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
    return _Point(CONTRADICTION, f"but its activity contradicts the kind of change ({change.kind})")


def _agreements(event: EventFacts, verb: _Point | None, in_window: bool) -> Iterator[_Point]:
    if verb is not None:
        yield verb
    if in_window:
        yield _Point(IN_WINDOW, "it happened between the two snapshots")
    else:
        yield _Point(0, "it happened within five minutes of the two snapshots")
    if event.by_go_between:
        yield _Point(GO_BETWEEN, "but its actor is a Microsoft service that acts for someone else")


def _detail(change: ChangeFacts, event: EventFacts, hints: AuditHints) -> str:
    if change.changed & event.properties or loose(change.resource_id) in event.elements:
        return "it modified the changed property"
    words = event.activity.split()
    touched: frozenset[str] = frozenset()
    if _REMOVING.isdisjoint(words):
        touched |= change.gained
    if _ADDING.isdisjoint(words):
        touched |= change.lost
    if touched & (event.ids | event.mentions):
        return "it names the added or removed value"
    if hints.singleton and change.display_name and change.display_name in event.names:
        return "it names the object"
    return ""
