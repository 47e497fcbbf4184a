"""Consent policies, token policies, app management and directory settings: judged by content, not by notation."""

import json
from typing import Any

from tests.changes.severity.casebook import Case, both_sides
from tests.changes.severity.casebook_settings import appeared, loosened, untouched, went

CONSENT, LIFETIME, CLAIMS = "permissionGrantPolicy", "tokenLifetimePolicy", "claimsMappingPolicy"
REALM, ISSUANCE, IDLE = "homeRealmDiscoveryPolicy", "tokenIssuancePolicy", "activityBasedTimeoutPolicy"
TENANT, CUSTOM, SETTING = "tenantAppManagementPolicy", "appManagementPolicy", "groupSetting"


def condition(**more: Any) -> dict[str, Any]:
    every = (
        "permissions",
        "clientApplicationIds",
        "clientApplicationTenantIds",
        "clientApplicationPublisherIds",
    )
    return {
        **{name: ["all"] for name in every},
        "permissionType": "delegated",
        "permissionClassification": "low",
        "resourceApplication": "any",
        "clientApplicationsFromVerifiedPublisherOnly": True,
        **more,
    }


VERIFIED = condition()
ANYBODY = condition(clientApplicationsFromVerifiedPublisherOnly=False)
OWN_PERMISSIONS = condition(permissionType="application")
EVERYTHING = condition(permissionClassification="all", clientApplicationsFromVerifiedPublisherOnly=False)
OTHERWISE_ASSIGNED = both_sides(authorizationPolicy={"p": {"x": ["ManagePermissionGrantsForSelf.another"]}})


def consent(
    before: list[Any] | None,
    after: list[Any] | None,
    severity: str | None,
    direction: str = "weakens",
    name: str = "includes",
    context: dict[str, Any] | None = None,
) -> Case:
    old, new = (None if rows is None else {name: rows} for rows in (before, after))
    title = f"{name} {severity} {direction}"
    return Case(title, "consent-policy-widened", CONSENT, old, new, severity, direction, context or {})


def defined(outer: str, **inner: Any) -> list[str]:
    return [json.dumps({outer: {"Version": 1, **inner}})]


def token(kind: str, rule: str, strong: list[str], weak: list[str], severity: str) -> list[Case]:
    return loosened(kind, rule, "definition", strong, weak, severity)


def lifetime(**inner: Any) -> list[str]:
    return defined("TokenLifetimePolicy", **inner)


def claims(*names: str) -> dict[str, Any]:
    schema = [{"Source": "user", "ID": "extensionattribute1", "SamlClaimType": name} for name in names]
    return {"definition": defined("ClaimsMappingPolicy", ClaimsSchema=schema)}


def idle(seconds: str) -> list[str]:
    return defined(
        "ActivityBasedTimeoutPolicy",
        ApplicationPolicies=[{"ApplicationId": "default", "WebSessionIdleTimeout": seconds}],
    )


def password(state: str = "enabled", **more: Any) -> dict[str, Any]:
    return {"restrictionType": "passwordAddition", "state": state, **more}


def tenant(*restrictions: Any, enabled: bool = True) -> dict[str, Any]:
    return {"isEnabled": enabled, "applicationRestrictions": {"passwordCredentials": list(restrictions)}}


def management(
    kind: str,
    rule: str,
    before: dict[str, Any] | None,
    after: dict[str, Any] | None,
    severity: str | None,
    direction: str = "weakens",
) -> Case:
    return Case(f"{kind} {severity} {direction}", rule, kind, before, after, severity, direction)


def values(**pairs: str) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in pairs.items()]


def setting(name: str, strong: str, weak: str, severity: str) -> list[Case]:
    cases = loosened(
        SETTING, "group-setting", "values", values(**{name: strong}), values(**{name: weak}), severity
    )
    return [Case(f"{one.title} {name}", *_rest(one)) for one in cases]


def _rest(one: Case) -> tuple[Any, ...]:
    return one.rule, one.resource_type, one.before, one.after, one.severity, one.direction


EXEMPT: dict[str, Any] = {"excludeActors": {"customSecurityAttributes": [{"id": "Set_Trusted"}]}}
EXEMPTION = {"isEnabled": True, "restrictions": {"passwordCredentials": []}}
APPS = [{"id": "app"}]
DOMAIN = "home.example"

CASES = [
    consent([VERIFIED], [VERIFIED, ANYBODY], "medium"),
    consent([VERIFIED], [VERIFIED, OWN_PERMISSIONS], "high"),
    consent([VERIFIED], [EVERYTHING], "high"),
    consent([VERIFIED], [EVERYTHING], "medium", context=OTHERWISE_ASSIGNED),
    consent(None, [EVERYTHING], "medium"),
    consent([ANYBODY], [VERIFIED], "low", "strengthens"),
    consent([VERIFIED], [], "medium", name="excludes"),
    consent([], [VERIFIED], "low", "strengthens", name="excludes"),
    consent([VERIFIED], None, "low", "neutral"),
    consent([ANYBODY], [{**ANYBODY, "id": "other"}], None),
    consent([ANYBODY], [VERIFIED, ANYBODY], None),
    *token(
        LIFETIME,
        "token-lifetime",
        lifetime(AccessTokenLifetime="00:10:00"),
        lifetime(AccessTokenLifetime="23:59:59"),
        "medium",
    ),
    *token(
        LIFETIME,
        "token-lifetime",
        lifetime(MaxAgeSessionMultiFactor="1.00:00:00"),
        lifetime(MaxAgeSessionMultiFactor="until-revoked"),
        "medium",
    ),
    *token(LIFETIME, "token-lifetime", lifetime(), lifetime(accesstokenlifetime="08:00:00"), "medium"),
    appeared(
        LIFETIME,
        "token-lifetime",
        "medium",
        document={"definition": lifetime(AccessTokenLifetime="1.00:00:00")},
    ),
    went(
        LIFETIME,
        "token-lifetime",
        "medium",
        document={"definition": lifetime(AccessTokenLifetime="00:10:00")},
    ),
    untouched(
        LIFETIME,
        "token-lifetime",
        "definition",
        lifetime(AccessTokenLifetime="02:00:00"),
        lifetime(AccessTokenLifetime="0.02:00:00"),
    ),
    Case(
        "claims",
        "token-claims",
        CLAIMS,
        claims("department"),
        claims("department", "x/nameidentifier"),
        "high",
    ),
    Case("claims created", "token-claims", CLAIMS, None, claims("department"), "medium", "neutral"),
    Case(
        "claims respaced",
        "token-claims",
        CLAIMS,
        claims("a"),
        {"definition": [claims("a")["definition"][0].replace(": ", ":")]},
        None,
    ),
    *token(
        REALM,
        "home-realm-setting",
        defined("HomeRealmDiscoveryPolicy"),
        defined("HomeRealmDiscoveryPolicy", AccelerateToFederatedDomain=True),
        "high",
    ),
    *token(
        REALM,
        "home-realm-setting",
        defined("HomeRealmDiscoveryPolicy", AllowCloudPasswordValidation=False),
        defined("HomeRealmDiscoveryPolicy", AllowCloudPasswordValidation=True),
        "medium",
    ),
    *token(
        REALM,
        "home-realm-setting",
        defined("HomeRealmDiscoveryPolicy"),
        defined("HomeRealmDiscoveryPolicy", AlternateIdLogin={"Enabled": True}),
        "low",
    ),
    untouched(REALM, "home-realm-setting"),
    *token(
        REALM,
        "home-realm-moved",
        defined("HomeRealmDiscoveryPolicy"),
        defined("HomeRealmDiscoveryPolicy", PreferredDomain=DOMAIN),
        "high",
    ),
    untouched(
        REALM,
        "home-realm-moved",
        "definition",
        defined("HomeRealmDiscoveryPolicy", PreferredDomain=DOMAIN),
        defined("HomeRealmDiscoveryPolicy", PreferredDomain=DOMAIN.upper()),
    ),
    *token(
        ISSUANCE,
        "token-signing",
        defined("TokenIssuancePolicy", SigningAlgorithm="http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"),
        defined("TokenIssuancePolicy", SigningAlgorithm="http://www.w3.org/2000/09/xmldsig#rsa-sha1"),
        "medium",
    ),
    untouched(ISSUANCE, "token-signing"),
    *token(IDLE, "idle-timeout", idle("00:15:00"), idle("08:00:00"), "medium"),
    went(IDLE, "idle-timeout", "medium", document={"definition": idle("00:15:00")}),
    untouched(IDLE, "idle-timeout", "definition", idle("01:00:00"), idle("0.01:00:00")),
    Case(
        "for every app",
        "token-policy-reach",
        CLAIMS,
        {"isOrganizationDefault": False},
        {"isOrganizationDefault": True},
        "medium",
        "neutral",
    ),
    Case(
        "for another app",
        "token-policy-reach",
        REALM,
        {"appliesTo": []},
        {"appliesTo": APPS},
        "medium",
        "neutral",
    ),
    untouched(LIFETIME, "token-policy-reach"),
    management(
        TENANT, "app-restrictions-eased", tenant(password()), tenant(password(), enabled=False), "high"
    ),
    management(TENANT, "app-restrictions-eased", tenant(password()), tenant(password("disabled")), "high"),
    management(
        CUSTOM,
        "app-restrictions-eased",
        {"isEnabled": True, "restrictions": {"passwordCredentials": [password()]}},
        EXEMPTION,
        "medium",
    ),
    management(
        TENANT,
        "app-restrictions-eased",
        tenant(password(maxLifetime="P90D")),
        tenant(password(maxLifetime="P4D")),
        "low",
        "strengthens",
    ),
    management(
        TENANT,
        "app-restrictions-eased",
        tenant(password(maxLifetime="P4D")),
        tenant(password(maxLifetime="P90D")),
        "medium",
    ),
    management(TENANT, "app-restrictions-eased", tenant(password()), tenant(password(**EXEMPT)), "medium"),
    management(
        TENANT,
        "app-restrictions-eased",
        tenant(password(restrictForAppsCreatedAfterDateTime="2019-01-01T00:00:00Z")),
        tenant(password(restrictForAppsCreatedAfterDateTime="2026-01-01T00:00:00Z")),
        "medium",
    ),
    management(
        TENANT,
        "app-restrictions-eased",
        tenant(password(maxLifetime="P1Y")),
        tenant(password(maxLifetime="P365D")),
        None,
    ),
    management(
        CUSTOM,
        "app-restrictions-exempt",
        {**EXEMPTION, "appliesTo": []},
        {**EXEMPTION, "appliesTo": APPS},
        "medium",
    ),
    management(CUSTOM, "app-restrictions-exempt", None, EXEMPTION, "low", "neutral"),
    management(CUSTOM, "app-restrictions-exempt", {**EXEMPTION, "appliesTo": APPS}, EXEMPTION, None),
    *setting("AllowToAddGuests", "false", "True", "medium"),
    *setting("AllowGuestsToAccessGroups", "false", "true", "medium"),
    *setting("AllowGuestsToBeGroupOwner", "False", "true", "medium"),
    *setting("EnableGroupCreation", "false", "true", "low"),
    *setting("EnableBannedPasswordCheckOnPremises", "True", "False", "medium"),
    *setting("BannedPasswordCheckOnPremisesMode", "Enforce", "Audit", "medium"),
    *setting("LockoutThreshold", "10", "50", "medium"),
    *setting("LockoutDurationInSeconds", "600", "60", "medium"),
    *setting("EnableGroupSpecificConsent", "false", "true", "medium"),
    *setting("BlockUserConsentForRiskyApps", "true", "false", "high"),
    appeared(
        SETTING, "group-setting", "high", document={"values": values(BlockUserConsentForRiskyApps="false")}
    ),
    appeared(SETTING, "group-setting", None, document={"values": values(AllowToAddGuests="true")}),
    went(SETTING, "group-setting", "medium", document={"values": values(AllowToAddGuests="false")}),
    untouched(
        SETTING, "group-setting", "values", values(AllowToAddGuests="True"), values(AllowToAddGuests="true")
    ),
]
