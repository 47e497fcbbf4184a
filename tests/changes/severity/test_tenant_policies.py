"""Tenant-wide policies: each switch in its bad direction, back again, and where it means nothing."""

from typing import Any

import pytest

from changes.severity.declared_settings import ladder, newer_protects, off_protects, shorter_protects
from changes.severity.spans import seconds_of
from tests.changes.severity.casebook import Case
from tests.changes.severity.casebook_settings import MISSING, OFF, ON, appeared, loosened, untouched, went
from tests.changes.severity.test_conditional_access import EVERYBODY, state

LIMITED, MEMBERLIKE = "10dae51f-b6af-4016-8d66-8c2a99b929b3", "a0b1b346-4d3e-4e8b-98f8-753987be4970"
RIGHTS = "defaultUserRolePermissions"
CONSENT = f"{RIGHTS}/permissionGrantPoliciesAssigned"
LEGACY = "ManagePermissionGrantsForSelf.microsoft-user-default-legacy"
LOW_RISK = "managepermissiongrantsforself.microsoft-user-default-low"
OWN = "ManagePermissionGrantsForSelf.our-policy"
FOR_CHATS = "ManagePermissionGrantsForOwnedResource.microsoft-dynamically-managed-permissions-for-chat"
DEFAULTS = "identitySecurityDefaultsEnforcementPolicy"
MEMBERSHIP = "#microsoft.graph.{}DeviceRegistrationMembership"


def authorization(path: str, strong: Any, weak: Any, severity: str) -> list[Case]:
    return loosened("authorizationPolicy", "authorization-policy", path, strong, weak, severity)


def device(path: str, strong: Any, weak: Any, severity: str) -> list[Case]:
    return loosened("deviceRegistrationPolicy", "device-registration", path, strong, weak, severity)


def consent(strong: list[str], weak: list[str], severity: str) -> list[Case]:
    return loosened("authorizationPolicy", "user-consent-policy", CONSENT, strong, weak, severity)


def defaults(
    after: bool, severity: str | None, direction: str, context: dict[str, Any] | None = None
) -> Case:
    return Case(
        f"security defaults {'on' if after else 'off'}, {direction}",
        "security-defaults",
        DEFAULTS,
        {"isEnabled": not after},
        {"isEnabled": after},
        severity,
        direction,
        context or {},
    )


ENFORCED = {"after": {"conditionalAccessPolicy": {"p": EVERYBODY}}}
REPORTING = {
    "after": {"conditionalAccessPolicy": {"p": state(EVERYBODY, "enabledForReportingButNotEnforced")}}
}

CASES = [
    defaults(OFF, "critical", "weakens"),
    defaults(OFF, "critical", "weakens", REPORTING),
    defaults(OFF, "medium", "neutral", ENFORCED),
    defaults(ON, "low", "strengthens"),
    untouched(DEFAULTS, "security-defaults"),
    *authorization("allowInvitesFrom", "adminsAndGuestInviters", "everyone", "medium"),
    *authorization("allowInvitesFrom", "none", "adminsGuestInvitersAndAllMembers", "medium"),
    *authorization("guestUserRoleId", LIMITED.upper(), MEMBERLIKE, "medium"),
    *authorization("allowUserConsentForRiskyApps", OFF, ON, "high"),
    *authorization("allowUserConsentForRiskyApps", MISSING, ON, "high"),
    *authorization("allowEmailVerifiedUsersToJoinOrganization", OFF, ON, "medium"),
    *authorization("allowedToSignUpEmailBasedSubscriptions", OFF, ON, "medium"),
    *authorization("allowedToUseSSPR", OFF, ON, "medium"),
    *authorization("blockMsolPowerShell", ON, OFF, "medium"),
    *authorization(f"{RIGHTS}/allowedToCreateApps", OFF, ON, "medium"),
    *authorization(f"{RIGHTS}/allowedToCreateTenants", OFF, ON, "medium"),
    *authorization(f"{RIGHTS}/allowedToCreateSecurityGroups", OFF, ON, "low"),
    *authorization(f"{RIGHTS}/allowedToReadOtherUsers", OFF, ON, "low"),
    *authorization(f"{RIGHTS}/allowedToReadBitlockerKeysForOwnedDevice", OFF, ON, "low"),
    untouched("authorizationPolicy", "authorization-policy"),
    untouched("authorizationPolicy", "authorization-policy", "allowInvitesFrom", "Everyone", "everyone"),
    untouched("authorizationPolicy", "authorization-policy", "guestUserRoleId", LIMITED, LIMITED.upper()),
    *consent([], [LEGACY], "high"),
    *consent([LOW_RISK], [LEGACY], "high"),
    *consent([], [LOW_RISK], "medium"),
    *consent([LOW_RISK], [OWN], "medium"),
    untouched("authorizationPolicy", "user-consent-policy", CONSENT, [LOW_RISK], [FOR_CHATS, LOW_RISK]),
    untouched("authorizationPolicy", "user-consent-policy", CONSENT, [LEGACY], [LEGACY.upper()]),
    *loosened(
        "authenticationFlowsPolicy",
        "self-service-sign-up",
        "selfServiceSignUp/isEnabled",
        OFF,
        ON,
        "medium",
    ),
    untouched("authenticationFlowsPolicy", "self-service-sign-up"),
    *loosened("adminConsentRequestPolicy", "consent-requests", "isEnabled", ON, OFF, "low"),
    *loosened("adminConsentRequestPolicy", "consent-requests", "notifyReviewers", ON, OFF, "low"),
    *loosened(
        "adminConsentRequestPolicy",
        "consent-requests",
        "reviewers",
        [{"query": "/users/anna"}],
        [{"query": "/users/anna"}, {"query": "/users/eve"}],
        "medium",
    ),
    untouched("adminConsentRequestPolicy", "consent-requests", "requestDurationInDays", 30, 14),
    *device("multiFactorAuthConfiguration", "required", "notRequired", "high"),
    *device("multiFactorAuthConfiguration", "1", "0", "high"),
    *device(
        "azureADJoin/allowedToJoin/@odata.type",
        MEMBERSHIP.format("enumerated"),
        MEMBERSHIP.format("all"),
        "medium",
    ),
    *device("azureADJoin/allowedToJoin/groups", ["a"], ["a", "b"], "low"),
    *device("azureADJoin/allowedToJoin/users", [], ["eve"], "low"),
    *device(
        "azureADRegistration/allowedToRegister/@odata.type",
        MEMBERSHIP.format("no"),
        MEMBERSHIP.format("all"),
        "low",
    ),
    *device(
        "azureADJoin/localAdmins/registeringUsers/@odata.type",
        MEMBERSHIP.format("no"),
        MEMBERSHIP.format("all"),
        "medium",
    ),
    *device("azureADJoin/localAdmins/registeringUsers/users", [], ["eve"], "medium"),
    *device("azureADJoin/localAdmins/registeringUsers/groups", [], ["staff"], "medium"),
    *device("azureADJoin/localAdmins/enableGlobalAdmins", OFF, ON, "medium"),
    *device("localAdminPassword/isEnabled", ON, OFF, "medium"),
    *device("userDeviceQuota", 5, 50, "low"),
    untouched("deviceRegistrationPolicy", "device-registration"),
    *loosened(
        "authenticationContextClassReference",
        "authentication-context-withdrawn",
        "isAvailable",
        ON,
        OFF,
        "medium",
    ),
    untouched("authenticationContextClassReference", "authentication-context-withdrawn"),
    Case(
        "staged rollout of password hashes begins",
        "feature-rollout",
        "featureRolloutPolicy",
        {"feature": "passwordHashSync", "isEnabled": OFF},
        {"feature": "passwordHashSync", "isEnabled": ON},
        "medium",
        "neutral",
    ),
    untouched("featureRolloutPolicy", "feature-rollout"),
    appeared("authenticationContextClassReference", "tenant-policy-life", "low", "neutral"),
    went("authenticationContextClassReference", "tenant-policy-life", "medium"),
    went("authenticationFlowsPolicy", "tenant-policy-life", "low", "neutral"),
    went("adminConsentRequestPolicy", "tenant-policy-life", "low", "neutral"),
    went("deviceRegistrationPolicy", "tenant-policy-life", "medium"),
    went("authorizationPolicy", "tenant-policy-life", "medium"),
    untouched("authenticationContextClassReference", "tenant-policy-life"),
]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("PT8H", 28_800),
        ("PT480M", 28_800),
        ("08:00:00", 28_800),
        ("P365D", 31_536_000),
        ("p1y", 31_536_000),
        ("365.00:00:00", 31_536_000),
        ("P1W", 604_800),
        ("until-revoked", float("inf")),
        ("P", None),
        ("soon", None),
    ],
)
def test_a_period_is_as_long_in_every_notation(text: str, seconds: float | None) -> None:
    assert seconds_of(text) == seconds


def test_ranks_go_by_meaning_and_not_by_spelling() -> None:
    assert newer_protects("10.0") == newer_protects("10")
    assert newer_protects("9.9") < newer_protects("10.0.19045")  # type: ignore[operator]
    assert newer_protects("Version value") is None
    assert off_protects()("True") == off_protects()(ON)
    assert ladder("a", ("b", "c"))("#microsoft.graph.C") == ladder("a", ("b", "c"))("B")
    assert shorter_protects()("PT1H") == shorter_protects()("01:00:00")


def test_the_reason_says_what_changed_and_whom_it_reaches() -> None:
    case = authorization(f"{RIGHTS}/allowedToCreateApps", OFF, ON, "medium")[0]
    assert case.verdict().findings[0].reason == (
        "subject-id: registration of applications by all users is on instead of off. "
        "Every user can register applications and phish for consent with them."
    )
