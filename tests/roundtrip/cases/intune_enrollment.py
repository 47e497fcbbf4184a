"""Enrolment configurations with their ranks, Autopilot profiles, and terms that people accept."""

from collections.abc import Callable

from tests.roundtrip.model import AUTO, Act, Case, Json, World
from tests.roundtrip.planted import DEVICES, TYPE, assigned, found, group

CONFIGURATIONS = f"{DEVICES}/deviceEnrollmentConfigurations"
AUTOPILOT = f"{DEVICES}/windowsAutopilotDeploymentProfiles"
TERMS = f"{DEVICES}/termsAndConditions"
TAGGED = {
    "roleScopeTagIds": lambda world, _subject: [world.named(f"{DEVICES}/roleScopeTags", "Branch")["id"]]
}
UNLIMITED: Json = {
    "@odata.type": f"{TYPE}deviceEnrollmentLimitConfiguration",
    "displayName": "Planted",
    "limit": 15,
}


def of_default(end: str) -> Case:
    """A default can be weakened, not deleted."""

    def subject(world: World) -> Json:
        return next(
            each for each in world.read(CONFIGURATIONS)["value"] if str(each["id"]).endswith(f"_Default{end}")
        )

    return Case(
        key="deviceEnrollmentConfiguration",
        variant=f"default of {end}",
        subject=subject,
        path=f"{CONFIGURATIONS}/{{id}}",
        typed=True,
        together=True,
        updates={"description": AUTO, **WEAKER[end]},
    )


WEAKER: dict[str, Json] = {
    "PlatformRestrictions": {
        name: {
            "platformBlocked": False,
            "personalDeviceEnrollmentBlocked": False,
            "osMinimumVersion": "1.0",
            "osMaximumVersion": "",
        }
        for name in ("androidRestriction", "iosRestriction", "macOSRestriction", "windowsMobileRestriction")
    },
    "WindowsHelloForBusiness": {
        "pinMinimumLength": 4,
        "securityDeviceRequired": True,
        "state": "disabled",
        "unlockWithBiometricsEnabled": False,
    },
    "Windows10EnrollmentCompletionPageConfiguration": {
        "allowNonBlockingAppInstallation": True,
        "installProgressTimeoutInMinutes": 1,
    },
}


def _single(path: str, name: str) -> Callable[[World], Json]:
    def subject(world: World) -> Json:
        profile = world.named(path, name)
        given = world.read(f"{path}/{profile['id']}/assignments")["value"]
        return {**profile, "_assignment": given[0]["id"]}

    return subject


def _for_others(world: World, _subject: Json) -> Json:
    return {"target": {"@odata.type": f"{TYPE}groupAssignmentTarget", "groupId": group(world, "Fleet Team")}}


def one_by_one(path: str) -> dict[str, list[Act]]:
    return {
        "assignments": [
            Act("DELETE", f"{path}/{{id}}/assignments/{{_assignment}}"),
            Act("POST", f"{path}/{{id}}/assignments", _for_others),
        ]
    }


CASES = (
    Case(
        key="deviceEnrollmentConfiguration",
        subject=found(CONFIGURATIONS, "Limit 3"),
        path=f"{CONFIGURATIONS}/{{id}}",
        typed=True,
        together=True,
        updates={"displayName": AUTO, "description": AUTO, "limit": 15, **TAGGED},
        create=[Act("POST", CONFIGURATIONS, UNLIMITED)],
        delete=[Act("DELETE", f"{CONFIGURATIONS}/{{id}}")],
        more={
            **assigned(CONFIGURATIONS, "enrollmentConfigurationAssignments"),
            "priority": [Act("POST", f"{CONFIGURATIONS}/{{id}}/setPriority", {"priority": 2})],
        },
    ),
    *(of_default(end) for end in WEAKER),
    Case(
        key="windowsAutopilotDeploymentProfile",
        subject=_single(AUTOPILOT, "Autopilot standard"),
        path=f"{AUTOPILOT}/{{id}}",
        typed=True,
        together=True,
        updates={
            "displayName": AUTO,
            "description": AUTO,
            "deviceNameTemplate": "PLANTED-%RAND:5%",
            "hardwareHashExtractionEnabled": AUTO,
            "locale": "fr-CH",
            "outOfBoxExperienceSetting": {
                "deviceUsageType": "shared",
                "escapeLinkHidden": False,
                "eulaHidden": False,
                "keyboardSelectionPageSkipped": False,
                "privacySettingsHidden": False,
                "userType": "administrator",
            },
            "preprovisioningAllowed": AUTO,
            **TAGGED,
        },
        create=[
            Act(
                "POST",
                AUTOPILOT,
                {
                    "@odata.type": f"{TYPE}activeDirectoryWindowsAutopilotDeploymentProfile",
                    "displayName": "Planted",
                },
            )
        ],
        delete=[
            Act("DELETE", f"{AUTOPILOT}/{{id}}/assignments/{{_assignment}}"),
            Act("DELETE", f"{AUTOPILOT}/{{id}}"),
        ],
        more={
            **one_by_one(AUTOPILOT),
        },
    ),
    Case(
        key="termsAndConditions",
        subject=_single(TERMS, "Device terms"),
        path=f"{TERMS}/{{id}}",
        together=True,
        updates={
            "acceptanceStatement": AUTO,
            "bodyText": AUTO,
            "description": AUTO,
            "displayName": AUTO,
            "title": AUTO,
            **TAGGED,
        },
        create=[Act("POST", TERMS, {"displayName": "Planted", "title": "Planted", "bodyText": "Planted"})],
        delete=[Act("DELETE", f"{TERMS}/{{id}}")],
        more=one_by_one(TERMS),
    ),
)
