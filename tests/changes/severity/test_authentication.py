"""Authentication strengths, methods and the methods policy."""

from typing import Any

import pytest

from changes.severity import reference
from changes.severity.engine import grade
from changes.severity.model import Subject
from tests.changes.severity.casebook import Case, both_sides, changed
from tests.changes.severity.test_conditional_access import ADMINS, EVERYBODY

STRENGTH: dict[str, Any] = {
    "displayName": "Phishing-resistant",
    "policyType": "custom",
    "allowedCombinations": ["fido2", "windowsHelloForBusiness"],
    "combinationConfigurations": [
        {
            "id": "c",
            "@odata.type": "#microsoft.graph.fido2CombinationConfiguration",
            "appliesToCombinations": ["fido2"],
            "allowedAAGUIDs": ["one", "two"],
        }
    ],
}


def accepts(*combinations: str) -> dict[str, Any]:
    return changed(STRENGTH, lambda d: d.update(allowedCombinations=list(combinations)))


def keys(*aaguids: str) -> dict[str, Any]:
    return changed(STRENGTH, lambda d: d["combinationConfigurations"][0].update(allowedAAGUIDs=list(aaguids)))


def asks_for_it(policy: dict[str, Any]) -> dict[str, Any]:
    strong = changed(
        policy, lambda d: d.update(grantControls={"authenticationStrength": {"id": "subject-id"}})
    )
    return both_sides(conditionalAccessPolicy={"p": strong})


NOBODY_ASKS = both_sides(conditionalAccessPolicy={"p": EVERYBODY})


def strength(
    title: str,
    rule: str,
    before: dict[str, Any] | None,
    after: dict[str, Any] | None,
    severity: str | None,
    direction: str = "weakens",
    context: dict[str, Any] | None = None,
) -> Case:
    return Case(
        title, rule, "authenticationStrengthPolicy", before, after, severity, direction, context or {}
    )


def method(kind: str, state: str, **properties: Any) -> dict[str, Any]:
    return {
        "@odata.type": f"#microsoft.graph.{kind}AuthenticationMethodConfiguration",
        "state": state,
        "includeTargets": [{"targetType": "group", "id": "all_users"}],
        **properties,
    }


def group_only(*names: str, **properties: Any) -> list[dict[str, Any]]:
    return [{"targetType": "group", "id": name, **properties} for name in names]


def configuration(
    title: str,
    rule: str,
    before: dict[str, Any] | None,
    after: dict[str, Any] | None,
    severity: str | None,
    direction: str = "weakens",
) -> Case:
    return Case(title, rule, "authenticationMethodConfiguration", before, after, severity, direction)


def methods_policy(
    title: str,
    rule: str,
    before: dict[str, Any],
    after: dict[str, Any],
    severity: str | None,
    direction: str = "weakens",
) -> Case:
    return Case(title, rule, "authenticationMethodsPolicy", before, after, severity, direction)


def campaign(state: str, **properties: Any) -> dict[str, Any]:
    value = {"state": state, **properties}
    return {"registrationEnforcement": {"authenticationMethodsRegistrationCampaign": value}}


PASS = method(
    "temporaryAccessPass", "enabled", isUsableOnce=True, maximumLifetimeInMinutes=60, defaultLength=8
)
KEYS = method(
    "fido2",
    "enabled",
    isAttestationEnforced=True,
    keyRestrictions={"isEnforced": True, "enforcementType": "allow", "aaGuids": ["one"]},
)
PUSH = method(
    "microsoftAuthenticator",
    "enabled",
    featureSettings={"numberMatchingRequiredState": {"state": "enabled"}},
)


def allowed(kind: str, *aaguids: str) -> dict[str, Any]:
    value = {"isEnforced": True, "enforcementType": kind, "aaGuids": list(aaguids)}
    return {**KEYS, "keyRestrictions": value}


def certificate(mode: str) -> dict[str, Any]:
    value = {"x509CertificateAuthenticationDefaultMode": mode}
    return method("x509Certificate", "enabled", authenticationModeConfiguration=value)


CASES = [
    strength(
        "text messages", "strength-combination-weakened", STRENGTH, accepts("fido2", "password,sms"), "high"
    ),
    strength(
        "plain MFA, spelled with a blank",
        "strength-combination-weakened",
        STRENGTH,
        accepts("fido2", "password, softwareOath"),
        "high",
    ),
    strength(
        "nobody asks for it",
        "strength-combination-weakened",
        STRENGTH,
        accepts("fido2", "password,sms"),
        "medium",
        context=NOBODY_ASKS,
    ),
    strength(
        "an equal one",
        "strength-combination-weakened",
        accepts("fido2"),
        accepts("fido2", "x509CertificateMultiFactor"),
        "low",
        "neutral",
    ),
    strength(
        "a stronger one",
        "strength-combination-weakened",
        accepts("password,sms"),
        accepts("fido2"),
        None,
    ),
    strength(
        "fewer",
        "strength-combination-tightened",
        accepts("fido2", "password,sms"),
        accepts("fido2"),
        "low",
        "strengthens",
    ),
    strength(
        "more",
        "strength-combination-tightened",
        accepts("fido2"),
        accepts("fido2", "password,sms"),
        None,
    ),
    strength("passwords", "strength-single-factor", STRENGTH, accepts("password"), "high"),
    strength(
        "passwords for administrators",
        "strength-single-factor",
        STRENGTH,
        accepts("password"),
        "critical",
        context=asks_for_it(ADMINS),
    ),
    strength("still two", "strength-single-factor", STRENGTH, accepts("fido2", "password"), None),
    strength("in use", "strength-deleted", STRENGTH, None, "high", context=asks_for_it(EVERYBODY)),
    strength("use unknown", "strength-deleted", STRENGTH, None, "medium"),
    strength("not in use", "strength-deleted", STRENGTH, None, "low", context=NOBODY_ASKS),
    strength("created", "strength-deleted", None, STRENGTH, None),
    strength(
        "any key",
        "strength-restriction-loosened",
        STRENGTH,
        changed(STRENGTH, lambda d: d.pop("combinationConfigurations")),
        "high",
    ),
    strength("another key", "strength-restriction-loosened", STRENGTH, keys("one", "two", "three"), "medium"),
    strength("fewer keys", "strength-restriction-loosened", STRENGTH, keys("one"), "low", "strengthens"),
    strength("renamed", "strength-restriction-loosened", STRENGTH, {**STRENGTH, "displayName": "Best"}, None),
    configuration("SMS", "auth-method-enabled", method("sms", "disabled"), method("sms", "enabled"), "high"),
    configuration(
        "voice", "auth-method-enabled", method("voice", "disabled"), method("voice", "enabled"), "high"
    ),
    configuration(
        "email", "auth-method-enabled", method("email", "disabled"), method("email", "enabled"), "high"
    ),
    configuration(
        "QR code",
        "auth-method-enabled",
        method("qrCodePin", "disabled"),
        method("qrCodePin", "enabled"),
        "high",
    ),
    configuration(
        "pass",
        "auth-method-enabled",
        method("temporaryAccessPass", "disabled"),
        PASS,
        "medium",
    ),
    configuration(
        "certificates",
        "auth-method-enabled",
        method("x509Certificate", "disabled"),
        method("x509Certificate", "enabled"),
        "medium",
        "neutral",
    ),
    configuration(
        "passkeys",
        "auth-method-enabled",
        method("fido2", "disabled"),
        KEYS,
        "low",
        "strengthens",
    ),
    configuration(
        "a foreign service", "auth-method-enabled", None, method("external", "enabled"), "medium", "neutral"
    ),
    configuration("still off", "auth-method-enabled", None, method("sms", "disabled"), None),
    configuration("passkeys", "auth-method-disabled", KEYS, {**KEYS, "state": "disabled"}, "high"),
    configuration("push", "auth-method-disabled", PUSH, {**PUSH, "state": "disabled"}, "high"),
    configuration(
        "SMS",
        "auth-method-disabled",
        method("sms", "enabled"),
        method("sms", "disabled"),
        "low",
        "strengthens",
    ),
    configuration("still on", "auth-method-disabled", PUSH, {**PUSH, "isSoftwareOathEnabled": True}, None),
    configuration(
        "SMS for all",
        "auth-method-targets",
        method("sms", "enabled", includeTargets=group_only("a")),
        method("sms", "enabled"),
        "high",
    ),
    configuration(
        "SMS for another group",
        "auth-method-targets",
        method("sms", "enabled", includeTargets=group_only("a")),
        method("sms", "enabled", includeTargets=group_only("a", "b")),
        "medium",
    ),
    configuration(
        "passkeys for few",
        "auth-method-targets",
        KEYS,
        {**KEYS, "includeTargets": group_only("a")},
        "high",
    ),
    configuration(
        "SMS for fewer",
        "auth-method-targets",
        method("sms", "enabled"),
        method("sms", "enabled", excludeTargets=group_only("a")),
        "low",
        "strengthens",
    ),
    configuration(
        "of a method that is off",
        "auth-method-targets",
        method("sms", "disabled", includeTargets=group_only("a")),
        method("sms", "disabled"),
        None,
    ),
    configuration(
        "SMS instead of a password",
        "auth-method-alone",
        method("sms", "enabled", includeTargets=group_only("all_users", isUsableForSignIn=False)),
        method("sms", "enabled", includeTargets=group_only("all_users", isUsableForSignIn=True)),
        "high",
    ),
    configuration("SMS as a second factor", "auth-method-alone", None, method("sms", "enabled"), None),
    configuration(
        "attestation", "auth-method-setting", KEYS, {**KEYS, "isAttestationEnforced": False}, "medium"
    ),
    configuration("pass reused", "auth-method-setting", PASS, {**PASS, "isUsableOnce": False}, "medium"),
    configuration(
        "pass lives longer", "auth-method-setting", PASS, {**PASS, "maximumLifetimeInMinutes": 480}, "medium"
    ),
    configuration(
        "number matching",
        "auth-method-setting",
        PUSH,
        {**PUSH, "featureSettings": {"numberMatchingRequiredState": {"state": "disabled"}}},
        "high",
    ),
    configuration(
        "pass shorter-lived",
        "auth-method-setting",
        PASS,
        {**PASS, "maximumLifetimeInMinutes": 30},
        "low",
        "strengthens",
    ),
    configuration(
        "of a method that is off", "auth-method-setting", PASS, {**PASS, "state": "disabled"}, None
    ),
    configuration("another make", "auth-method-keys", KEYS, allowed("allow", "one", "two"), "medium"),
    configuration(
        "a blocked make is free",
        "auth-method-keys",
        allowed("block", "one", "two"),
        allowed("block", "one"),
        "medium",
    ),
    configuration(
        "fewer makes", "auth-method-keys", allowed("allow", "one", "two"), KEYS, "low", "strengthens"
    ),
    configuration("same makes", "auth-method-keys", KEYS, {**KEYS, "isAttestationEnforced": False}, None),
    configuration(
        "one certificate is enough",
        "auth-method-certificate",
        certificate("x509CertificateSingleFactor"),
        certificate("x509CertificateMultiFactor"),
        "medium",
    ),
    configuration(
        "unchanged",
        "auth-method-certificate",
        certificate("x509CertificateMultiFactor"),
        {**certificate("x509CertificateMultiFactor"), "state": "disabled"},
        None,
    ),
    methods_policy("off", "auth-registration-weakened", campaign("enabled"), campaign("disabled"), "medium"),
    methods_policy(
        "on", "auth-registration-weakened", campaign("default"), campaign("enabled"), "low", "strengthens"
    ),
    methods_policy(
        "somebody left out",
        "auth-registration-weakened",
        campaign("enabled"),
        campaign("enabled", excludeTargets=[{"id": "eve", "targetType": "user"}]),
        "medium",
    ),
    methods_policy(
        "longer snooze",
        "auth-registration-weakened",
        campaign("enabled", snoozeDurationInDays=1),
        campaign("enabled", snoozeDurationInDays=14),
        "low",
    ),
    methods_policy(
        "shorter snooze",
        "auth-registration-weakened",
        campaign("enabled", snoozeDurationInDays=14),
        campaign("enabled", snoozeDurationInDays=1),
        None,
    ),
    methods_policy(
        "reporting off",
        "auth-protection-off",
        {"reportSuspiciousActivitySettings": {"state": "enabled"}},
        {"reportSuspiciousActivitySettings": {"state": "disabled"}},
        "medium",
    ),
    methods_policy("campaign", "auth-protection-off", campaign("enabled"), campaign("disabled"), None),
    methods_policy(
        "back to legacy",
        "auth-migration-reversed",
        {"policyMigrationState": "migrationComplete"},
        {"policyMigrationState": "preMigration"},
        "medium",
    ),
    methods_policy(
        "complete",
        "auth-migration-reversed",
        {"policyMigrationState": "migrationInProgress"},
        {"policyMigrationState": "migrationComplete"},
        "low",
        "strengthens",
    ),
    methods_policy("campaign", "auth-migration-reversed", campaign("enabled"), campaign("disabled"), None),
]


@pytest.mark.parametrize(
    ("combination", "rank"),
    [
        ("fido2", 5),
        ("deviceBasedPush", 4),
        ("Password, MicrosoftAuthenticatorPush", 3),
        ("sms, password", 2),
        ("password", 1),
        ("somethingNew", 1),
        ("federatedSingleFactor,fido2", 5),
    ],
)
def test_a_combination_is_ranked_as_a_set(combination: str, rank: int) -> None:
    assert reference.combination_rank(combination) == rank


def test_a_method_is_known_by_its_id_where_its_type_is_missing() -> None:
    subject = Subject("authenticationMethodConfiguration", "Sms", {"state": "disabled"}, {"state": "enabled"})
    assert grade(subject).severity == "high"
