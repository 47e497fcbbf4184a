"""The page of what of a tenant is covered and could be brought back: counts, verdicts, filters, pages, scope."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from snapshots.catalog import registry
from snapshots.views import RESOURCES_SHOWN
from tenants.access.matrix import Role
from tenants.models import Tenant, User
from tests.factories.changes import mfa_policy
from tests.factories.snapshots import take
from tests.factories.tenants import TenantFactory, give_writer, person

SignIn = Callable[[User], Client]
HTMX = {"HX-Request": "true"}
SECRET = {"displayName": "CI", "keyId": "k-1", "endDateTime": "2027-01-31T00:00:00Z"}
OFFICES = RESOURCES_SHOWN + 1


@pytest.fixture
def tenant(db: None) -> Tenant:
    tenant = TenantFactory(name="Contoso")
    give_writer(tenant, registry.required_permissions("write"))
    take(
        tenant,
        {
            "conditionalAccessPolicy": {
                "p": mfa_policy(
                    id="p", displayName="Staff needs MFA", conditions={"users": {"includeGroups": ["g"]}}
                )
            },
            "group": {"g": {"displayName": "Staff", "groupTypes": []}},
            "application": {"a": {"displayName": "Payroll", "passwordCredentials": [SECRET]}},
            "namedLocation": {
                f"l{n:03}": {"displayName": f"Office {n:03}", "ipRanges": []} for n in range(OFFICES)
            },
        },
    )
    return tenant


@pytest.fixture
def auditor(tenant: Tenant, signed_in: SignIn) -> Client:
    return signed_in(person(Role.AUDITOR, tenant=tenant))


def shown(client: Client, tenant: Tenant, **query: object) -> str:
    response = client.get(reverse("recoverability", args=[tenant.pk], query=query or None))
    assert response.status_code == 200
    return str(response.text)


def listed(client: Client, tenant: Tenant, **query: object) -> str:
    """Only the list of resources, as htmx asks for it."""
    response = client.get(reverse("recoverability", args=[tenant.pk], query=query or None), headers=HTMX)
    return str(response.text)


def test_it_counts_the_verdicts_in_all_and_by_type(auditor: Client, tenant: Tenant) -> None:
    text = shown(auditor, tenant)
    assert f"{OFFICES + 2} restorable with a new ID" in text
    assert f"{OFFICES} restorable with a new ID" in text
    assert "1 partly restorable" in text
    assert "?type=application&amp;verdict=partly" in text


def test_a_resource_tells_its_losses_and_whom_it_would_re_point(auditor: Client, tenant: Tenant) -> None:
    assert "CI, key id k-1, expires 2027-01-31" in listed(auditor, tenant, type="application")
    group = listed(auditor, tenant, type="group")
    assert "1 reference to update" in group
    assert "Staff needs MFA" in group


@pytest.mark.parametrize(
    ("query", "found", "missing"),
    [
        ({"verdict": "partly"}, "Payroll", "Office"),
        ({"type": "group"}, "Staff", "Payroll"),
        ({"name": "office 007"}, "Office 007", "Office 008"),
        ({"type": "group", "verdict": "partly"}, "No results match this filter", "Staff"),
        ({"type": "nothing"}, "This filter is not valid", "Payroll"),
        ({"verdict": "nothing"}, "This filter is not valid", "Payroll"),
    ],
)
def test_filters_narrow_the_list(
    auditor: Client, tenant: Tenant, query: dict[str, str], found: str, missing: str
) -> None:
    text = listed(auditor, tenant, **query).split("<tbody>")[-1]
    assert found in text
    assert missing not in text


def test_the_list_comes_in_pages(auditor: Client, tenant: Tenant) -> None:
    first = listed(auditor, tenant, type="namedLocation")
    second = listed(auditor, tenant, type="namedLocation", page=2)
    assert ("Office 000" in first, "Office 050" in first, "page=2" in first) == (True, False, True)
    assert ("Office 000" in second, "Office 050" in second, "page=3" in second) == (False, True, False)


@pytest.mark.parametrize("page", ["0", "-5", "9999999999999999999999", "x"])
def test_a_page_that_is_none_breaks_nothing(auditor: Client, tenant: Tenant, page: str) -> None:
    assert "By resource type" in shown(auditor, tenant, page=page)


def test_missing_permissions_are_told_with_the_remedy(auditor: Client, tenant: Tenant) -> None:
    give_writer(tenant, ["Policy.Read.All"])
    text = shown(auditor, tenant)
    assert "Not restorable at present: the writer lacks Policy.ReadWrite.ConditionalAccess" in text
    assert f"{OFFICES + 3} not restorable" in text


def test_the_tenants_and_the_resources_page_lead_there_and_say_it(auditor: Client, tenant: Tenant) -> None:
    link = reverse("recoverability", args=[tenant.pk])
    assert link in auditor.get(reverse("tenant", args=[tenant.pk])).text
    resource = auditor.get(reverse("resource", args=[tenant.pk, "application", "a"])).text
    assert "partly restorable" in resource
    assert "If purged" in resource


def test_another_tenants_resources_are_nowhere(auditor: Client, tenant: Tenant) -> None:
    other = TenantFactory()
    take(
        other,
        {
            "conditionalAccessPolicy": {
                "x": mfa_policy(
                    id="x", displayName="Secret of others", conditions={"users": {"includeGroups": ["g"]}}
                )
            }
        },
    )
    assert "Secret of others" not in shown(auditor, tenant, type="group")
    assert auditor.get(reverse("recoverability", args=[other.pk])).status_code == 404


def test_a_tenant_without_a_snapshot_says_so(db: None, signed_in: SignIn) -> None:
    tenant = TenantFactory()
    assert "No snapshot yet" in shown(signed_in(person(Role.AUDITOR, tenant=tenant)), tenant)
