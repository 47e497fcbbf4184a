"""Scripts that devices run. Their content is told of one script at a time.

Facts: Microsoft Graph's beta metadata and reference pages.
"""

from typing import Any

from snapshots.catalog.intune.common import DEVICES, EXPANDED, intune, permissions
from snapshots.catalog.spec import Document, ResourceType

_PERMISSIONS = permissions("Scripts")
_TARGETS = "deviceManagementScriptAssignments"
_CONTENT = {"scriptContent": "base64"}
_COMMON = ("description", "displayName", "fileName", "roleScopeTagIds", "runAsAccount", "scriptContent")


def _script(
    key: str, label: str, writable: tuple[str, ...], *, restore: dict[str, Any] | None = None, **more: Any
) -> ResourceType:
    given = {"assign_key": _TARGETS, "normalise": _CONTENT, **more}
    return intune(
        key,
        label,
        f"{label}s",
        f"{DEVICES}/{key}s",
        allowed=_PERMISSIONS,
        read={"each": True},
        expand=EXPANDED,
        restore={"writable": writable, **(restore or {})},
        **given,
    )


def _of_microsoft(document: Document) -> str | None:
    return "Microsoft supplies and updates this script." if document.get("isGlobalScript") is True else None


POWERSHELL = _script(
    "deviceManagementScript", "PowerShell script", (*_COMMON, "enforceSignatureCheck", "runAs32Bit")
)
SHELL = _script(
    "deviceShellScript",
    "Shell script",
    (*_COMMON, "blockExecutionNotifications", "executionFrequency", "retryCount"),
    normalise={**_CONTENT, "executionFrequency": "duration"},
)
ATTRIBUTE = _script(
    "deviceCustomAttributeShellScript",
    "Custom attribute script",
    _COMMON,
    restore={"create_only": ("customAttributeName", "customAttributeType")},
)
REMEDIATION = _script(
    "deviceHealthScript",
    "Remediation script",
    (
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
    assigned=("runRemediationScript", "runSchedule", "target"),
    assign_key="deviceHealthScriptAssignments",
    volatile=("deviceHealthScriptType", "highestAvailableVersion"),
    normalise={"detectionScriptContent": "base64", "remediationScriptContent": "base64"},
    restore={"given": ("isGlobalScript",), "protected": _of_microsoft},
)

TYPES = (POWERSHELL, SHELL, ATTRIBUTE, REMEDIATION)
