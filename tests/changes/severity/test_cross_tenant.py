"""Cross-tenant access: what is inherited, who is let in and which claims are believed."""

from typing import Any

from tests.changes.severity.casebook import Case, both_sides
from tests.changes.severity.casebook_settings import MISSING, OFF, ON, appeared, at, loosened, untouched, went

DEFAULT = "crossTenantAccessPolicyConfigurationDefault"
PARTNER = "crossTenantAccessPolicyConfigurationPartner"
SYNC = "crossTenantIdentitySyncPolicyPartner"


def access(kind: str, *names: str) -> dict[str, Any]:
    return {
        "accessType": kind,
        "targets": [{"target": name, "targetType": "user"} for name in names],
    }


ALL_IN = access("allowed", "AllUsers")
NOBODY = access("blocked", "AllUsers")
SOME = access("allowed", "group-a")
MORE = access("allowed", "group-a", "group-b")
BUT_ONE = access("blocked", "group-a")
GUESTS = "b2bCollaborationInbound/usersAndGroups"
DIRECT = "b2bDirectConnectInbound/usersAndGroups"
BELIEVES_MFA = both_sides(**{DEFAULT: {"default": {"inboundTrust": {"isMfaAccepted": True}}}})
CLOSED = both_sides(**{DEFAULT: {"default": at(GUESTS, NOBODY)}})


def gate(path: str, strong: Any, weak: Any, severity: str, kind: str = DEFAULT) -> list[Case]:
    return loosened(kind, "cross-tenant-gate", path, strong, weak, severity, {"tenantId": "t"})


def created(rule: str, document: dict[str, Any], severity: str | None, context: Any = None) -> Case:
    direction = "weakens" if severity != "low" else "strengthens"
    return Case("partner created", rule, PARTNER, None, document, severity, direction, context or {})


CASES = [
    *gate(GUESTS, NOBODY, ALL_IN, "medium"),
    *gate(GUESTS, SOME, ALL_IN, "medium"),
    *gate(GUESTS, SOME, MORE, "medium"),
    *gate(GUESTS, NOBODY, BUT_ONE, "medium"),
    *gate(GUESTS, BUT_ONE, ALL_IN, "medium"),
    *gate(DIRECT, NOBODY, SOME, "high"),
    *gate(DIRECT, MISSING, SOME, "high", PARTNER),
    *gate("b2bCollaborationOutbound/usersAndGroups", NOBODY, ALL_IN, "low"),
    *gate("b2bDirectConnectOutbound/usersAndGroups", NOBODY, ALL_IN, "medium"),
    *gate("tenantRestrictions/usersAndGroups", NOBODY, ALL_IN, "medium", PARTNER),
    *gate("m365CollaborationInbound/users", NOBODY, ALL_IN, "medium"),
    Case(
        "saying what is the default anyway",
        "cross-tenant-gate",
        PARTNER,
        {"tenantId": "t"},
        at(GUESTS, ALL_IN, {"tenantId": "t"}),
        None,
    ),
    Case(
        "the same words in another letter case",
        "cross-tenant-gate",
        DEFAULT,
        at(GUESTS, access("allowed", "group-a")),
        at(GUESTS, access("Allowed", "GROUP-A")),
        None,
    ),
    created("cross-tenant-gate", at(GUESTS, ALL_IN), "medium", CLOSED),
    created("cross-tenant-gate", at(GUESTS, NOBODY), "low"),
    created("cross-tenant-gate", {"tenantId": "t"}, None),
    *(
        case
        for name in ("isMfaAccepted", "isCompliantDeviceAccepted", "isHybridAzureADJoinedDeviceAccepted")
        for kind in (DEFAULT, PARTNER)
        for case in loosened(kind, "cross-tenant-trust", f"inboundTrust/{name}", OFF, ON, "high")
    ),
    created("cross-tenant-trust", at("inboundTrust/isMfaAccepted", ON), "high"),
    created("cross-tenant-trust", at("inboundTrust/isMfaAccepted", ON), None, BELIEVES_MFA),
    created("cross-tenant-trust", at("inboundTrust/isMfaAccepted", OFF), "low", BELIEVES_MFA),
    untouched(DEFAULT, "cross-tenant-trust"),
    *loosened(
        PARTNER,
        "cross-tenant-consent",
        "automaticUserConsentSettings/inboundAllowed",
        OFF,
        ON,
        "medium",
    ),
    *loosened(
        DEFAULT,
        "cross-tenant-consent",
        "automaticUserConsentSettings/outboundAllowed",
        MISSING,
        ON,
        "medium",
    ),
    untouched(PARTNER, "cross-tenant-consent"),
    *loosened(PARTNER, "cross-tenant-provider", "isServiceProvider", OFF, ON, "high"),
    *loosened(PARTNER, "cross-tenant-provider", "blockServiceProviderOutboundAccess", ON, OFF, "medium"),
    untouched(PARTNER, "cross-tenant-provider"),
    *loosened(
        "crossTenantAccessPolicy",
        "cross-tenant-clouds",
        "allowedCloudEndpoints",
        [],
        ["microsoftonline.us"],
        "medium",
    ),
    untouched("crossTenantAccessPolicy", "cross-tenant-clouds"),
    *loosened(SYNC, "cross-tenant-sync", "userSyncInbound/isSyncAllowed", OFF, ON, "high"),
    *loosened(SYNC, "cross-tenant-sync", "groupSyncInbound/isSyncAllowed", MISSING, ON, "high"),
    appeared(SYNC, "cross-tenant-sync", "high", document={"userSyncInbound": {"isSyncAllowed": ON}}),
    appeared(SYNC, "cross-tenant-sync", None, document={"userSyncInbound": {"isSyncAllowed": OFF}}),
    appeared(PARTNER, "cross-tenant-partner", "medium"),
    went(PARTNER, "cross-tenant-partner", "low", "strengthens"),
    untouched(PARTNER, "cross-tenant-partner"),
    went(DEFAULT, "cross-tenant-default-reset", "medium", "neutral"),
    untouched(DEFAULT, "cross-tenant-default-reset"),
]


def test_a_partner_that_is_removed_gets_what_the_default_gives() -> None:
    strict = at(GUESTS, NOBODY, {"tenantId": "t"})
    case = Case("", "cross-tenant-gate", PARTNER, strict, None, "medium")
    reasons = [finding.reason for finding in case.verdict().findings if finding.rule == case.rule]
    assert reasons == ["The setting for tenant t now allows more of the guests that may sign in."]
