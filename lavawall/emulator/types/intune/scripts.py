"""Scripts for Windows and macOS: their content comes with the single object only."""

from lavawall.emulator.errors import bad_request
from lavawall.emulator.model import BETA, EntityType
from lavawall.emulator.presentation import View
from lavawall.emulator.store import Record, Session
from lavawall.emulator.types.intune.assignments import Assigning, assignable
from lavawall.emulator.types.intune.core import CONFIGURATION, SCRIPTS, intune_type
from lavawall.emulator.validation import WriteRules

AREA = SCRIPTS | CONFIGURATION
CONTENTS = ("scriptContent", "detectionScriptContent", "remediationScriptContent")


def hide_content(view: View) -> None:
    if not view.single:
        view.body |= {name: None for name in CONTENTS if name in view.body}


def refuse_global(_session: Session, record: Record) -> None:
    if record.body.get("isGlobalScript"):
        raise bad_request("A script of Microsoft cannot be deleted.", "BadRequest")


def _script(name: str, rules: WriteRules, assigning: Assigning, **defaults: object) -> tuple[EntityType, ...]:
    return assignable(
        intune_type(
            name,
            f"/deviceManagement/{name}s",
            AREA,
            rules=rules,
            defaults={"runAsAccount": "system", **defaults},
            delete_checks=(refuse_global,),
            present=hide_content,
            versions=BETA,
        ),
        assigning,
    )


SCRIPT = WriteRules(required=("displayName", "scriptContent", "fileName"))
BY_TARGET = Assigning(
    "deviceManagementScriptAssignment",
    key="deviceManagementScriptAssignments",
    ignored=("deviceManagementScriptGroupAssignments",),
)
KINDS = (
    *_script("deviceManagementScript", SCRIPT, BY_TARGET, enforceSignatureCheck=False, runAs32Bit=False),
    *_script(
        "deviceShellScript",
        SCRIPT,
        BY_TARGET,
        blockExecutionNotifications=False,
        executionFrequency="PT0S",
        retryCount=0,
    ),
    *_script(
        "deviceCustomAttributeShellScript",
        WriteRules(
            required=(
                "customAttributeName",
                "customAttributeType",
                "displayName",
                "scriptContent",
                "fileName",
            ),
            immutable=frozenset({"customAttributeName", "customAttributeType"}),
        ),
        BY_TARGET,
    ),
    *_script(
        "deviceHealthScript",
        WriteRules(required=("displayName", "detectionScriptContent", "publisher")),
        Assigning("deviceHealthScriptAssignment", key="deviceHealthScriptAssignments"),
        enforceSignatureCheck=False,
        isGlobalScript=False,
        runAs32Bit=False,
    ),
)
