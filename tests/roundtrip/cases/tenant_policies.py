"""What users, guests and administrators may do: authorization, consent, sign-in, devices, group settings."""

from typing import Any

from tests.roundtrip.model import AUTO, Act, Case, Json, World, impossible

POLICIES = "/v1.0/policies"
AUTHORIZATION = f"{POLICIES}/authorizationPolicy"
REQUESTS = f"{POLICIES}/adminConsentRequestPolicy"
GRANTS = f"{POLICIES}/permissionGrantPolicies"
DEFAULTS = f"{POLICIES}/identitySecurityDefaultsEnforcementPolicy"
FLOWS = f"{POLICIES}/authenticationFlowsPolicy"
DEVICES = f"{POLICIES}/deviceRegistrationPolicy"
EXTERNAL = "/beta/policies/externalIdentitiesPolicy"
SETTINGS = "/v1.0/groupSettings"
CONTEXTS = "/v1.0/identity/conditionalAccess/authenticationContextClassReferences"

GUESTS_AS_MEMBERS = "a0b1b346-4d3e-4e8b-98f8-753987be4970"
ONE = "the tenant has one"
WIDE: Json = {"permissionType": "delegated", "clientApplicationIds": ["all"]}


def at(path: str) -> Any:
    return lambda world: world.read(path)


def custom_policy(world: World) -> Json:
    found = next(each for each in world.read(GRANTS)["value"] if not each["id"].startswith("microsoft-"))
    includes = world.read(f"{GRANTS}/{found['id']}/includes")["value"]
    return {**found, "_included": includes[0]["id"]}


def setting(world: World) -> Json:
    return world.named(SETTINGS, "Group.Unified")


def _guests_welcome(world: World, subject: Json) -> Any:
    return [
        {**each, "value": "true"} if each["name"] == "AllowGuestsToBeGroupOwner" else each
        for each in subject["values"]
    ]


def context(world: World) -> Json:
    """The one that nothing refers to."""
    return next(each for each in world.read(CONTEXTS)["value"] if each["id"] == "c3")


def _requests(world: World, subject: Json, properties: Json) -> Any:
    """PUT: all that the policy has."""
    stored = ("isEnabled", "notifyReviewers", "remindersEnabled", "requestDurationInDays", "reviewers")
    reviewers = subject["reviewers"] or _accomplice(world, subject)
    return {**{name: subject[name] for name in stored}, "reviewers": reviewers, **properties}


def _accomplice(world: World, subject: Json) -> Any:
    lena = world.named("/v1.0/users", "Lena")["id"]
    return [{"query": f"/users/{lena}", "queryType": "MicrosoftGraph"}]


def _registration(world: World, subject: Json, properties: Json) -> Any:
    stored = {
        name: value
        for name, value in subject.items()
        if name != "id" and not name.startswith("@") and value is not None
    }
    return {**stored, **properties}


NOBODY = {"@odata.type": "#microsoft.graph.noDeviceRegistrationMembership"}


def authorities(world: World) -> Json:
    organisation = world.read("/v1.0/organization")["value"][0]["id"]
    listing = world.read(f"/v1.0/organization/{organisation}/certificateBasedAuthConfiguration")
    return {**listing["value"][0], "_organisation": organisation}


def _planted_revocation(_world: World, subject: Json) -> Json:
    stored = ("certificate", "isRootAuthority")
    trusted = [{name: each[name] for name in stored} for each in subject["certificateAuthorities"]]
    planted = {"certificateRevocationListUrl": "http://crl.attacker.example/none.crl"}
    return {"certificateAuthorities": [{**each, **planted} for each in trusted]}


AUTHORITIES = "/v1.0/organization/{_organisation}/certificateBasedAuthConfiguration"

CASES = (
    Case(
        key="certificateBasedAuthConfiguration",
        subject=authorities,
        path=f"{AUTHORITIES}/{{id}}",
        updates={
            "certificateAuthorities": impossible(
                "Microsoft has no update: see the replacement, which is undone"
            )
        },
        create="the tenant has one at most",
        delete=[Act("DELETE", f"{AUTHORITIES}/{{id}}")],
        more={
            "certificateAuthorities": [
                Act("DELETE", f"{AUTHORITIES}/{{id}}"),
                Act("POST", AUTHORITIES, _planted_revocation),
            ]
        },
        types=("organization",),
    ),
    Case(
        key="authorizationPolicy",
        subject=at(AUTHORIZATION),
        path=AUTHORIZATION,
        updates={
            "allowEmailVerifiedUsersToJoinOrganization": AUTO,
            "allowInvitesFrom": AUTO,
            "allowUserConsentForRiskyApps": AUTO,
            "allowedToSignUpEmailBasedSubscriptions": AUTO,
            "allowedToUseSSPR": AUTO,
            "blockMsolPowerShell": AUTO,
            "defaultUserRolePermissions": AUTO,
            "guestUserRoleId": GUESTS_AS_MEMBERS,
        },
        create=ONE,
        delete=ONE,
    ),
    Case(
        key="adminConsentRequestPolicy",
        subject=at(REQUESTS),
        path=REQUESTS,
        method="PUT",
        shape=_requests,
        updates={
            "isEnabled": AUTO,
            "notifyReviewers": AUTO,
            "remindersEnabled": AUTO,
            "requestDurationInDays": AUTO,
            "reviewers": _accomplice,
        },
        create=ONE,
        delete=ONE,
    ),
    Case(
        key="permissionGrantPolicy",
        subject=custom_policy,
        path=f"{GRANTS}/{{id}}",
        updates={"displayName": AUTO, "description": AUTO},
        create=[
            Act("POST", GRANTS, {"id": "planted", "displayName": "Planted", "description": "All of it"}),
            Act("POST", f"{GRANTS}/planted/includes", WIDE),
        ],
        delete=[Act("DELETE", f"{GRANTS}/{{id}}")],
        more={
            "includes": [
                Act("DELETE", f"{GRANTS}/{{id}}/includes/{{_included}}"),
                Act("POST", f"{GRANTS}/{{id}}/includes", WIDE),
            ],
            "excludes": [Act("POST", f"{GRANTS}/{{id}}/excludes", WIDE)],
        },
    ),
    Case(
        key="identitySecurityDefaultsEnforcementPolicy",
        subject=at(DEFAULTS),
        path=DEFAULTS,
        updates={
            "isEnabled": impossible(
                "refused while Conditional Access policies are enabled; both together are undone in both directions "
                "by `tests/rollbacks/test_security_defaults.py`"
            )
        },
        create=ONE,
        delete=ONE,
    ),
    Case(
        key="authenticationFlowsPolicy",
        subject=at(FLOWS),
        path=FLOWS,
        updates={"selfServiceSignUp": AUTO},
        create=ONE,
        delete=ONE,
    ),
    Case(
        key="deviceRegistrationPolicy",
        subject=at(DEVICES),
        path=DEVICES,
        method="PUT",
        shape=_registration,
        updates={
            "azureADJoin": lambda _world, subject: {**subject["azureADJoin"], "allowedToJoin": NOBODY},
            "azureADRegistration": lambda _world, subject: {
                **subject["azureADRegistration"],
                "allowedToRegister": NOBODY,
            },
            "description": impossible("a fixed text of Microsoft's, repeated because a PUT is whole"),
            "displayName": impossible("a fixed text of Microsoft's, repeated because a PUT is whole"),
            "localAdminPassword": AUTO,
            "multiFactorAuthConfiguration": AUTO,
            "userDeviceQuota": AUTO,
        },
        create=ONE,
        delete=ONE,
    ),
    Case(
        key="externalIdentitiesPolicy",
        subject=at(EXTERNAL),
        path=EXTERNAL,
        updates={
            "allowDeletedIdentitiesDataRemoval": lambda _world, subject: (
                not subject["allowDeletedIdentitiesDataRemoval"]
            ),
            "allowExternalIdentitiesToLeave": lambda _world, subject: (
                not subject["allowExternalIdentitiesToLeave"]
            ),
        },
        create=ONE,
        delete=ONE,
    ),
    Case(
        key="groupSetting",
        subject=setting,
        path=f"{SETTINGS}/{{id}}",
        updates={"values": _guests_welcome},
        create="of a template there is one; the seeded tenant has it",
        delete=[Act("DELETE", f"{SETTINGS}/{{id}}")],
    ),
    Case(
        key="authenticationContextClassReference",
        subject=context,
        path=f"{CONTEXTS}/{{id}}",
        updates={"displayName": AUTO, "description": AUTO, "isAvailable": AUTO},
        create=[Act("PATCH", f"{CONTEXTS}/c77", {"displayName": "Planted", "isAvailable": True})],
        delete=[
            Act("PATCH", f"{CONTEXTS}/{{id}}", {"isAvailable": False}),
            Act("DELETE", f"{CONTEXTS}/{{id}}"),
        ],
    ),
)
