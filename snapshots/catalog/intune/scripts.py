"""Scripts that devices run. Intune returns their content for one script at a time.

Facts: Microsoft Graph's beta metadata and reference pages.
"""

from snapshots.catalog.intune.common import DEVICES, intune, permissions
from snapshots.catalog.spec import Comparison, Create, Document, Guards, ResourceType, Restore

_PERMISSIONS = permissions("Scripts")
_TARGETS = "deviceManagementScriptAssignments"
_CONTENT = {"scriptContent": "base64"}
_BY_CONTENT = Comparison(normalise=_CONTENT)
_COMMON = ("description", "displayName", "fileName", "roleScopeTagIds", "runAsAccount", "scriptContent")


def _script(
    key: str,
    label: str,
    *,
    restore: Restore,
    assigned: tuple[str, ...] = ("target",),
    assign_key: str = _TARGETS,
    comparison: Comparison = _BY_CONTENT,
) -> ResourceType:
    return intune(
        key,
        label,
        f"{label}s",
        f"{DEVICES}/{key}s",
        allowed=_PERMISSIONS,
        each=True,
        assigned=assigned,
        assign_key=assign_key,
        comparison=comparison,
        restore=restore,
    )


def _of_microsoft(document: Document) -> str | None:
    return "Microsoft supplies and updates this script." if document.get("isGlobalScript") is True else None


POWERSHELL = _script(
    "deviceManagementScript",
    "PowerShell script",
    restore=Restore(writable=(*_COMMON, "enforceSignatureCheck", "runAs32Bit")),
)
SHELL = _script(
    "deviceShellScript",
    "Shell script",
    comparison=Comparison(normalise={**_CONTENT, "executionFrequency": "duration"}),
    restore=Restore(
        writable=(*_COMMON, "blockExecutionNotifications", "executionFrequency", "retryCount"),
    ),
)
ATTRIBUTE = _script(
    "deviceCustomAttributeShellScript",
    "Custom attribute script",
    restore=Restore(writable=_COMMON, create=Create(only=("customAttributeName", "customAttributeType"))),
)
REMEDIATION = _script(
    "deviceHealthScript",
    "Remediation script",
    assigned=("runRemediationScript", "runSchedule", "target"),
    assign_key="deviceHealthScriptAssignments",
    comparison=Comparison(
        volatile=("deviceHealthScriptType", "highestAvailableVersion"),
        normalise={"detectionScriptContent": "base64", "remediationScriptContent": "base64"},
    ),
    restore=Restore(
        writable=(
            "description",
            "detectionScriptContent",
            "detectionScriptParameters",
            "displayName",
            "enforceSignatureCheck",
            "publisher",
            "remediationScriptContent",
            "remediationScriptParameters",
            "roleScopeTagIds",
            "runAs32Bit",
            "runAsAccount",
        ),
        create=Create(given=("isGlobalScript",)),
        guards=Guards(protected=_of_microsoft),
    ),
)

TYPES = (POWERSHELL, SHELL, ATTRIBUTE, REMEDIATION)
