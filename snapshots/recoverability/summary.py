"""The verdicts on all resources in the latest snapshot of a tenant. Verdicts are computed from the content,
the declarations and the writer's permissions; they are never stored. The verdict of each version is cached,
so that counting a large tenant needs one pass.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson
from django.core.cache import cache
from django.db.models import QuerySet
from django.utils import timezone

from snapshots.canonical.references import means, mentions
from snapshots.catalog import registry
from snapshots.catalog.spec import Document, ResourceType
from snapshots.collection.addresses import at
from snapshots.models import Version
from snapshots.recoverability.verdicts import (
    Answer,
    Lost,
    Obstacle,
    Referrer,
    Restorability,
    Verdict,
    obstacle_to,
    restorability,
)
from snapshots.store import content_store
from tenants.chunks import CHUNK, chunked
from tenants.models import Connection, Tenant

KEPT_SECONDS = 600
MORE = 100
"""Maximum number of listed referrers; a group may be referenced by thousands of resources."""

Counts = Mapping[str, Mapping[Verdict, int]]
"""Resource type → verdict → number of resources, without zeros."""


@dataclass(frozen=True)
class Judged:
    """A version and the verdict on its resource."""

    version: Version
    type: ResourceType
    restorability: Restorability


def current(tenant: Tenant) -> QuerySet[Version]:
    return Version.objects.filter(tenant=tenant, last_snapshot__isnull=True)


def judged(tenant: Tenant, versions: Sequence[Version]) -> list[Judged]:
    """Adds all references that would be updated, in one pass over the referring resources."""
    contents = _contents(tenant, versions)
    found = list(_judge(tenant, versions, contents))
    moving = [each.version for each in found if each.restorability.may_get_a_new_id]
    named = _referrers(tenant, moving, contents) if moving else {}
    return [
        replace(each, restorability=each.restorability.remapping(named.get(each.version.pk, ())))
        for each in found
    ]


def verdicts(tenant: Tenant) -> dict[int, Verdict]:
    """The verdict on each current version, by ID."""
    key = _cache_key(tenant)
    known: dict[int, str] | None = cache.get(key)
    if known is None:
        known = {
            each.version.pk: each.restorability.verdict.value
            for chunk in chunked(current(tenant).order_by("pk").iterator(chunk_size=CHUNK))
            for each in _judge(tenant, chunk, _contents(tenant, chunk))
        }
        cache.set(key, known, KEPT_SECONDS)
    return {pk: Verdict(value) for pk, value in known.items()}


def with_verdict(tenant: Tenant, versions: QuerySet[Version], wanted: Verdict) -> QuerySet[Version]:
    """The tenant's current versions with this verdict."""
    return versions.filter(pk__in=[pk for pk, verdict in verdicts(tenant).items() if verdict is wanted])


def counts(tenant: Tenant) -> Counts:
    found = verdicts(tenant)
    counted: dict[str, Counter[Verdict]] = {}
    for pk, resource_type in current(tenant).order_by().values_list("pk", "resource_type"):
        if pk in found:
            counted.setdefault(resource_type, Counter())[found[pk]] += 1
    return counted


def total(counted: Counts) -> dict[Verdict, int]:
    """Totals over all types, with a number for every verdict."""
    return {verdict: sum(each.get(verdict, 0) for each in counted.values()) for verdict in Verdict}


def obstacles(tenant: Tenant) -> dict[str, Obstacle]:
    """Why the tenant's writer currently cannot write a resource type; only types with an obstacle."""
    granted = _granted(tenant)
    found = {spec.key: obstacle_to(spec, granted) for spec in registry.all_types()}
    return {key: obstacle for key, obstacle in found.items() if obstacle is not None}


def counts_as_json(counted: Mapping[Verdict, int]) -> dict[str, int]:
    return {verdict.value: counted[verdict] for verdict in Verdict if verdict in counted}


def as_json(each: Judged) -> dict[str, Any]:
    """The format of a verdict in commands and API."""
    found = each.restorability
    return {
        "resource_type": each.version.resource_type,
        "resource_id": each.version.resource_id,
        "display_name": each.version.display_name,
        "verdict": found.verdict.value,
        "reason": found.reason,
        "remedy": found.remedy,
        "losses": [_lost_as_json(lost) for lost in found.losses],
        "remapped": [
            {
                "resource_type": referrer.resource_type,
                "resource_id": referrer.resource_id,
                "display_name": referrer.display_name,
            }
            for referrer in found.remapped
        ],
        "if_changed": _answer_as_json(found.changed),
        "if_deleted": _answer_as_json(found.deleted),
        "if_purged": _answer_as_json(found.purged),
    }


def _answer_as_json(answer: Answer | None) -> dict[str, Any] | None:
    if answer is None:
        return None
    return {
        "verdict": answer.verdict.value,
        "reason": answer.reason,
        "losses": [_lost_as_json(lost) for lost in answer.losses],
    }


def _lost_as_json(lost: Lost) -> dict[str, Any]:
    return {"path": lost.path, "what": lost.what, "items": list(lost.items)}


def _contents(tenant: Tenant, versions: Iterable[Version]) -> dict[str, Document]:
    return content_store.documents(tenant, (version.digest for version in versions))


def _judge(tenant: Tenant, versions: Iterable[Version], contents: Mapping[str, Document]) -> Iterator[Judged]:
    standing, now = obstacles(tenant), timezone.now()
    for version in versions:
        spec = registry.get(version.resource_type)
        found = restorability(spec, contents[version.digest], now=now, obstacle=standing.get(spec.key))
        yield Judged(version, spec, found)


def _referrers(
    tenant: Tenant, versions: Sequence[Version], contents: Mapping[str, Document]
) -> dict[int, list[Referrer]]:
    """The referrers of each version's resource, at most MORE for each. One pass over all types with
    references.
    """
    meant = _by_value(versions, contents)
    found: dict[int, list[Referrer]] = {}
    types = [spec.key for spec in registry.all_types() if spec.references or spec.parts]
    rows = current(tenant).filter(resource_type__in=types).order_by("resource_type", "pk")
    for chunk in chunked(rows.iterator(chunk_size=CHUNK)):
        documents = _contents(tenant, chunk)
        for version in chunk:
            referrer = Referrer(version.resource_type, version.resource_id, version.display_name)
            named = _named(registry.get(version.resource_type), documents[version.digest], meant)
            for pk in named - {version.pk}:
                if len(listed := found.setdefault(pk, [])) < MORE:
                    listed.append(referrer)
    return found


def _by_value(
    versions: Sequence[Version], contents: Mapping[str, Document]
) -> dict[str, list[tuple[Version, Document]]]:
    """The versions by every text that a reference could use."""
    meant: dict[str, list[tuple[Version, Document]]] = {}
    for version in versions:
        document = contents[version.digest]
        embodied = (location for location in registry.get(version.resource_type).principal_identity)
        values = {version.resource_id, *(value for value in document.values() if isinstance(value, str))}
        values |= {str(at(document, location)) for location in embodied}
        for value in values:
            meant.setdefault(value, []).append((version, document))
    return meant


def _named(
    spec: ResourceType, document: Document, meant: Mapping[str, Sequence[tuple[Version, Document]]]
) -> set[int]:
    return {
        version.pk
        for mention in mentions(spec, document)
        for version, known in meant.get(mention.value, ())
        if means(mention, registry.get(version.resource_type), version.resource_id, known)
    }


def _granted(tenant: Tenant) -> frozenset[str] | None:
    """The writer's permissions at the last test; None without a writer. An untested writer is assumed to have
    all permissions.
    """
    writer = tenant.connections.filter(purpose=Connection.Purpose.WRITER).first()
    if writer is None:
        return None
    return frozenset(writer.granted) if writer.tested_at is not None else _all_permissions()


def _all_permissions() -> frozenset[str]:
    return frozenset(registry.required_permissions("write"))


def _cache_key(tenant: Tenant) -> str:
    latest = content_store.latest(tenant)
    granted = _granted(tenant)
    facts = [tenant.pk, latest.root if latest else "", None if granted is None else sorted(granted)]
    return f"recoverability:{hashlib.sha256(orjson.dumps(facts)).hexdigest()}"
