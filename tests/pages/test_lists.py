"""Every long list: one page of it at a time, narrowed by its filter, at a cost that does not grow with it."""

import re
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from changes.models import AuditEvent
from snapshots.catalog import registry
from snapshots.models import Coverage, Snapshot, Version
from tenants.access.matrix import Role
from tenants.models import LedgerEntry, Tenant, User
from tests.factories.changes import detected, mfa_policy
from tests.factories.rollbacks import planned
from tests.factories.tenants import TenantFactory, person
from tests.pages.conftest import POLICY, Scene

SignIn = Callable[[User], Client]
Make = Callable[[Scene, int], None]


def more_tenants(_scene: Scene, count: int) -> None:
    start = Tenant.objects.count()
    for number in range(start, start + count):
        TenantFactory(name=f"Another tenant {number:03}")


def more_contents(scene: Scene, count: int) -> None:
    """Locations beside what the newest snapshot has, in the same snapshot."""
    Version.objects.bulk_create(
        Version(
            tenant=scene.tenant,
            resource_type="namedLocation",
            resource_id=f"00000000-0000-4000-8000-{number:012}",
            digest="0" * 64,
            display_name=f"Place {number:03}",
            first_snapshot=scene.before,
        )
        for number in range(Version.objects.count(), Version.objects.count() + count)
    )


def more_snapshots(scene: Scene, count: int) -> None:
    last = scene.tenant.snapshots.count()
    now = timezone.now()
    Snapshot.objects.bulk_create(
        Snapshot(
            tenant=scene.tenant,
            number=number,
            status=Snapshot.Status.COMPLETE,
            requested_by="schedule",
            started_at=now,
            completed_at=now,
            root=f"{number:064}",
            resource_count=1,
        )
        for number in range(last + 1, last + 1 + count)
    )


def more_entries(scene: Scene, count: int) -> None:
    last = LedgerEntry.objects.latest("sequence").sequence
    LedgerEntry.objects.bulk_create(
        LedgerEntry(
            sequence=last + number,
            at=timezone.now(),
            actor="erin",
            via="page",
            action="test:more",
            target=f"entry {number}",
            tenant_id=scene.tenant.pk,
            previous="",
            digest=f"{last + number:064}",
        )
        for number in range(1, count + 1)
    )


def more_events(scene: Scene, count: int) -> None:
    now = timezone.now()
    start = AuditEvent.objects.count()
    AuditEvent.objects.bulk_create(
        AuditEvent(
            tenant=scene.tenant,
            event_id=f"more {number}",
            activity=f"Add member {number}",
            occurred_at=now,
            actor_name="someone@contoso.example",
            sealed=b"",
            received_at=now,
        )
        for number in range(start, start + count)
    )


def more_rollbacks(scene: Scene, count: int) -> None:
    for _ in range(count):
        planned(scene.tenant, scene.engineer, [scene.change], reason="One more")


def more_coverage(scene: Scene, count: int) -> None:
    known = set(Coverage.objects.filter(snapshot=scene.after).values_list("resource_type", flat=True))
    others = [spec.key for spec in registry.all_types() if spec.key not in known]
    Coverage.objects.bulk_create(
        Coverage(snapshot=scene.after, resource_type=key, status="forbidden", reason="The app lacks it.")
        for key in others[:count]
    )


LISTS: dict[str, tuple[Callable[[Scene], list[Any]], Make, str]] = {
    "overview": (lambda _scene: [], more_tenants, "list"),
    "tenants": (lambda _scene: [], more_tenants, "list"),
    "snapshot": (lambda scene: [scene.after.pk], more_contents, "list"),
    "ledger": (lambda _scene: [], more_entries, "entries"),
    "audit-events": (lambda _scene: [], more_events, "events"),
    "rollbacks": (lambda _scene: [], more_rollbacks, "rollbacks"),
}
"""Page → its arguments, how its list grows, and the list's name in the context."""
SHOWN = re.compile(r'<a class="button" rel="next" href="([^"]+)"')


@pytest.fixture
def auditor(scene: Scene, signed_in: SignIn) -> Client:
    return signed_in(person(Role.AUDITOR))


def key(row: Any) -> Any:
    return row.tenant.pk if hasattr(row, "counts") else row.pk


@pytest.mark.parametrize("name", LISTS)
def test_a_list_is_walked_page_by_page_without_gap_or_repetition(
    name: str, scene: Scene, auditor: Client
) -> None:
    arguments, make, context = LISTS[name]
    make(scene, 3)
    address = reverse(name, args=arguments(scene))
    before = {key(row) for row in auditor.get(address).context[context].rows}
    make(scene, 60)

    seen: list[Any] = []
    path: str | None = address
    while path is not None:
        response = auditor.get(path)
        seen += [key(row) for row in response.context[context].rows]
        found = SHOWN.search(response.text)
        path = f"{address}{found[1].split('#')[0].replace('&amp;', '&')}" if found else None

    assert len(seen) == len(set(seen)) == len(before) + 60
    assert before <= set(seen)


@pytest.mark.parametrize("name", LISTS)
def test_a_longer_list_costs_no_more_queries_and_no_larger_page(
    name: str, scene: Scene, auditor: Client
) -> None:
    arguments, make, context = LISTS[name]
    address = reverse(name, args=arguments(scene))

    def asked() -> tuple[int, int]:
        with CaptureQueriesContext(connection) as captured:
            response = auditor.get(address)
        return len(captured), len(response.context[context].rows)

    make(scene, 55)
    asked()
    queries, _ = asked()
    make(scene, 60)

    assert asked() == (queries, 50)


@pytest.mark.parametrize("page", ["0", "-1", "9999999999999999999999", "x", ""])
def test_a_page_that_is_not_there_is_the_nearest_one(page: str, scene: Scene, auditor: Client) -> None:
    for name in ("overview", "tenants", "snapshot"):
        response = auditor.get(reverse(name, args=LISTS[name][0](scene)), {"page": page})
        assert response.status_code == 200
        assert response.context["list"].rows


def test_the_next_page_keeps_the_filter(scene: Scene, auditor: Client) -> None:
    more_contents(scene, 70)
    response = auditor.get(
        reverse("snapshot", args=[scene.after.pk]), {"type": "namedLocation", "name": "Place"}
    )

    assert response.context["list"].total == 70
    assert 'href="?type=namedLocation&amp;name=Place&amp;page=2#content"' in response.text


FILTERS: Iterable[tuple[str, dict[str, str], bool]] = [
    ("snapshot", {"type": "conditionalAccessPolicy"}, True),
    ("snapshot", {"name": "MFA"}, True),
    ("snapshot", {"name": POLICY[:8]}, True),
    ("snapshot", {"name": "nowhere"}, False),
    ("snapshot", {"type": "namedLocation"}, False),
    ("overview", {"name": "tenant <"}, True),
    ("overview", {"name": "nowhere"}, False),
    ("tenants", {"name": "tenant <"}, True),
    ("tenants", {"name": "nowhere"}, False),
    ("tenants", {"customer": "999999"}, False),
    ("rollbacks", {"reason": "because"}, True),
    ("rollbacks", {"reason": "nowhere"}, False),
    ("rollbacks", {"requester": "nobody"}, False),
    ("ledger", {"action": "test:"}, True),
    ("ledger", {"action": "nothing:"}, False),
    ("ledger", {"until": "2020-01-01T00:00"}, False),
    ("ledger", {"tenant": "999999"}, False),
    ("audit-events", {"actor": "GINA"}, True),
    ("audit-events", {"activity": "nowhere"}, False),
    ("audit-events", {"since": "not a time"}, False),
]


@pytest.mark.parametrize(("name", "query", "found"), FILTERS, ids=str)
def test_a_filter_narrows_its_list_and_says_when_nothing_is_left(
    name: str, query: dict[str, str], found: bool, scene: Scene, auditor: Client
) -> None:
    arguments, _, context = LISTS[name]

    response = auditor.get(reverse(name, args=arguments(scene)), query)

    assert bool(response.context[context].rows) is found
    if not found:
        assert re.search("No results match this filter|This filter is not valid", response.text)


def test_a_tenants_coverage_and_snapshots_are_paged_and_filtered_apart(scene: Scene, auditor: Client) -> None:
    more_coverage(scene, 40)
    more_snapshots(scene, 30)
    address = reverse("tenant", args=[scene.tenant.pk])

    def shown(**query: str) -> tuple[int, int]:
        response = auditor.get(address, query)
        return response.context["coverage_list"].total, len(response.context["snapshots"].rows)

    total, listed = shown()
    assert total > 40
    assert listed == 25
    assert shown(**{"coverage-status": "forbidden"}) == (40, 25)
    assert shown(**{"snapshot-requested_by": "nobody"}) == (total, 0)
    assert len(auditor.get(address).context["coverage"]) == 25


def test_a_comparison_of_many_resources_spells_out_one_page_of_them(scene: Scene, auditor: Client) -> None:
    policies = {
        f"00000000-0000-4000-8000-{number:012}": mfa_policy(displayName=f"Policy {number:03}")
        for number in range(60)
    }
    tenant = TenantFactory()
    changes = detected(tenant, {"conditionalAccessPolicy": {}}, {"conditionalAccessPolicy": policies})
    query = {"base": str(changes[0].previous_snapshot_id), "target": str(changes[0].snapshot_id)}

    first = auditor.get(reverse("compare"), query)
    named = auditor.get(reverse("compare"), {**query, "name": "policy 059"})

    assert len(first.context["sections"]) == 25
    assert "60 resources differ" in first.text
    assert [section["item"].display_name for section in named.context["sections"]] == ["Policy 059"]
