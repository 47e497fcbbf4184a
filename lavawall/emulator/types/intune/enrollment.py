"""How devices get in: enrolment configurations with their priorities, Autopilot profiles, terms and conditions."""

from lavawall.emulator.errors import bad_request
from lavawall.emulator.model import BETA, Action, Write
from lavawall.emulator.requests import Answer, Call
from lavawall.emulator.store import Json, Record, Session
from lavawall.emulator.types.intune.assignments import Assigning, assignable, assignments_of
from lavawall.emulator.types.intune.core import (
    CONFIGURATION,
    SERVICE_CONFIG,
    add_event,
    intune_type,
    located,
    payload,
)
from lavawall.emulator.validation import WriteRules

NAME = "deviceEnrollmentConfiguration"
CONFIGURATIONS = "/deviceManagement/deviceEnrollmentConfigurations"
AREA = SERVICE_CONFIG | CONFIGURATION
# The end of the id and the kind that beta names, per type; the default of a type ends with "_Default" and that end.
FORMS = {
    "#microsoft.graph.deviceEnrollmentLimitConfiguration": ("Limit", "limit"),
    "#microsoft.graph.deviceEnrollmentPlatformRestrictionsConfiguration": (
        "PlatformRestrictions",
        "platformRestrictions",
    ),
    "#microsoft.graph.deviceEnrollmentPlatformRestrictionConfiguration": (
        "SinglePlatformRestriction",
        "singlePlatformRestriction",
    ),
    "#microsoft.graph.deviceEnrollmentWindowsHelloForBusinessConfiguration": (
        "WindowsHelloForBusiness",
        "windowsHelloForBusiness",
    ),
    "#microsoft.graph.windows10EnrollmentCompletionPageConfiguration": (
        "Windows10EnrollmentCompletionPageConfiguration",
        "windows10EnrollmentCompletionPageConfiguration",
    ),
    "#microsoft.graph.deviceComanagementAuthorityConfiguration": (
        "DeviceComanagementAuthorityConfiguration",
        "deviceComanagementAuthorityConfiguration",
    ),
    "#microsoft.graph.deviceEnrollmentNotificationConfiguration": (
        "EnrollmentNotificationsConfiguration",
        "enrollmentNotificationsConfiguration",
    ),
    "#microsoft.graph.windowsRestoreDeviceEnrollmentConfiguration": ("WindowsRestore", "windowsRestore"),
}


def is_default(body: Json) -> bool:
    return "_Default" in str(body["id"])


def siblings(session: Session, body: Json) -> list[Record]:
    """The configurations of the same type that have a priority, the first in rank first."""
    found = [
        each
        for each in session.directory.all(NAME)
        if each.body["@odata.type"] == body["@odata.type"] and not is_default(each.body)
    ]
    return sorted(found, key=lambda each: int(each.body["priority"]))


def number(write: Write) -> None:
    """A new configuration ranks last among those of its type; the default has no rank."""
    end, kind = FORMS[write.after["@odata.type"]]
    if not write.creating:
        return
    write.after.setdefault("id", f"{write.session.randomness.guid()}_{end}")
    write.after["deviceEnrollmentConfigurationType"] = kind
    ranked = siblings(write.session, write.after)
    write.after["priority"] = 0 if is_default(write.after) else len(ranked) + 1


def renumber(records: list[Record]) -> None:
    for rank, record in enumerate(records, start=1):
        record.body["priority"] = rank


def refuse_default(_session: Session, record: Record) -> None:
    if is_default(record.body):
        raise bad_request("A default enrolment configuration cannot be deleted.", "BadRequest")


def close_ranks(session: Session, record: Record) -> None:
    renumber(siblings(session, record.body))


def set_priority(call: Call) -> Answer:
    """Moves a configuration to a rank; those in between move by one."""
    record = located(call, CONFIGURATION_TYPE)
    wanted = payload(call, "priority").get("priority")
    ranked = siblings(call.session, record.body)
    if is_default(record.body):
        raise bad_request("The priority of a default enrolment configuration cannot be set.", "BadRequest")
    if isinstance(wanted, bool) or not isinstance(wanted, int) or not 1 <= wanted <= len(ranked):
        raise bad_request(f"The priority must be a number between 1 and {len(ranked)}.", "BadRequest")
    ranked.remove(record)
    ranked.insert(wanted - 1, record)
    renumber(ranked)
    add_event(call.session, "SetPriority", record)
    return Answer(204)


def refuse_assigned(session: Session, record: Record) -> None:
    if assignments_of(session.directory, record):
        raise bad_request("The profile is assigned; delete its assignments first.", "BadRequest")


CONFIGURATION_TYPE, CONFIGURATION_ASSIGNMENT = assignable(
    intune_type(
        NAME,
        CONFIGURATIONS,
        AREA,
        rules=WriteRules(immutable=frozenset({"platformType"})),
        checks=(number,),
        delete_checks=(refuse_default,),
        deleted=(close_ranks,),
        actions=(Action("POST", "setPriority", set_priority, AREA.write),),
    ),
    Assigning("enrollmentConfigurationAssignment", key="enrollmentConfigurationAssignments"),
)
KINDS = (
    CONFIGURATION_TYPE,
    CONFIGURATION_ASSIGNMENT,
    *assignable(
        intune_type(
            "windowsAutopilotDeploymentProfile",
            "/deviceManagement/windowsAutopilotDeploymentProfiles",
            SERVICE_CONFIG,
            rules=WriteRules(required=("displayName",)),
            defaults={"deviceType": "windowsPc", "locale": "os-default"},
            delete_checks=(refuse_assigned,),
            versions=BETA,
        ),
        Assigning("windowsAutopilotDeploymentProfileAssignment", key=""),
    ),
    *assignable(
        intune_type(
            "termsAndConditions",
            "/deviceManagement/termsAndConditions",
            SERVICE_CONFIG,
            rules=WriteRules(required=("displayName", "title", "bodyText")),
        ),
        Assigning("termsAndConditionsAssignment", key=""),
    ),
)
