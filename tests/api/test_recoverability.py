"""Coverage and recoverability over REST: the verdicts as the document says, narrowed and paged."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from snapshots.catalog import registry
from tests.api.conftest import World
from tests.factories.snapshots import take
from tests.factories.tenants import give_writer

SECRET = {"displayName": "CI", "keyId": "k-1", "endDateTime": "2027-01-31T00:00:00Z"}


@pytest.fixture
def restorable(world: World) -> World:
    give_writer(world.ours.tenant, registry.required_permissions("write"))
    take(
        world.ours.tenant,
        {
            "application": {"a": {"displayName": "Payroll", "passwordCredentials": [SECRET]}},
            "namedLocation": {f"l{n}": {"displayName": f"Office {n}", "ipRanges": []} for n in range(3)},
        },
    )
    return world


def reported(client: APIClient, world: World, query: str = "") -> list[dict[str, Any]]:
    response = client.get(f"/api/v1/recoverability/?tenant={world.ours.tenant.pk}{query}")
    assert response.status_code == 200
    results: list[dict[str, Any]] = response.json()["results"]
    return results


def test_a_verdict_tells_what_is_lost_and_why(restorable: World, engineer: APIClient) -> None:
    (application,) = reported(engineer, restorable, "&type=application")
    assert application["verdict"] == "partly"
    assert application["losses"][0]["items"] == ["CI, key id k-1, expires 2027-01-31"]
    assert application["if_deleted"]["verdict"] == "in_place"
    assert application["remedy"] == ""


def test_verdicts_are_narrowed_and_paged(restorable: World, engineer: APIClient) -> None:
    address = f"/api/v1/recoverability/?tenant={restorable.ours.tenant.pk}&verdict=new_id&page_size=2"
    seen: list[str] = []
    while address:
        answer = engineer.get(address).json()
        assert len(answer["results"]) <= 2
        seen += [each["resource_id"] for each in answer["results"]]
        address = answer["next"]
    assert {"l0", "l1", "l2"} <= set(seen)
    assert "a" not in seen
    assert len(seen) == len(set(seen))


def test_an_unknown_verdict_is_refused_with_the_choices(restorable: World, engineer: APIClient) -> None:
    response = engineer.get(f"/api/v1/recoverability/?tenant={restorable.ours.tenant.pk}&verdict=maybe")
    assert response.status_code == 400
    assert "not_restorable" in response.json()["errors"]["verdict"][0]


def test_coverage_counts_the_verdicts_of_each_type(restorable: World, engineer: APIClient) -> None:
    rows = engineer.get(f"/api/v1/coverage/?tenant={restorable.ours.tenant.pk}").json()["results"]
    counted = {row["resource_type"]: row["recoverability"] for row in rows}
    assert counted["namedLocation"] == {"new_id": 3}
    assert counted["application"] == {"partly": 1}


def test_permissions_missing_are_told_with_the_remedy(restorable: World, engineer: APIClient) -> None:
    give_writer(restorable.ours.tenant, ["Application.ReadWrite.All"])
    (location, *_) = reported(engineer, restorable, "&type=namedLocation")
    assert location["verdict"] == "not_restorable"
    assert "Policy.ReadWrite.ConditionalAccess" in location["remedy"]
    assert location["if_deleted"]["verdict"] == "new_id"
