"""The overview: what waits for me, how bad it is, how fresh it is; and its cost."""

import html
import re
from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from changes.services import acknowledge
from snapshots.models import Coverage
from tenants.access.actors import Actor
from tenants.access.matrix import Role
from tenants.models import User
from tests.factories.tenants import TenantFactory, person
from tests.pages.conftest import Scene, make_scene

SignIn = Callable[[User], Client]


def test_what_waits_for_an_approver_comes_first(scene: Scene, signed_in: SignIn) -> None:
    page = signed_in(scene.approver).get(reverse("overview")).text

    assert "waiting for your approval" in page
    assert reverse("rollback", args=[scene.rollback.pk]) in page


def test_nothing_waits_for_the_requester(scene: Scene, signed_in: SignIn) -> None:
    assert "for your approval" not in signed_in(scene.engineer).get(reverse("overview")).text


def test_changes_are_counted_by_severity_and_period(scene: Scene, signed_in: SignIn) -> None:
    response = signed_in(scene.engineer).get(reverse("overview"))

    counts = response.context["totals"]
    assert [counts[period]["critical"] for period in ("24h", "7d", "30d")] == [1, 1, 1]
    assert counts["24h"]["low"] == 0


def test_an_acknowledged_change_is_no_longer_among_the_worst(scene: Scene, signed_in: SignIn) -> None:
    client = signed_in(scene.engineer)
    assert len(client.get(reverse("overview")).context["worst"]) == 1

    acknowledge(Actor.person(scene.engineer, "test"), change=scene.change, note="known")

    assert client.get(reverse("overview")).context["worst"] == []


def test_a_count_links_to_the_changes_that_it_counts(scene: Scene, signed_in: SignIn) -> None:
    client = signed_in(scene.engineer)
    links = set(re.findall(r'href="([^"]+severity=critical[^"]+)"', client.get(reverse("overview")).text))
    assert links

    def listed() -> set[int]:
        return {len(client.get(html.unescape(link)).context["changes"]) for link in links}

    assert listed() == {1}
    acknowledge(Actor.person(scene.engineer, "test"), change=scene.change, note="known")
    assert listed() == {0}


def test_a_type_that_could_not_be_read_is_reported(scene: Scene, signed_in: SignIn) -> None:
    Coverage.objects.create(
        snapshot=scene.after,
        resource_type="group",
        status="forbidden",
        reason="The app lacks Group.Read.All.",
    )
    Coverage.objects.filter(snapshot=scene.after, status="not_requested").delete()

    response = signed_in(scene.engineer).get(reverse("overview"))

    assert response.context["problem_count"] == 1
    assert "1 type not covered" in response.text


def test_a_tenant_without_a_snapshot_is_late(db: None, signed_in: SignIn) -> None:
    tenant = TenantFactory()

    response = signed_in(person(Role.ENGINEER, tenant=tenant)).get(reverse("overview"))

    assert response.context["late_count"] == 1
    assert "none yet" in response.text


@pytest.mark.parametrize("name", ["overview", "timeline", "tenants", "rollbacks"])
def test_more_tenants_cost_no_more_queries(name: str, scene: Scene, signed_in: SignIn) -> None:
    client = signed_in(person(Role.AUDITOR))

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert client.get(reverse(name)).status_code == 200
        return len(captured)

    queries()
    few = queries()
    for _ in range(3):
        make_scene()

    assert queries() == few
