"""Cross-tenant access: clouds, default, partners and synchronisation."""

from tenants.microsoft.errors import NotFound
from tests.roundtrip.model import Act, Case, Json, World

ROOT = "/beta/policies/crossTenantAccessPolicy"
DEFAULT, PARTNERS = f"{ROOT}/default", f"{ROOT}/partners"
PARTNER = f"{PARTNERS}/{{tenantId}}"
SYNCHRONISATION = f"{PARTNER}/identitySynchronization"
STRANGER = "5f0c1d7e-3a4b-4c5d-8e6f-7a8b9c0d1e2f"
EVERYBODY: Json = {
    "usersAndGroups": {"accessType": "allowed", "targets": [{"target": "AllUsers", "targetType": "user"}]},
    "applications": {
        "accessType": "allowed",
        "targets": [{"target": "AllApplications", "targetType": "application"}],
    },
}
NOBODY: Json = {
    "usersAndGroups": {"accessType": "blocked", "targets": [{"target": "AllUsers", "targetType": "user"}]},
    "applications": {
        "accessType": "blocked",
        "targets": [{"target": "AllApplications", "targetType": "application"}],
    },
}
TRUST: Json = {
    "isMfaAccepted": True,
    "isCompliantDeviceAccepted": True,
    "isHybridAzureADJoinedDeviceAccepted": True,
}
MAIL_ONLY: Json = {"users": EVERYBODY["usersAndGroups"]}
OUR_MAIL: Json = {"usersAndGroups": EVERYBODY["usersAndGroups"]}
CONSENT: Json = {"inboundAllowed": True, "outboundAllowed": True}
SETTINGS: Json = {
    "appServiceConnectInbound": {"applications": EVERYBODY["applications"]},
    "automaticUserConsentSettings": CONSENT,
    "b2bCollaborationInbound": NOBODY,
    "b2bCollaborationOutbound": NOBODY,
    "b2bDirectConnectInbound": EVERYBODY,
    "b2bDirectConnectOutbound": EVERYBODY,
    "blockServiceProviderOutboundAccess": True,
    "inboundTrust": TRUST,
    "m365CollaborationInbound": MAIL_ONLY,
    "m365CollaborationOutbound": OUR_MAIL,
    "tenantRestrictions": EVERYBODY,
}


def default(world: World) -> Json:
    return world.read(DEFAULT)


def policy(world: World) -> Json:
    return world.read(ROOT)


def partner(world: World) -> Json:
    """The partner that has a synchronisation."""
    return next(each for each in world.read(PARTNERS)["value"] if _synchronisation(world, each))


def synchronisation(world: World) -> Json:
    return _synchronisation(world, partner(world))


def _synchronisation(world: World, subject: Json) -> Json:
    try:
        return world.read(f"{PARTNERS}/{subject['tenantId']}/identitySynchronization")
    except NotFound:
        return {}


CASES = (
    Case(
        key="crossTenantAccessPolicy",
        subject=policy,
        path=ROOT,
        updates={"allowedCloudEndpoints": ["microsoftonline.us"]},
        create="the tenant has one",
        delete="the tenant has one",
    ),
    Case(
        key="crossTenantAccessPolicyConfigurationDefault",
        subject=default,
        path=DEFAULT,
        updates={
            **SETTINGS,
            "invitationRedemptionIdentityProviderConfiguration": {
                "primaryIdentityProviderPrecedenceOrder": [
                    "externalFederation",
                    "azureActiveDirectory",
                    "socialIdentityProviders",
                ],
                "fallbackIdentityProvider": "emailOneTimePasscode",
            },
        },
        create="the tenant has one",
        delete="the tenant has one",
        more={
            "isServiceDefault": "the seeded default is Microsoft's own: each update takes it away, its rollback resets"
        },
    ),
    Case(
        key="crossTenantAccessPolicyConfigurationPartner",
        subject=partner,
        path=PARTNER,
        updates={**SETTINGS, "isServiceProvider": True},
        create=[Act("POST", PARTNERS, {"tenantId": STRANGER, "inboundTrust": TRUST})],
        delete=[Act("DELETE", SYNCHRONISATION), Act("DELETE", PARTNER)],
        types=("crossTenantIdentitySyncPolicyPartner",),
    ),
    Case(
        key="crossTenantIdentitySyncPolicyPartner",
        subject=synchronisation,
        path=SYNCHRONISATION,
        updates={
            "displayName": "Planted",
            "externalCloudAuthorizedApplicationId": "2ba6c0a6-2a35-4d04-b13e-7d44f5f0d2b1",
            "groupSyncInbound": {"isSyncAllowed": True},
            "roleEnabledGroupSyncInbound": {"isSyncAllowed": True},
            "userSyncInbound": {"isSyncAllowed": False},
        },
        create=[
            Act("POST", PARTNERS, {"tenantId": STRANGER}),
            Act(
                "PUT",
                f"{PARTNERS}/{STRANGER}/identitySynchronization",
                {"displayName": "Planted", "userSyncInbound": {"isSyncAllowed": True}},
            ),
        ],
        delete=[Act("DELETE", SYNCHRONISATION)],
        types=("crossTenantAccessPolicyConfigurationPartner",),
    ),
)
