"""How devices come in: enrolment configurations, Autopilot profiles, terms that people accept.

Facts: Microsoft Graph's beta metadata and reference pages; what tools that restore Intune leave out.
"""

from typing import Any

from snapshots.catalog.intune.common import DEVICES, NEW_ID, SERVICE_CONFIG, TAGS, intune, single_assignments
from snapshots.catalog.spec import (
    Action,
    Comparison,
    Create,
    Delete,
    Document,
    EmptiedFirst,
    Guards,
    Identity,
    MovedByNeighbours,
    NeverDeleted,
    Order,
    RankWithinType,
    Reference,
    Restore,
    Update,
    display_name,
)
from snapshots.catalog.texts import anywhere

_CONFIGURATIONS = f"{DEVICES}/deviceEnrollmentConfigurations"
_AUTOPILOT = f"{DEVICES}/windowsAutopilotDeploymentProfiles"
_TERMS = f"{DEVICES}/termsAndConditions"
_NONE = "00000000-0000-0000-0000-000000000000"


_KINDS = {
    "deviceEnrollmentLimitConfiguration": "device limit",
    "deviceEnrollmentPlatformRestrictionsConfiguration": "platform restrictions",
    "deviceEnrollmentWindowsHelloForBusinessConfiguration": "Windows Hello for Business",
    "windows10EnrollmentCompletionPageConfiguration": "enrolment status page",
}


def _name(raw: Document) -> str:
    """Intune calls all its defaults the same: they are distinguished by what they are for."""
    own = display_name(raw)
    kind = _KINDS.get(str(raw.get("@odata.type") or "").rpartition(".")[2], "")
    return f"{own} ({kind})" if kind and not raw.get("priority") else own


def _rank(wanted: Any, _live: Any) -> Document | None:
    """Only defaults have the rank 0, and theirs cannot be set."""
    return {"priority": wanted} if wanted else None


def _default(document: Document) -> str | None:
    return None if document.get("priority") else "it is a default, which Intune does not delete."


ENROLLMENT_CONFIGURATION = intune(
    "deviceEnrollmentConfiguration",
    "Enrolment configuration",
    "Enrolment configurations",
    _CONFIGURATIONS,
    identity=Identity(natural_key=("displayName",), name=_name),
    allowed=SERVICE_CONFIG,
    assign_key="enrollmentConfigurationAssignments",
    comparison=Comparison(volatile=("deviceEnrollmentConfigurationType",)),
    references=(
        *TAGS,
        Reference("selectedMobileAppIds[]", to="mobileApp"),
        Reference(
            "notificationMessageTemplateId", to="notificationMessageTemplate", words=frozenset({_NONE})
        ),
        anywhere("notificationTemplates[]", to="notificationMessageTemplate"),
    ),
    restore=Restore(
        typed=True,
        create=Create(only=("platformType",)),
        update=Update(
            actions=(Action("priority", f"{_CONFIGURATIONS}/{{id}}/setPriority", _rank),),
            quirks=(MovedByNeighbours(("priority",)),),
        ),
        order=Order(quirks=(RankWithinType(lambda document: int(document.get("priority") or 0)),)),
        guards=Guards(quirks=(NeverDeleted(_default),)),
    ),
    notes=(
        "Ranks are set by an action that also moves other configurations, so they are restored in order.",
        "Defaults can be changed but not deleted.",
    ),
)

AUTOPILOT_PROFILE = intune(
    "windowsAutopilotDeploymentProfile",
    "Autopilot deployment profile",
    "Autopilot deployment profiles",
    _AUTOPILOT,
    allowed=SERVICE_CONFIG,
    expand={},
    assign_key="",
    comparison=Comparison(nested_fields={"assignments[]": ("id", "target")}),
    references=(
        *TAGS,
        Reference("managementServiceAppId", to="servicePrincipal", by="appId", if_gone="kept"),
    ),
    parts=(single_assignments(_AUTOPILOT),),
    restore=Restore(
        typed=True,
        create=Create(new_id_note=f"{NEW_ID} Devices that are already set up are not affected."),
        delete=Delete(quirks=(EmptiedFirst(("assignments",)),)),
    ),
)

TERMS = intune(
    "termsAndConditions",
    "Terms and conditions",
    "Terms and conditions",
    _TERMS,
    allowed=SERVICE_CONFIG,
    expand={},
    assign_key="",
    comparison=Comparison(nested_fields={"assignments[]": ("id", "target")}),
    parts=(single_assignments(_TERMS),),
    restore=Restore(
        writable=(
            "acceptanceStatement",
            "bodyText",
            "description",
            "displayName",
            "roleScopeTagIds",
            "title",
        ),
        create=Create(new_id_note="Users must accept them again."),
    ),
)

TYPES = (ENROLLMENT_CONFIGURATION, AUTOPILOT_PROFILE, TERMS)
