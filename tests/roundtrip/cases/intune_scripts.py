"""Scripts that run on devices."""

import base64

from tests.roundtrip.model import AUTO, Act, Case, Json
from tests.roundtrip.planted import DEVICES, assigned, found

TAGGED = {
    "roleScopeTagIds": lambda world, _subject: [world.named(f"{DEVICES}/roleScopeTags", "Branch")["id"]]
}
PLANTED = base64.b64encode(b"whoami").decode()
COMMON: Json = {
    "displayName": AUTO,
    "description": AUTO,
    "runAsAccount": "user",
    "scriptContent": PLANTED,
    "fileName": "planted.sh",
    **TAGGED,
}
BY_TARGET = "deviceManagementScriptAssignments"


def script(key: str, name: str, new: Json, updates: Json, assign_key: str = BY_TARGET) -> Case:
    path = f"{DEVICES}/{key}s"
    return Case(
        key=key,
        subject=found(path, name),
        path=f"{path}/{{id}}",
        together=True,
        updates=updates,
        create=[Act("POST", path, {"displayName": "Planted", **new})],
        delete=[Act("DELETE", f"{path}/{{id}}")],
        more=assigned(path, assign_key),
    )


NEW: Json = {"scriptContent": PLANTED, "fileName": "planted.sh"}
CASES = (
    script(
        "deviceManagementScript",
        "Remove old agent",
        NEW,
        {**COMMON, "enforceSignatureCheck": AUTO, "runAs32Bit": AUTO},
    ),
    script(
        "deviceShellScript",
        "Set time zone",
        NEW,
        {**COMMON, "blockExecutionNotifications": AUTO, "executionFrequency": "PT1H", "retryCount": 3},
    ),
    script(
        "deviceCustomAttributeShellScript",
        "Battery cycles",
        {**NEW, "customAttributeName": "Planted", "customAttributeType": "string"},
        COMMON,
    ),
    script(
        "deviceHealthScript",
        "Clean temporary files",
        {"publisher": "Planted", "detectionScriptContent": PLANTED},
        {
            "displayName": AUTO,
            "description": AUTO,
            "detectionScriptContent": PLANTED,
            "detectionScriptParameters": AUTO,
            "enforceSignatureCheck": AUTO,
            "publisher": AUTO,
            "remediationScriptContent": PLANTED,
            "remediationScriptParameters": AUTO,
            "runAs32Bit": AUTO,
            "runAsAccount": "user",
            **TAGGED,
        },
        "deviceHealthScriptAssignments",
    ),
)
