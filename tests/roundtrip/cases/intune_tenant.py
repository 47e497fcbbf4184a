"""Intune's tenant settings, scope tags, filters, roles and their assignments."""

from tests.roundtrip.model import AUTO, Act, Case, Json, World
from tests.roundtrip.planted import DEVICES, EVERY_DEVICE, found, group, in_group

TAGS, FILTERS = f"{DEVICES}/roleScopeTags", f"{DEVICES}/assignmentFilters"
ROLES, GIVEN = f"{DEVICES}/roleDefinitions", f"{DEVICES}/roleAssignments"
PERMISSIONS = [{"resourceActions": [{"allowedResourceActions": ["Microsoft.Intune_Organization_Update"]}]}]
TAGGED = ("deviceConfiguration", "deviceAndAppManagementRoleDefinition")
FILTERED = ("deviceConfiguration", "deviceManagementConfigurationPolicy", "groupPolicyConfiguration")


def _settings(_world: World, subject: Json) -> Json:
    return {
        **{name: value for name, value in subject["settings"].items() if "@odata" not in name},
        "secureByDefault": True,
        "deviceComplianceCheckinThresholdDays": 99,
    }


def _new_assignment(world: World, _subject: Json) -> Json:
    role = world.named(ROLES, "Policy and Profile manager")
    return {
        "displayName": "Planted managers",
        "members": [group(world, "Fleet Team")],
        "resourceScopes": [group(world, "Managed Windows Devices")],
        "roleDefinition@odata.bind": f"https://graph.microsoft.com{ROLES}('{role['id']}')",
    }


def _other_people(world: World, _subject: Json) -> list[str]:
    return [group(world, "Fleet Team")]


CASES = (
    Case(
        key="deviceManagement",
        subject=lambda world: world.read(DEVICES),
        path=DEVICES,
        together=True,
        updates={
            "settings": _settings,
            "intuneBrand": lambda _world, subject: {
                **subject["intuneBrand"],
                "displayName": "Planted",
                "privacyUrl": "https://planted.example",
            },
        },
    ),
    Case(
        key="roleScopeTag",
        subject=found(TAGS, "Branch devices"),
        path=f"{TAGS}/{{id}}",
        together=True,
        updates={"displayName": AUTO, "description": AUTO},
        create=[Act("POST", TAGS, {"displayName": "Planted tag"})],
        delete=[Act("DELETE", f"{TAGS}/{{id}}")],
        more={"assignments": [Act("POST", f"{TAGS}/{{id}}/assign", in_group("Fleet Team"))]},
        types=TAGGED,
    ),
    Case(
        key="deviceAndAppManagementAssignmentFilter",
        subject=found(
            FILTERS,
            "Corporate Windows",
            configuration=lambda world: world.named(f"{DEVICES}/deviceConfigurations", "Windows baseline")[
                "id"
            ],
            policy=lambda world: world.named(f"{DEVICES}/configurationPolicies", "Defender", "name")["id"],
            template=lambda world: world.named(f"{DEVICES}/groupPolicyConfigurations", "BitLocker")["id"],
        ),
        path=f"{FILTERS}/{{id}}",
        together=True,
        updates={
            "displayName": AUTO,
            "description": AUTO,
            "rule": '(device.deviceOwnership -eq "Personal")',
            "roleScopeTags": lambda world, _subject: [world.named(TAGS, "Branch")["id"]],
        },
        create=[
            Act(
                "POST", FILTERS, {"displayName": "Planted", "platform": "iOS", "rule": "(device.model -eq 1)"}
            )
        ],
        delete=[
            Act("POST", f"{DEVICES}/deviceConfigurations/{{_configuration}}/assign", EVERY_DEVICE),
            Act("POST", f"{DEVICES}/configurationPolicies/{{_policy}}/assign", EVERY_DEVICE),
            Act("POST", f"{DEVICES}/groupPolicyConfigurations/{{_template}}/assign", EVERY_DEVICE),
            Act("DELETE", f"{FILTERS}/{{id}}"),
        ],
        types=FILTERED,
    ),
    Case(
        key="deviceAndAppManagementRoleDefinition",
        subject=found(
            ROLES,
            "Branch device reader",
            held=lambda world: world.named(GIVEN, "Branch device readers")["id"],
        ),
        path=f"{ROLES}/{{id}}",
        typed=True,
        together=True,
        updates={
            "displayName": AUTO,
            "description": AUTO,
            "rolePermissions": PERMISSIONS,
            "roleScopeTagIds": ["0"],
        },
        create=[
            Act(
                "POST",
                ROLES,
                {
                    "@odata.type": "#microsoft.graph.deviceAndAppManagementRoleDefinition",
                    "displayName": "Planted role",
                    "rolePermissions": PERMISSIONS,
                },
            )
        ],
        delete=[Act("DELETE", f"{GIVEN}/{{_held}}"), Act("DELETE", f"{ROLES}/{{id}}")],
        types=("deviceAndAppManagementRoleAssignment",),
    ),
    Case(
        key="deviceAndAppManagementRoleAssignment",
        subject=found(GIVEN, "Branch device readers"),
        path=f"{GIVEN}/{{id}}",
        together=True,
        updates={
            "displayName": AUTO,
            "description": AUTO,
            "members": _other_people,
            "resourceScopes": _other_people,
            "scopeType": "allDevices",
            "scopeMembers": _other_people,
            "roleScopeTagIds": lambda world, _subject: [world.named(TAGS, "Branch")["id"]],
        },
        create=[Act("POST", GIVEN, _new_assignment)],
        delete=[Act("DELETE", f"{GIVEN}/{{id}}")],
        types=("deviceAndAppManagementRoleDefinition",),
    ),
)
