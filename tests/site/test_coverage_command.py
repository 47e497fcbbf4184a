"""`coverage`: what of a tenant is covered and what of it could be brought back, for people and for scripts."""

import pytest

from snapshots.catalog import registry
from tenants.models import Tenant
from tests.factories.changes import mfa_policy
from tests.factories.snapshots import take
from tests.factories.tenants import TenantFactory, give_writer
from tests.site.test_commands import command, lines, refusal

SECRET = {"displayName": "CI", "keyId": "k-1", "endDateTime": "2027-01-31T00:00:00Z"}


@pytest.fixture
def tenant(db: None) -> Tenant:
    tenant = TenantFactory(name="Contoso")
    give_writer(tenant, registry.required_permissions("write"))
    take(
        tenant,
        {
            "conditionalAccessPolicy": {
                "p": mfa_policy(id="p", conditions={"users": {"includeGroups": ["g"]}})
            },
            "group": {"g": {"displayName": "Staff", "groupTypes": []}},
            "application": {"a": {"displayName": "Payroll", "passwordCredentials": [SECRET]}},
        },
    )
    return tenant


def test_it_tells_coverage_and_recoverability_by_type(tenant: Tenant) -> None:
    reported = command("coverage", "Contoso")
    assert reported["tenant"] == "Contoso"
    assert reported["coverage"]["application"] == {
        "status": "complete",
        "count": 1,
        "reason": "",
        "remedy": "",
        "recoverability": {"partly": 1},
    }
    assert reported["recoverability"] == {"in_place": 0, "new_id": 2, "partly": 1, "not_restorable": 0}
    assert "resources" not in reported


def test_it_tells_the_verdict_on_every_resource_where_asked(tenant: Tenant) -> None:
    found = {
        each["resource_type"]: each for each in command("coverage", "Contoso", "--resources")["resources"]
    }
    assert found["application"]["verdict"] == "partly"
    (lost,) = found["application"]["losses"]
    assert lost["items"] == ["CI, key id k-1, expires 2027-01-31"]
    assert [each["resource_id"] for each in found["group"]["remapped"]] == ["p"]
    assert found["group"]["if_changed"]["verdict"] == "in_place"


@pytest.mark.parametrize(
    ("arguments", "types"),
    [
        (("--type", "group"), ["group"]),
        (("--verdict", "partly"), ["application"]),
        (("--type", "group", "--verdict", "partly"), []),
    ],
)
def test_it_narrows_the_resources(tenant: Tenant, arguments: tuple[str, ...], types: list[str]) -> None:
    assert [
        each["resource_type"] for each in command("coverage", "Contoso", *arguments)["resources"]
    ] == types


def test_it_prints_a_line_for_each_type_and_each_resource(tenant: Tenant) -> None:
    shown = lines("coverage", "Contoso", "--resources")
    assert "application: complete, 1: 1 partly restorable" in shown
    assert "All of Contoso: 2 restorable with a new ID, 1 partly restorable." in shown
    assert any("Lost: passwordCredentials, CI, key id k-1" in line for line in shown)
    assert any("References updated to the new ID: conditionalAccessPolicy" in line for line in shown)


def test_without_a_writer_it_says_what_would_help(tenant: Tenant) -> None:
    tenant.connections.all().delete()
    assert command("coverage", "Contoso")["recoverability"]["not_restorable"] == 3
    assert any("Connect a writer" in line for line in lines("coverage", "Contoso", "--resources"))


def test_a_tenant_without_a_snapshot_is_told_to_take_one(db: None) -> None:
    TenantFactory(name="Fresh")
    (line,) = lines("coverage", "Fresh")
    assert "no snapshot yet" in line
    reported = command("coverage", "Fresh")
    assert (reported["snapshot"], reported["coverage"]) == (None, {})


def test_it_refuses_unknown_names_in_one_line(tenant: Tenant) -> None:
    assert "There is no tenant called Nobody" in str(refusal("coverage", "Nobody"))
    assert "There is no resource type" in str(refusal("coverage", "Contoso", "--type", "nothing"))
