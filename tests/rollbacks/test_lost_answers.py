"""A write whose answer is lost, of every kind: applied or not, it takes effect exactly once."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from lavawall.emulator.faults import Behaviour
from tests.rollbacks.conftest import LOCATIONS, POLICIES, Scene
from tests.suites import representative

GROUPS, APPLICATIONS = "/v1.0/groups", "/v1.0/applications"
VERSION = "api-version=2023-09-01"
NETWORKS = f"Microsoft.Network/networkSecurityGroups?{VERSION}"
REFERENCES = "https://graph.microsoft.com/v1.0/directoryObjects"


ROLES = "/v1.0/roleManagement/directory"
HELD = "customSecurityAttributes"


@dataclass(frozen=True)
class Case:
    """What somebody did, and the one write that undoes it."""

    types: tuple[str, ...]
    method: str
    path: str
    act: Callable[[Scene], None]


def switch_off(scene: Scene) -> None:
    scene.intrude("PATCH", f"{POLICIES}/{scene.named(POLICIES, 'CA001')['id']}", {"state": "disabled"})


def delete_location(scene: Scene) -> None:
    scene.intrude("DELETE", f"{LOCATIONS}/{scene.named(LOCATIONS, 'Hannover')['id']}")


def add_policy(scene: Scene) -> None:
    model = scene.named(POLICIES, "CA003")
    body = {name: model[name] for name in ("conditions", "grantControls")}
    scene.intrude("POST", POLICIES, {**body, "displayName": "CA999: Backdoor", "state": "disabled"})


def remove_member(scene: Scene) -> None:
    group = scene.named(GROUPS, "Fleet Team")
    member = scene.read(f"{GROUPS}/{group['id']}/members")["value"][0]
    scene.intrude("DELETE", f"{GROUPS}/{group['id']}/members/{member['id']}/$ref")


def add_member(scene: Scene) -> None:
    group, user = scene.named(GROUPS, "Fleet Team"), scene.named("/v1.0/users", "Lena")
    reference = {"@odata.id": f"{REFERENCES}/{user['id']}"}
    scene.intrude("POST", f"{GROUPS}/{group['id']}/members/$ref", reference)


def add_secret(scene: Scene) -> None:
    app = scene.named(APPLICATIONS, "Freight")
    body = {"passwordCredential": {"displayName": "backdoor"}}
    scene.intrude("POST", f"{APPLICATIONS}/{app['id']}/addPassword", body)


def network(scene: Scene) -> dict[str, Any]:
    listing = f"/subscriptions/{scene.tenant.subscriptions[0]}/providers/{NETWORKS}"
    return next(each for each in scene.read(listing)["value"] if "data" in each["name"])


def empty_network(scene: Scene) -> None:
    found = network(scene)
    body = {"location": found["location"], "properties": {"securityRules": []}}
    scene.intrude("PUT", f"{found['id']}?{VERSION}", body)


def delete_network(scene: Scene) -> None:
    scene.intrude("DELETE", f"{network(scene)['id']}?{VERSION}")


def eligible(scene: Scene) -> dict[str, Any]:
    found = scene.read(f"{ROLES}/roleEligibilitySchedules")["value"]
    return next(each for each in found if each["memberType"] == "Direct")


def ask(scene: Scene, action: str, schedule: dict[str, Any], **more: Any) -> None:
    names = ("principalId", "roleDefinitionId", "directoryScopeId")
    reported = {name: schedule[name] for name in names}
    body = {"action": action, "justification": "Planted", **reported, **more}
    scene.intrude("POST", f"{ROLES}/roleEligibilityScheduleRequests", body)


def take_eligibility(scene: Scene) -> None:
    ask(scene, "adminRemove", eligible(scene))


def prolong_eligibility(scene: Scene) -> None:
    info = {"expiration": {"type": "afterDateTime", "endDateTime": "2031-03-03T00:00:00Z"}}
    ask(scene, "adminUpdate", eligible(scene), scheduleInfo=info)


def give_eligibility(scene: Scene) -> None:
    model = eligible(scene)
    somebody = {**model, "principalId": scene.named("/v1.0/users", "Emil")["id"]}
    ask(scene, "adminAssign", somebody, scheduleInfo={"expiration": {"type": "noExpiration"}})


def _user(scene: Scene, *, holding: bool) -> dict[str, Any]:
    users = scene.read(f"/v1.0/users?$select=id,{HELD}&$top=999")["value"]
    return next(each for each in users if bool(each.get(HELD)) is holding)


def assign_attribute(scene: Scene) -> None:
    values = _user(scene, holding=True)[HELD]["Access"]
    planted = {name: value for name, value in values.items() if name in ("@odata.type", "Clearance")}
    scene.intrude("PATCH", f"/v1.0/users/{_user(scene, holding=False)['id']}", {HELD: {"Access": planted}})


def take_attributes(scene: Scene) -> None:
    user = _user(scene, holding=True)
    emptied = {
        name: value if name == "@odata.type" else [] if isinstance(value, list) else None
        for name, value in user[HELD]["Access"].items()
        if name == "@odata.type" or "@" not in name
    }
    scene.intrude("PATCH", f"/v1.0/users/{user['id']}", {HELD: {"Access": emptied}})


PIM, ATTRIBUTES = ("unifiedRoleEligibilitySchedule",), ("customSecurityAttributeAssignment",)
REQUESTS = "/roleEligibilityScheduleRequests$"
CASES = {
    "create by a request": Case(PIM, "POST", REQUESTS, take_eligibility),
    "update by a request": Case(PIM, "POST", REQUESTS, prolong_eligibility),
    "delete by a request": Case(PIM, "POST", REQUESTS, give_eligibility),
    "create by an update": Case(ATTRIBUTES, "PATCH", "/users/", take_attributes),
    "delete by an update": Case(ATTRIBUTES, "PATCH", "/users/", assign_attribute),
    "update": Case(("conditionalAccessPolicy",), "PATCH", "/policies/", switch_off),
    "undelete": Case(("namedLocation",), "POST", "/restore$", delete_location),
    "delete": Case(("conditionalAccessPolicy",), "DELETE", "/policies/", add_policy),
    "add a reference": Case(("group",), "POST", "/members/\\$ref$", remove_member),
    "remove a reference": Case(("group",), "DELETE", "/members/.*/\\$ref$", add_member),
    "replace": Case(("networkSecurityGroup",), "PUT", "/networksecuritygroups/", empty_network),
    "create under its id": Case(("networkSecurityGroup",), "PUT", "/networksecuritygroups/", delete_network),
    "remove a secret": Case(("application",), "POST", "/removePassword$", add_secret),
}


LOSSES: tuple[Behaviour, ...] = ("close_before", "close_after", "answer_after")
"""The last one is a 503 after the effect."""
HARMLESS_TWICE = ("PATCH", "PUT")
"""Written once more after a 503: the second one changes nothing."""


@pytest.mark.parametrize(
    "lost", representative(LOSSES, shown=2, why="lost before and after the effect are shown")
)
@pytest.mark.parametrize("name", CASES)
def test_a_lost_answer_neither_doubles_nor_drops_a_write(scene: Scene, name: str, lost: Behaviour) -> None:
    case = CASES[name]
    scene.observe(*case.types)
    case.act(scene)
    rollback = scene.approved(scene.observe(*case.types))
    scene.cloud.faults.add(lost, method=case.method, path=case.path)
    done = scene.execute(rollback)
    assert done.outcome == "verified", done.message
    assert scene.cloud.faults.pending() == []
    repeated = lost == "answer_after" and case.method in HARMLESS_TWICE
    assert [method for method, _ in scene.writes()] == [case.method] * (2 if repeated else 1)
