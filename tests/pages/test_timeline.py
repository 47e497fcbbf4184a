"""The timeline: filters, fragments for htmx, older changes, and the way from chosen changes to a rollback."""

from collections.abc import Callable

import pytest
from django.contrib.messages import get_messages
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from changes.views import PAGE_SIZE
from tenants.access.matrix import Role
from tenants.models import Tenant, User
from tests.factories.changes import detected
from tests.factories.tenants import TenantFactory, person
from tests.pages.conftest import Scene

SignIn = Callable[[User], Client]
HTMX = {"HX-Request": "true"}


def many_changes(tenant: Tenant, count: int) -> None:
    detected(
        tenant,
        {"namedLocation": {}},
        {
            "namedLocation": {
                f"00000000-0000-4000-8000-{n:012}": {
                    "@odata.type": "#microsoft.graph.countryNamedLocation",
                    "id": f"00000000-0000-4000-8000-{n:012}",
                    "displayName": f"Place {n}",
                    "countriesAndRegions": ["NL"],
                }
                for n in range(count)
            }
        },
    )


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, True),
        ({"severity": "critical"}, True),
        ({"severity": "low"}, False),
        ({"kind": "updated"}, True),
        ({"kind": "created"}, False),
        ({"actor": "GINA"}, True),
        ({"actor": "203.0.113.77"}, True),
        ({"actor": "somebody else"}, False),
        ({"type": "conditionalAccessPolicy"}, True),
        ({"type": "namedLocation"}, False),
        ({"period": "24h"}, True),
        ({"until": "2020-01-01T00:00"}, False),
        ({"since": "2020-01-01T00:00"}, True),
        ({"state": "open"}, True),
        ({"state": "acknowledged"}, False),
        ({"severity": "no such"}, False),
        ({"tenant": "999999"}, False),
        ({"before": "not a number"}, True),
    ],
    ids=str,
)
def test_a_filter_shows_exactly_what_it_says(
    query: dict[str, str], found: bool, scene: Scene, signed_in: SignIn
) -> None:
    response = signed_in(scene.engineer).get(reverse("timeline"), query)

    assert response.status_code == 200
    assert (reverse("change", args=[scene.change.pk]) in response.text) is found


def test_a_filter_for_a_foreign_tenant_is_no_oracle(scene: Scene, foreign: Scene, signed_in: SignIn) -> None:
    client = signed_in(scene.engineer)

    known, unknown = (
        client.get(reverse("timeline"), {"tenant": pk}).text.replace(str(pk), "")
        for pk in (foreign.tenant.pk, 999999)
    )

    assert "This tenant does not exist, or you do not have access to it." in known
    assert reverse("change", args=[foreign.change.pk]) not in known
    assert "This tenant does not exist, or you do not have access to it." in unknown


def test_htmx_gets_the_list_alone_and_the_browser_the_page(scene: Scene, signed_in: SignIn) -> None:
    client = signed_in(scene.engineer)

    fragment = client.get(reverse("timeline"), headers=HTMX).text
    page = client.get(reverse("timeline"), headers={**HTMX, "HX-History-Restore-Request": "true"}).text

    assert "<html" not in fragment
    assert 'id="timeline"' in fragment
    assert "<html" in page


def test_older_changes_follow_without_gap_or_repetition(scene: Scene, signed_in: SignIn) -> None:
    many_changes(scene.tenant, PAGE_SIZE + 5)
    client = signed_in(scene.engineer)

    first = client.get(reverse("timeline"))
    older = client.get(reverse("timeline"), {"before": first.context["next_before"]}, headers=HTMX)

    shown = [row["change"].pk for response in (first, older) for row in response.context["changes"]]
    assert len(shown) == len(set(shown)) == PAGE_SIZE + 6
    assert shown == sorted(shown, reverse=True)
    assert older.context["next_before"] is None
    assert "<table" not in older.text


def test_the_number_of_queries_does_not_grow_with_the_changes(scene: Scene, signed_in: SignIn) -> None:
    client = signed_in(scene.engineer)

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            client.get(reverse("timeline"))
        return len(captured)

    queries()
    few = queries()
    many_changes(scene.tenant, 40)

    assert queries() == few


def test_changes_can_be_chosen_only_where_a_rollback_may_be_requested(
    scene: Scene, signed_in: SignIn
) -> None:
    box = f'name="change" value="{scene.change.pk}"'

    assert box in signed_in(scene.engineer).get(reverse("timeline")).text
    assert box not in signed_in(scene.approver).get(reverse("timeline")).text


def test_changes_of_two_tenants_are_offered_as_a_rollback_for_each(
    scene: Scene, foreign: Scene, signed_in: SignIn
) -> None:
    everywhere = signed_in(person(Role.ENGINEER))

    response = everywhere.post(
        reverse("plan-rollback"), {"change": [scene.change.pk, foreign.change.pk], "reason": "One campaign"}
    )

    assert [
        (tenant, [change.pk for change in changes]) for tenant, changes in response.context["groups"]
    ] == [(scene.tenant, [scene.change.pk]), (foreign.tenant, [foreign.change.pk])]
    assert response.text.count("One campaign</textarea>") == 2


def test_choosing_nothing_is_said(scene: Scene, signed_in: SignIn) -> None:
    response = signed_in(scene.engineer).post(reverse("plan-rollback"), follow=True)

    assert "Choose at least one change" in response.text


def test_a_foreign_change_cannot_be_slipped_into_a_rollback(
    scene: Scene, foreign: Scene, signed_in: SignIn
) -> None:
    response = signed_in(scene.engineer).post(
        reverse("plan-rollback"), {"change": [scene.change.pk, foreign.change.pk]}
    )

    assert response.status_code == 404


def test_an_acknowledgement_is_kept_with_its_note_and_only_once(scene: Scene, signed_in: SignIn) -> None:
    client, url = signed_in(scene.engineer), reverse("acknowledge", args=[scene.change.pk])

    first = client.post(url, {"note": "Ticket 42"}, follow=True)
    second = client.post(url, {"note": "again"})

    assert "Ticket 42" in first.text
    assert "already acknowledged" in " ".join(map(str, get_messages(second.wsgi_request)))


def test_acknowledging_never_leads_off_the_site(scene: Scene, signed_in: SignIn) -> None:
    response = signed_in(scene.engineer).post(
        reverse("acknowledge", args=[scene.change.pk]), {"next": "https://evil.example/"}
    )

    assert response.headers["Location"] == reverse("change", args=[scene.change.pk])


def test_a_tenant_without_changes_has_an_empty_timeline(db: None, signed_in: SignIn) -> None:
    engineer = person(Role.ENGINEER, tenant=TenantFactory())

    assert "No changes yet." in signed_in(engineer).get(reverse("timeline")).text


def test_a_change_shows_what_it_does_to_protection(scene: Scene, signed_in: SignIn) -> None:
    client = signed_in(scene.engineer)
    assert "Weakens protection" in client.get(f"/changes/{scene.change.pk}/").text
    (renamed,) = detected(
        scene.change.tenant,
        {"roleScopeTag": {"1": {"id": "1", "displayName": "Old"}}},
        {"roleScopeTag": {"1": {"id": "1", "displayName": "New"}}},
    )[-1:]
    page = client.get(f"/changes/{renamed.pk}/").text
    assert "No effect on protection" in page
    assert "Neutral protection" not in page


def test_an_audit_event_shows_the_record_as_microsoft_returned_it(
    scene: Scene, signed_in: Callable[[User], Client]
) -> None:
    page = signed_in(person(Role.AUDITOR, tenant=scene.tenant)).get(f"/audit-events/{scene.event.pk}/").text
    assert "activityDisplayName" in page
    assert f"/changes/{scene.change.pk}/" in page
