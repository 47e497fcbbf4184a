"""What a rollback writes is spelled as Microsoft spelled it, byte for byte; the emulated cloud's state is the judge."""

import base64

from rollbacks.models import Rollback
from rollbacks.states import State
from tests.rollbacks.conftest import Scene

PROFILES = "/beta/deviceManagement/deviceConfigurations"
SCOPE = "$filter=scopeId%20eq%20'/'%20and%20scopeType%20eq%20'DirectoryRole'"
ASSIGNMENTS = f"/v1.0/policies/roleManagementPolicyAssignments?{SCOPE}"
LONGEST = "Expiration_EndUser_Assignment"
RULES = "unifiedRoleManagementPolicyRule"
PROFILE = "#microsoft.graph.macOSCustomConfiguration"
MADE_BY_HAND = base64.b64encode(
    b"<?xml version='1.0'?>\n<!-- made by hand -->\n<plist version='1.0'><dict>"
    b"<key>PayloadType</key><string>Configuration</string></dict></plist>"
).decode()
PLANTED = base64.b64encode(b"<plist version='1.0'><dict/></plist>").decode()


def state_of(rollback: Rollback) -> str:
    return Rollback.objects.get(pk=rollback.pk).state


def stored(scene: Scene, kind: str) -> dict[str, dict[str, object]]:
    info = scene.cloud.tenants[scene.tenant.name]
    return scene.cloud.state(info.directory_id).documents(kind)


def test_a_property_list_comes_back_as_it_was_uploaded(scene: Scene) -> None:
    made = scene.intrude(
        "POST",
        PROFILES,
        {
            "@odata.type": PROFILE,
            "displayName": "Dock",
            "payload": MADE_BY_HAND,
            "payloadName": "Dock",
            "payloadFileName": "Dock.MobileConfig",
        },
    )
    scene.observe("deviceConfiguration")
    scene.intrude("PATCH", f"{PROFILES}/{made['id']}", {"@odata.type": PROFILE, "payload": PLANTED})
    changes = scene.observe("deviceConfiguration")
    rollback = scene.approved(changes)
    scene.execute(rollback)
    assert state_of(rollback) == State.VERIFIED
    after = stored(scene, "deviceConfiguration")[made["id"]]
    assert (after["payload"], after["payloadFileName"]) == (MADE_BY_HAND, "Dock.MobileConfig")


def test_the_words_of_a_role_setting_come_back_as_they_were(scene: Scene) -> None:
    scene.observe(RULES)
    assigned = scene.read(ASSIGNMENTS)["value"][0]["policyId"]
    address = f"/v1.0/policies/roleManagementPolicies/{assigned}/rules/{LONGEST}"
    before = scene.read(address)
    assert before["target"]["operations"] == ["All"]
    changed = {"@odata.type": before["@odata.type"], "id": LONGEST, "maximumDuration": "PT23H"}
    scene.intrude("PATCH", address, {**changed, "target": {**before["target"], "operations": ["all"]}})
    rollback = scene.approved(scene.observe(RULES))
    scene.execute(rollback)
    assert state_of(rollback) == State.VERIFIED
    assert scene.read(address)["target"]["operations"] == ["All"]
