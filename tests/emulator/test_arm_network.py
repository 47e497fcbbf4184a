"""Network security groups: full replacement, priorities, the service's own members, long operations, bindings."""

from typing import Any

import pytest

from lavawall.emulator import Emulator, TenantInfo
from tests.emulator.arm_client import LOCATION, NETWORK, Arm, names, rule
from tests.emulator.conftest import Json

WEB, NEW = f"{NETWORK}/nsg-aurora-dental-web", f"{NETWORK}/nsg-new"


@pytest.fixture
def arm(emulator: Emulator, tenant: TenantInfo) -> Arm:
    return Arm(emulator, tenant, tenant.writer)


def put(arm: Arm, *rules: Json, path: str = NEW) -> Json:
    return arm.put(path, {"securityRules": list(rules)}, location=LOCATION)


def refused(arm: Arm, *rules: Json) -> str:
    body = {"location": LOCATION, "properties": {"securityRules": list(rules)}}
    status, code = arm.refused("PUT", NEW, body)
    assert status == 400
    return code


def test_the_service_adds_its_own_members(arm: Arm) -> None:
    made = put(arm, rule("A", 100))
    properties = made["properties"]
    assert len(properties["defaultSecurityRules"]) == 6
    assert properties["resourceGuid"]
    own = properties["securityRules"][0]
    assert own["etag"] == made["etag"]
    assert own["type"].lower() == "microsoft.network/networksecuritygroups/securityrules"
    assert own["id"].lower() == f"{arm.id(NEW)}/securityRules/A".lower()


def test_what_was_read_can_be_written_back(arm: Arm) -> None:
    before = arm.get(WEB)
    put(arm, *before["properties"]["securityRules"], path=WEB)
    after = arm.get(WEB)
    assert names(after["properties"]["securityRules"]) == names(before["properties"]["securityRules"])
    assert after["properties"]["resourceGuid"] == before["properties"]["resourceGuid"]
    assert after["etag"] != before["etag"]


def test_a_put_without_a_rule_deletes_it(arm: Arm) -> None:
    put(arm, rule("A", 100), rule("B", 110))
    put(arm, rule("B", 110))
    assert names(arm.get(NEW)["properties"]["securityRules"]) == {"B"}


def test_a_put_is_long_running(arm: Arm) -> None:
    answer = arm.send("PUT", NEW, {"location": LOCATION, "properties": {"securityRules": []}})
    assert answer.status_code == 201
    assert answer.json()["properties"]["provisioningState"] == "Updating"
    followed = answer.headers["Azure-AsyncOperation"]
    assert [arm.get(followed)["status"] for _ in range(2)] == ["InProgress", "Succeeded"]
    assert arm.get(NEW)["properties"]["provisioningState"] == "Succeeded"
    repeated = arm.send("PUT", NEW, {"location": LOCATION, "properties": {"securityRules": []}})
    assert repeated.status_code == 200


def test_a_read_shows_that_a_write_has_settled(arm: Arm) -> None:
    put(arm)
    assert [arm.get(NEW)["properties"]["provisioningState"] for _ in range(2)] == ["Updating", "Succeeded"]


def test_a_delete_is_long_running_and_content_with_nothing(arm: Arm) -> None:
    put(arm)
    answer = arm.send("DELETE", NEW)
    assert answer.status_code == 202
    assert [arm.send("GET", answer.headers["Location"]).status_code for _ in range(2)] == [202, 204]
    assert arm.refused("GET", NEW) == (404, "ResourceNotFound")
    assert arm.send("DELETE", NEW).status_code == 204


def test_priorities_are_unique_per_direction(arm: Arm) -> None:
    assert refused(arm, rule("A", 100), rule("B", 100)) == "SecurityRuleConflict"
    put(arm, rule("A", 100), rule("B", 100, direction="Outbound"))


@pytest.mark.parametrize("priority", [99, 4097, "100", None])
def test_priorities_have_bounds(arm: Arm, priority: Any) -> None:
    assert refused(arm, rule("A", priority)) == "SecurityRuleInvalidPriority"


@pytest.mark.parametrize(
    "more",
    [
        {"sourceAddressPrefixes": ["203.0.113.0/24"]},
        {"sourceAddressPrefix": None},
        {"sourceAddressPrefix": "203.0.113.0/40"},
        {"destinationPortRange": "70000"},
        {"destinationPortRange": "20-10"},
        {"sourceAddressPrefix": None, "sourceAddressPrefixes": ["*"]},
    ],
)
def test_addresses_and_ports_are_checked(arm: Arm, more: Json) -> None:
    assert refused(arm, rule("A", 100, **more)) == "SecurityRuleParameterInvalid"


@pytest.mark.parametrize("more", [{"access": "Maybe"}, {"protocol": "Smoke"}, {"colour": "red"}])
def test_unknown_words_and_members_are_refused(arm: Arm, more: Json) -> None:
    assert refused(arm, rule("A", 100, **more)) == "InvalidRequestFormat"


def test_singular_and_plural_are_two_spellings(arm: Arm) -> None:
    several = rule("B", 110, sourceAddressPrefixes=["203.0.113.0/24", "198.51.100.0/24"])
    del several["properties"]["sourceAddressPrefix"]
    put(arm, rule("A", 100, sourceAddressPrefix="VirtualNetwork", sourceAddressPrefixes=[]), several)
    rules = {each["name"]: each["properties"] for each in arm.get(NEW)["properties"]["securityRules"]}
    assert rules["A"]["sourceAddressPrefix"] == "VirtualNetwork"
    assert set(rules["B"]["sourceAddressPrefixes"]) == {"203.0.113.0/24", "198.51.100.0/24"}


def test_one_rule_can_be_written_and_deleted(arm: Arm) -> None:
    put(arm, rule("A", 100))
    answer = arm.send("PUT", f"{NEW}/securityRules/B", rule("B", 110))
    assert answer.status_code == 201
    assert "Azure-AsyncOperation" in answer.headers
    assert names(arm.list(f"{NEW}/securityRules")) == {"A", "B"}
    assert arm.refused("PUT", f"{NEW}/securityRules/C", rule("C", 110)) == (400, "SecurityRuleConflict")
    assert arm.send("DELETE", f"{NEW}/securityRules/A").status_code == 202
    assert arm.send("DELETE", f"{NEW}/securityRules/A").status_code == 204
    assert arm.refused("GET", f"{NEW}/securityRules/A") == (404, "NotFound")
    assert arm.get(f"{NEW}/securityRules/B")["properties"]["priority"] == 110


def test_swapped_priorities_need_one_put_of_the_group(arm: Arm) -> None:
    put(arm, rule("A", 100), rule("B", 110))
    assert arm.refused("PUT", f"{NEW}/securityRules/A", rule("A", 110)) == (400, "SecurityRuleConflict")
    put(arm, rule("A", 110), rule("B", 100))


def test_a_patch_changes_tags_only(arm: Arm) -> None:
    put(arm, rule("A", 100))
    answer = arm.send("PATCH", NEW, {"tags": {"colour": "blue"}})
    assert (answer.status_code, answer.json()["tags"]) == (200, {"colour": "blue"})
    assert names(arm.get(NEW)["properties"]["securityRules"]) == {"A"}
    body: Json = {"properties": {"securityRules": []}}
    assert arm.refused("PATCH", NEW, body) == (400, "InvalidRequestFormat")


def test_a_bound_group_is_not_deleted(emulator: Emulator, arm: Arm) -> None:
    assert arm.get(WEB)["properties"]["subnets"][0]["id"].lower().endswith("/subnets/web")
    assert arm.refused("DELETE", WEB) == (400, "InUseNetworkSecurityGroupCannotBeDeleted")
    emulator.azure.unbind(arm.id(WEB))
    assert arm.send("DELETE", WEB).status_code == 202


def test_the_location_is_needed_and_stays(arm: Arm) -> None:
    assert arm.refused("PUT", NEW, {"properties": {}}) == (400, "LocationRequired")
    put(arm)
    body = {"location": "westeurope", "properties": {}}
    assert arm.refused("PUT", NEW, body) == (409, "InvalidResourceLocation")


def test_the_resource_group_has_to_exist(arm: Arm) -> None:
    path = f"{arm.subscription}/resourceGroups/none/{NEW}"
    body = {"location": LOCATION, "properties": {}}
    assert arm.refused("PUT", path, body) == (404, "ResourceGroupNotFound")
    assert arm.refused("PUT", f"{NETWORK}/none/securityRules/A", rule("A", 100))[0] == 404
