"""What Microsoft gives every new tenant exactly once: its policies and settings with their delivered values."""

from lavawall.emulator.seed.builder import TenantBuilder
from lavawall.emulator.store import Json
from lavawall.emulator.types.cross_tenant import system_default

BUILT_IN_CONSENT: tuple[tuple[str, str, tuple[Json, ...]], ...] = (
    (
        "microsoft-user-default-legacy",
        "User default legacy consent policy",
        ({"permissionType": "delegated"},),
    ),
    (
        "microsoft-user-default-low",
        "Default User Low Risk Policy",
        (
            {
                "permissionType": "delegated",
                "permissionClassification": "low",
                "clientApplicationsFromVerifiedPublisherOnly": True,
            },
        ),
    ),
    (
        "microsoft-company-admin",
        "Company Admin Policy",
        ({"permissionType": "application"}, {"permissionType": "delegated"}),
    ),
)
ALL_DEVICES: Json = {"@odata.type": "#microsoft.graph.allDeviceRegistrationMembership"}
SINGLETONS: tuple[tuple[str, Json, Json], ...] = (
    (
        "identitySecurityDefaultsEnforcementPolicy",
        {"isEnabled": False},
        {"displayName": "Security Defaults", "description": "Basic identity security for every user"},
    ),
    (
        "authenticationFlowsPolicy",
        {"selfServiceSignUp": {"isEnabled": False}},
        {"displayName": "Authentication flows policy", "description": "Settings of sign-up flows"},
    ),
    (
        "externalIdentitiesPolicy",
        {"allowExternalIdentitiesToLeave": True, "allowDeletedIdentitiesDataRemoval": False},
        {},
    ),
    (
        "deviceRegistrationPolicy",
        {
            "userDeviceQuota": 50,
            "multiFactorAuthConfiguration": "notRequired",
            "azureADRegistration": {"isAdminConfigurable": False, "allowedToRegister": ALL_DEVICES},
            "azureADJoin": {
                "isAdminConfigurable": True,
                "allowedToJoin": ALL_DEVICES,
                "localAdmins": {"enableGlobalAdmins": True, "registeringUsers": ALL_DEVICES},
            },
            "localAdminPassword": {"isEnabled": False},
        },
        {"displayName": "Device Registration Policy", "description": "Who may register and join devices"},
    ),
    (
        "adminConsentRequestPolicy",
        {
            "isEnabled": False,
            "notifyReviewers": False,
            "remindersEnabled": False,
            "requestDurationInDays": 0,
            "reviewers": [],
        },
        {"version": 0},
    ),
    (
        "tenantAppManagementPolicy",
        {
            "displayName": "Default app management tenant policy",
            "description": "Credential rules for every application and service principal",
            "isEnabled": False,
            "applicationRestrictions": {"passwordCredentials": [], "keyCredentials": []},
            "servicePrincipalRestrictions": {"passwordCredentials": [], "keyCredentials": []},
        },
        {},
    ),
    ("crossTenantAccessPolicy", {"displayName": "CrossTenantAccessPolicy", "allowedCloudEndpoints": []}, {}),
    ("crossTenantAccessPolicyConfigurationDefault", {}, system_default()),
)


def settle(builder: TenantBuilder) -> None:
    """Lays every policy and setting of which a tenant has one."""
    for kind_name, body, computed in SINGLETONS:
        builder.single(kind_name, body, computed)
    _consent(builder)


def _consent(builder: TenantBuilder) -> None:
    for identifier, name, includes in BUILT_IN_CONSENT:
        builder.add("permissionGrantPolicy", {"id": identifier, "displayName": name})
        for number, condition in enumerate(includes):
            builder.add(
                "permissionGrantInclude", condition, name=f"{identifier}/{number}", parent_id=identifier
            )
    builder.single(
        "authorizationPolicy",
        {
            "allowInvitesFrom": "adminsAndGuestInviters",
            "allowedToSignUpEmailBasedSubscriptions": True,
            "allowedToUseSSPR": True,
            "allowEmailVerifiedUsersToJoinOrganization": False,
            "allowUserConsentForRiskyApps": False,
            "blockMsolPowerShell": False,
            "guestUserRoleId": "10dae51f-b6af-4016-8d66-8c2a99b929b3",
            "defaultUserRolePermissions": {
                "allowedToCreateApps": True,
                "allowedToCreateSecurityGroups": True,
                "allowedToCreateTenants": True,
                "allowedToReadBitlockerKeysForOwnedDevice": True,
                "allowedToReadOtherUsers": True,
                "permissionGrantPoliciesAssigned": [
                    "ManagePermissionGrantsForSelf.microsoft-user-default-low"
                ],
            },
        },
        {"displayName": "Authorization Policy", "description": "What users may do by default"},
    )
