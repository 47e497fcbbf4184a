"""A type that may not be read is seen on the overview, the tenant's page, the API and the command line."""

import io
import json
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from lavawall.emulator import Emulator
from snapshots.catalog import registry
from snapshots.collection.capture import NO_SUBSCRIPTION
from tenants.access.matrix import Role
from tenants.models import Tenant
from tests.factories.cloud import TENANT, onboarded
from tests.factories.tenants import TenantFactory, person
from tests.snapshots.test_coverage import FORBIDDEN, partial_snapshot, snapshot

AZURE = {spec.key: NO_SUBSCRIPTION for spec in registry.all_types() if spec.on_azure}
KEYS = [spec.key for spec in registry.all_types()]


@pytest.fixture
def client(db: None) -> Client:
    found = Client()
    found.force_login(person(Role.AUDITOR), backend="django.contrib.auth.backends.ModelBackend")
    return found


def command(name: str, *arguments: str) -> Any:
    output = io.StringIO()
    call_command(name, *arguments, "--json", stdout=output)
    return json.loads(output.getvalue())


def problems_everywhere(client: Client, tenant: Tenant) -> dict[str, Any]:
    """What each place says; the list of problems where it has one, else their number."""
    overview = client.get("/")
    page = client.get(f"/tenants/{tenant.pk}/")
    return {
        "overview": overview.context["problem_count"],
        "overview is green": "all types read completely" in overview.text,
        "page": sorted(row.resource_type for row in page.context["standing"].problems),
        "page is green": '<span class="state complete">complete</span>' in page.text.split("<table")[0],
        "API": sorted(client.get(f"/api/v1/tenants/{tenant.pk}/").json()["problems"]),
        "command": sorted(command("coverage", tenant.name)["problems"]),
    }


def seen(*keys: str) -> dict[str, Any]:
    return {
        "overview": len(keys),
        "overview is green": not keys,
        "page": sorted(keys),
        "page is green": not keys,
        "API": sorted(keys),
        "command": sorted(keys),
    }


@pytest.mark.parametrize("key", ["group", "conditionalAccessPolicy", "deviceConfiguration"])
def test_a_forbidden_type_is_seen_everywhere_without_a_subscription_too(client: Client, key: str) -> None:
    tenant = TenantFactory(name="Contoso")
    snapshot(tenant, **AZURE | {key: FORBIDDEN})
    assert problems_everywhere(client, tenant) == seen(key)


def test_each_type_alone_is_seen_on_the_overview_the_tenants_page_and_the_api(client: Client) -> None:
    """One tenant for each type, in which this type alone is forbidden."""
    tenants = {}
    for key in KEYS:
        tenants[key] = TenantFactory(name=f"without {key}")
        snapshot(tenants[key], **AZURE | {key: FORBIDDEN})
    pages = [client.get("/", {"page": number}) for number in range(1, len(KEYS) // 50 + 2)]
    assert pages[0].context["problem_count"] == len(KEYS)
    shown = {
        row.tenant: row.problems
        for overview in pages
        for _, rows in overview.context["customers"]
        for row in rows
    }
    listed = {
        row["tenant"]: row["standing"].problems
        for number in range(1, len(KEYS) // 50 + 2)
        for row in client.get("/tenants/", {"page": number}).context["tenants"]
    }
    answered = client.get("/api/v1/tenants/?page_size=200").json()["results"]
    for key, tenant in tenants.items():
        assert [row.resource_type for row in shown[tenant]] == [key]
        assert [row.resource_type for row in listed[tenant]] == [key]
    assert {each["name"]: each["problems"] for each in answered} == {f"without {key}": [key] for key in KEYS}


@pytest.mark.parametrize("half", [KEYS[::2], KEYS[1::2]], ids=["one half", "the other"])
def test_each_type_is_named_on_the_tenants_page_and_by_the_commands(client: Client, half: list[str]) -> None:
    tenant = TenantFactory(name="Contoso")
    snapshot(tenant, **AZURE | dict.fromkeys(half, FORBIDDEN))
    assert problems_everywhere(client, tenant) == seen(*half)
    output = io.StringIO()
    call_command("coverage", tenant.name, stdout=output)
    assert f"{len(half)} types not covered" in output.getvalue()
    assert {line.split(":")[0] for line in output.getvalue().splitlines() if ": forbidden" in line} == {*half}


def test_a_snapshot_of_some_types_changes_nothing_of_it(client: Client) -> None:
    tenant = TenantFactory(name="Contoso")
    snapshot(tenant, **AZURE, group=FORBIDDEN)
    partial_snapshot(tenant, "namedLocation")
    assert problems_everywhere(client, tenant) == seen("group")
    partial_snapshot(tenant, "group")
    assert problems_everywhere(client, tenant) == seen()


def test_types_that_were_never_read_are_green_nowhere(client: Client) -> None:
    tenant = TenantFactory(name="Contoso")
    partial_snapshot(tenant, "group")
    found = problems_everywhere(client, tenant)
    assert (found["overview is green"], found["page is green"]) == (False, False)
    missing = sorted(set(KEYS) - {"group"})
    assert sorted(client.get(f"/api/v1/tenants/{tenant.pk}/").json()["not_read"]) == missing
    assert sorted(command("coverage", tenant.name)["not_read"]) == missing
    for page in ("/", "/tenants/", f"/tenants/{tenant.pk}/"):
        assert f"{len(missing)} types not read yet" in client.get(page).text


def test_a_real_collection_without_a_subscription_shows_what_was_forbidden(
    committed_db: None, client: Client, emulator: Emulator
) -> None:
    tenant = onboarded(emulator)
    Tenant.objects.filter(pk=tenant.pk).update(subscriptions=[])
    emulator.faults.add("answer", method="GET", path="namedLocations$", status=403, times=99)
    reported = command("snapshot", TENANT)
    assert {each["status"] for key, each in reported["coverage"].items() if key in AZURE} == {
        "not_applicable"
    }
    assert problems_everywhere(client, tenant) == seen("namedLocation")
