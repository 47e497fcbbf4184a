"""Links changes to the audit events that explain them. Runs repeatedly, because events arrive late: after
each collection and each read of the audit logs. Adds links and never changes or removes one. Selectors and
pages use it to find out who made a change.
"""

import logging
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar, cast

from django.conf import settings
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from changes.attribution.compared import ChangeFacts, EventFacts, Kind, change_facts, event_facts
from changes.attribution.country import TOKEN_LIFE, SignInCountries, country_of
from changes.attribution.matching import SKEW, Match, choose, known_activities, score
from changes.audit.parse import Target
from changes.diff.structural import shown_diff
from changes.models import Attribution, AuditEvent, Change, Resolution, SignIn
from snapshots.catalog import registry
from snapshots.catalog.spec import AuditHints, Document, ResourceType
from snapshots.store import content_store
from tenants.access.actors import Actor
from tenants.chunks import CHUNK, chunked
from tenants.models import AppRegistration, Connection, Tenant
from tenants.trust import proof
from tenants.trust.crypto import SealBroken

ATTRIBUTION = Actor.system("attribution")
LATE_EVENTS = timedelta(days=14)
"""How long matching is repeated for a change without a high-confidence match."""
SETTLED_AFTER = timedelta(hours=24)
"""How long matching is repeated even with a high-confidence match: another actor's event may arrive late."""

Each = TypeVar("Each")

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class OwnWrites:
    """The times when our own executions wrote to a tenant. Events of our application in these times are
    already explained.
    """

    windows: tuple[tuple[datetime, datetime], ...] = ()

    def cover(self, moment: datetime) -> bool:
        return any(since - SKEW <= moment <= until + SKEW for since, until in self.windows)


def attribute(
    tenant: Tenant,
    changes: Iterable[Change] | None = None,
    *,
    own_writes: OwnWrites = OwnWrites(),
    now: datetime | None = None,
) -> int:
    """Matches these changes, or all changes that may still find an event, with the stored events. Returns the
    number of links added. Events of our own executions explain only the changes that these executions made
    (marked as expected). Any other event of our application means that someone else used it, and is reported
    as such.
    """
    now = now or timezone.now()
    chosen = list(_open(tenant, now)) if changes is None else [c for c in changes if c.tenant_id == tenant.pk]
    by_snapshot: dict[int, list[Change]] = defaultdict(list)
    for change in chosen:
        by_snapshot[change.snapshot_id].append(change)
    ours = _Ours(_our_applications(tenant), own_writes)
    return sum(_attribute_window(tenant, by_snapshot[each], ours, now) for each in sorted(by_snapshot))


def best_for(changes: Iterable[Change]) -> dict[int, Attribution]:
    """The best attribution of each change, by change ID: highest score, then latest event."""
    found: dict[int, Attribution] = {}
    for ids in chunked([change.pk for change in changes]):
        rows = Attribution.objects.filter(change_id__in=ids).select_related("event").defer("event__sealed")
        for row in rows.order_by("change_id", *Attribution.LIKELIEST_FIRST):
            found.setdefault(row.change_id, row)
    return found


@dataclass(frozen=True)
class _Ours:
    applications: frozenset[str]
    writes: OwnWrites

    def did(self, event: AuditEvent) -> bool:
        """Whether one of our executions caused this event."""
        is_our_application = (
            event.actor_type == "application" and event.actor_app_id.lower() in self.applications
        )
        return is_our_application and self.writes.cover(event.occurred_at)


@dataclass(frozen=True)
class _Subject:
    change: Change
    facts: ChangeFacts
    hints: AuditHints


class _Events:
    """The events of one time window, indexed by what they name."""

    def __init__(self, rows: Iterable[AuditEvent]) -> None:
        self.rows = list(rows)
        self.facts: list[EventFacts] = [_facts(row) for row in self.rows]
        self._naming: dict[str, set[int]] = defaultdict(set)
        self._called: dict[str, set[int]] = defaultdict(set)
        self._doing: dict[str, set[int]] = defaultdict(set)
        for number, facts in enumerate(self.facts):
            for each in facts.ids:
                self._naming[each].add(number)
            for each in facts.names:
                self._called[each].add(number)
            self._doing[facts.activity].add(number)

    def matches(self, subject: _Subject, spent: AbstractSet[int]) -> list[tuple[Match, AuditEvent]]:
        return choose(
            (match, self.rows[number])
            for number in sorted(self._candidates(subject))
            if self.rows[number].pk not in spent
            and (match := score(subject.facts, self.facts[number], subject.hints)) is not None
        )

    def _candidates(self, subject: _Subject) -> set[int]:
        facts = subject.facts
        found = set(self._naming.get(facts.resource_id, ())) | self._called.get(facts.display_name, set())
        for ids in (*facts.partners, facts.lost):
            found.update(*(self._naming.get(each, ()) for each in ids))
        if subject.hints.singleton:
            found.update(*(self._doing.get(each, ()) for each in known_activities(subject.hints)))
        return found


def _open(tenant: Tenant, now: datetime) -> Iterator[Change]:
    sure = Attribution.objects.filter(change=OuterRef("pk"), confidence=Attribution.Confidence.HIGH)
    recent = Change.objects.filter(tenant=tenant, detected_at__gte=now - LATE_EVENTS)
    return recent.filter(~Exists(sure) | Q(detected_at__gte=now - SETTLED_AFTER)).iterator(chunk_size=CHUNK)


def _attribute_window(tenant: Tenant, changes: list[Change], ours: _Ours, now: datetime) -> int:
    """The changes of one snapshot, which share a time window."""
    events = _Events(
        AuditEvent.objects.filter(
            tenant=tenant,
            occurred_at__gte=min(change.earliest_at for change in changes) - SKEW,
            occurred_at__lte=max(change.detected_at for change in changes) + SKEW,
        ).defer("sealed")
    )
    if not events.rows:
        return 0
    spent = _spent(tenant, changes)
    by_us = {event.pk for event in events.rows if ours.did(event)}
    by_others = {event.pk for event in events.rows} - by_us
    expected = _expected(changes)
    matched = [
        (
            subject.change,
            events.matches(
                subject,
                spent[_resource(subject.change)] | (by_others if subject.change.pk in expected else by_us),
            ),
        )
        for subject in _subjects(tenant, changes)
    ]
    countries = _countries(tenant, [event for _, found in matched for _, event in found])
    linked = _linked(changes)
    rows = [
        _attribution(change, match, event, [each for _, each in found], countries, ours, now)
        for change, found in matched
        for match, event in found
        if event.pk not in linked[change.pk] and not (match.confidence == "low" and linked[change.pk])
    ]
    return proof.append(ATTRIBUTION, tenant, rows, ignore_conflicts=True)


def _subjects(tenant: Tenant, changes: list[Change]) -> Iterator[_Subject]:
    documents = _documents(tenant, changes)
    for change in changes:
        before, after = documents.get(change.before_digest), documents.get(change.after_digest)
        spec = _spec(change.resource_type)
        hints = AuditHints() if spec is None else spec.audit
        facts = change_facts(
            kind=cast("Kind", change.kind),
            resource_id=change.resource_id,
            display_name=change.display_name,
            earliest_at=change.earliest_at,
            detected_at=change.detected_at,
            documents=(before, after),
            fields=shown_diff(before, after, spec).fields if spec and before and after else (),
            hints=hints,
            log="directoryAudit" if spec is None else spec.audit_log,
        )
        yield _Subject(change, facts, hints)


def _documents(tenant: Tenant, changes: list[Change]) -> dict[str, Document]:
    digests = {
        digest for change in changes for digest in (change.before_digest, change.after_digest) if digest
    }
    try:
        return content_store.documents(tenant, digests)
    except (content_store.Missing, SealBroken) as error:
        _log.warning("Attribution of tenant %s runs without contents: %s Run verify.", tenant, error)
        return {}


def _spec(resource_type: str) -> ResourceType | None:
    """None for a type that is no longer declared."""
    try:
        return registry.get(resource_type)
    except registry.UnknownResourceType:
        return None


def _countries(tenant: Tenant, events: Sequence[AuditEvent]) -> SignInCountries:
    """Sign-ins that may explain the location of these events."""
    principals = sorted({event.actor_id for event in events if event.actor_id and event.ip})
    if not principals:
        return SignInCountries(())
    times = [event.occurred_at for event in events]
    window = (min(times) - TOKEN_LIFE, max(times))
    return SignInCountries(
        row
        for chunk in chunked(principals)
        for row in SignIn.objects.filter(
            tenant=tenant, principal_id__in=chunk, occurred_at__range=window
        ).values_list("principal_id", "ip", "occurred_at", "country")
    )


def _attribution(
    change: Change,
    match: Match,
    event: AuditEvent,
    rivals: Sequence[AuditEvent],
    countries: SignInCountries,
    ours: _Ours,
    now: datetime,
) -> Attribution:
    country, source = country_of(
        event.actor_id, event.ip, event.occurred_at, countries, settings.LAVAWALL_GEOIP_DB
    )
    return Attribution(
        change=change,
        event=event,
        confidence=match.confidence,
        score=match.score,
        why=[*match.why, *_company(rivals)],
        country=country,
        country_source=source,
        ours=ours.did(event),
        made_at=now,
    )


def _company(events: Sequence[AuditEvent]) -> Iterator[str]:
    if len(events) > 1:
        actors = {(event.actor_type, event.actor_id or event.actor_name) for event in events}
        whose = "by one actor" if len(actors) == 1 else f"by {len(actors)} actors"
        yield f"one of {len(events)} matching events {whose}"


def _linked(changes: Sequence[Change]) -> dict[int, set[int]]:
    linked: dict[int, set[int]] = defaultdict(set)
    for ids in chunked([change.pk for change in changes]):
        pairs = Attribution.objects.filter(change_id__in=ids).values_list("change_id", "event_id")
        for change_id, event_id in pairs:
            linked[change_id].add(event_id)
    return linked


def _expected(changes: Sequence[Change]) -> set[int]:
    """Changes made by our own executions."""
    return {
        change_id
        for ids in chunked([change.pk for change in changes])
        for change_id in Resolution.objects.filter(
            change_id__in=ids, kind=Resolution.Kind.EXPECTED
        ).values_list("change_id", flat=True)
    }


def _spent(tenant: Tenant, changes: Sequence[Change]) -> dict[tuple[str, str], set[int]]:
    """Events that already explain an earlier change of the same resource. Time windows overlap because of
    clock skew, and someone who undoes a change within minutes must not be confused with the person who made it.
    """
    spent: dict[tuple[str, str], set[int]] = defaultdict(set)
    for ids in chunked(sorted({change.resource_id for change in changes})):
        rows = Attribution.objects.filter(
            change__tenant=tenant, change__resource_id__in=ids, change__snapshot_id__lt=changes[0].snapshot_id
        ).exclude(confidence=Attribution.Confidence.LOW)
        for resource_type, resource_id, event_id in rows.values_list(
            "change__resource_type", "change__resource_id", "event_id"
        ):
            spent[(resource_type, resource_id)].add(event_id)
    return spent


def _resource(change: Change) -> tuple[str, str]:
    return change.resource_type, change.resource_id


def _our_applications(tenant: Tenant) -> frozenset[str]:
    """Client IDs of the current and former app registrations for this tenant."""
    connected = Connection.objects.filter(tenant=tenant).values_list("app_registration__client_id", flat=True)
    own = AppRegistration.objects.filter(tenant=tenant).values_list("client_id", flat=True)
    return frozenset(str(client_id) for client_id in [*connected, *own])


def _facts(event: AuditEvent) -> EventFacts:
    return event_facts(
        activity=event.activity,
        result=event.result,
        occurred_at=event.occurred_at,
        actor_name=event.actor_name,
        targets=[Target.from_json(stored) for stored in event.targets],
        log=event.source,
        correlation_id=event.correlation_id,
    )
