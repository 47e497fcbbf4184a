"""Security defaults and enabled Conditional Access policies exclude each other: plans switch them in an order that
Microsoft accepts.
"""

from rollbacks.execution.verification import differing
from rollbacks.states import State
from snapshots.models import Snapshot
from tests.rollbacks.conftest import POLICIES, Scene

DEFAULTS = "/v1.0/policies/identitySecurityDefaultsEnforcementPolicy"
TYPES = ("conditionalAccessPolicy", "identitySecurityDefaultsEnforcementPolicy", "namedLocation")
PLANTED = {
    "displayName": "Planted policy",
    "state": "enabled",
    "conditions": {
        "users": {"includeUsers": ["None"]},
        "applications": {"includeApplications": ["All"]},
        "clientAppTypes": ["all"],
    },
    "grantControls": {"operator": "OR", "builtInControls": ["mfa"]},
}


def rely_on_defaults(scene: Scene) -> None:
    for policy in scene.read(POLICIES)["value"]:
        if policy["state"] == "enabled":
            scene.intrude("PATCH", f"{POLICIES}/{policy['id']}", {"state": "disabled"})
    scene.intrude("PATCH", DEFAULTS, {"isEnabled": True})


def test_defaults_go_off_before_the_policies_that_they_replaced_are_in_force_again(scene: Scene) -> None:
    scene.observe(*TYPES)
    before = Snapshot.objects.latest("pk")
    rely_on_defaults(scene)
    done = scene.execute(scene.approved(scene.observe(*TYPES)))
    assert done.outcome == State.VERIFIED, done.message
    assert scene.writes()[0] == ("PATCH", DEFAULTS)
    scene.observe(*TYPES)
    assert differing(before, Snapshot.objects.latest("pk")) == []


def test_defaults_come_on_after_the_policies_that_replaced_them_are_gone(scene: Scene) -> None:
    rely_on_defaults(scene)
    scene.observe(*TYPES)
    before = Snapshot.objects.latest("pk")
    scene.intrude("PATCH", DEFAULTS, {"isEnabled": False})
    scene.intrude("POST", POLICIES, PLANTED)
    relaxed = next(each for each in scene.read(POLICIES)["value"] if each["state"] == "disabled")
    scene.intrude("PATCH", f"{POLICIES}/{relaxed['id']}", {"state": "enabled"})
    done = scene.execute(scene.approved(scene.observe(*TYPES)))
    assert done.outcome == State.VERIFIED, done.message
    assert scene.writes()[-1] == ("PATCH", DEFAULTS)
    scene.observe(*TYPES)
    assert differing(before, Snapshot.objects.latest("pk")) == []
