"""Rules on cross-tenant access: whose claims and users the tenant accepts, and which tenants its own users
may access.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from changes.severity.declared_settings import (
    Life,
    Members,
    Setting,
    closes,
    lives,
    off_protects,
    on_protects,
    opens,
    watching,
)
from changes.severity.model import Context, Hit, Rule, Severity, Side, Subject, neutral, strengthens, weakens
from changes.severity.readers import dig, is_true, rows, text, word
from snapshots.catalog.spec import Document

DEFAULT = "crossTenantAccessPolicyConfigurationDefault"
PARTNER = "crossTenantAccessPolicyConfigurationPartner"
SYNC = "crossTenantIdentitySyncPolicyPartner"
BOTH = (DEFAULT, PARTNER)
EVERYTHING = frozenset({"allusers", "allapplications"})
ANY_OTHER = "anyone not listed"
TECHNIQUE = "T1484.002"


@dataclass(frozen=True)
class Gate:
    """One direction of access, with the service default."""

    path: str
    what: str
    severity: Severity
    open_by_default: bool = False


GATES = (
    Gate(
        "b2bCollaborationInbound/usersAndGroups",
        "the guests that may sign in",
        Severity.MEDIUM,
        open_by_default=True,
    ),
    Gate(
        "b2bCollaborationInbound/applications",
        "the apps that guests may use",
        Severity.MEDIUM,
        open_by_default=True,
    ),
    Gate("b2bDirectConnectInbound/usersAndGroups", "the external users with direct connect", Severity.HIGH),
    Gate("b2bDirectConnectInbound/applications", "the apps of direct connect", Severity.HIGH),
    Gate(
        "b2bCollaborationOutbound/usersAndGroups",
        "our users who may be guests elsewhere",
        Severity.LOW,
        open_by_default=True,
    ),
    Gate(
        "b2bCollaborationOutbound/applications",
        "external apps for our users",
        Severity.LOW,
        open_by_default=True,
    ),
    Gate("b2bDirectConnectOutbound/usersAndGroups", "our users with direct connect", Severity.MEDIUM),
    Gate("b2bDirectConnectOutbound/applications", "external apps of direct connect", Severity.MEDIUM),
    Gate("tenantRestrictions/usersAndGroups", "external accounts on our devices", Severity.MEDIUM),
    Gate("tenantRestrictions/applications", "external apps on our devices", Severity.MEDIUM),
    Gate("m365CollaborationInbound/users", "external users in Microsoft 365", Severity.MEDIUM),
    Gate("m365CollaborationOutbound/usersAndGroups", "our users in external Microsoft 365", Severity.LOW),
    Gate("appServiceConnectInbound/applications", "external services that access our apps", Severity.MEDIUM),
)
TRUSTS = (
    ("isMfaAccepted", "MFA from an external tenant"),
    ("isCompliantDeviceAccepted", "compliant devices of an external tenant"),
    ("isHybridAzureADJoinedDeviceAccepted", "hybrid joined devices of an external tenant"),
)
SYNC_SETTINGS = (
    Setting(
        "userSyncInbound/isSyncAllowed",
        "creation of users by the external tenant",
        off_protects(),
        Severity.HIGH,
        "Its administrators can create and change accounts here",
        "T1136.003",
    ),
    Setting(
        "groupSyncInbound/isSyncAllowed",
        "creation of groups by the external tenant",
        off_protects(),
        Severity.HIGH,
        "Its administrators can create groups here and choose their members",
        "T1136.003",
    ),
)
SERVICE_PROVIDER = (
    Setting(
        "isServiceProvider",
        "access as a service provider",
        off_protects(),
        Severity.HIGH,
        "Its staff can manage this tenant",
        "T1199",
    ),
    Setting(
        "blockServiceProviderOutboundAccess",
        "the block on access as a service provider",
        on_protects(),
        Severity.MEDIUM,
        "Our users can act in customers' tenants",
        "T1199",
    ),
)


@dataclass(frozen=True)
class Reach:
    """Who is allowed: only `names` if `allowed`, otherwise everyone except them."""

    allowed: bool
    names: frozenset[str]

    def passes(self, name: str) -> bool:
        named = name in self.names or bool(self.names & EVERYTHING)
        return named is self.allowed

    def beyond(self, other: "Reach") -> bool:
        """Whether this allows someone whom the other does not."""
        everybody = self.names | other.names | {ANY_OTHER}
        return any(self.passes(name) and not other.passes(name) for name in everybody)


def _reach(document: Document | None, gate: Gate) -> Reach | None:
    path = gate.path.split("/")
    kind = word(document, *path, "accessType")
    if kind not in {"allowed", "blocked"}:
        return None
    names = frozenset(word(dict(row), "target") for row in rows(document, *path, "targets"))
    return Reach(kind == "allowed", names - {""})


def _effective(subject: Subject, context: Context, side: Side, gate: Gate) -> Reach:
    """A partner inherits missing values from the tenant's default, which inherits from the service's default."""
    document = subject.before if side == "before" else subject.after
    inherited = None
    if subject.resource_type == PARTNER:
        inherited = next(iter(context.all(side, DEFAULT).values()), None)
    standing = Reach(gate.open_by_default, EVERYTHING)
    return _reach(document, gate) or _reach(inherited, gate) or standing


def gate_moved(subject: Subject, context: Context) -> Iterator[Hit]:
    for gate in GATES:
        before = _effective(subject, context, "before", gate)
        after = _effective(subject, context, "after", gate)
        if after.beyond(before):
            yield weakens(gate.severity, f"{_whose(subject)} now allows more of {gate.what}.")
        elif before.beyond(after):
            yield strengthens(f"{_whose(subject)} now allows less of {gate.what}.")


def trust_moved(subject: Subject, context: Context) -> Iterator[Hit]:
    for name, what in TRUSTS:
        before = _trusts(subject, context, "before", name)
        after = _trusts(subject, context, "after", name)
        if after and not before:
            reason = (
                f"{_whose(subject)} now accepts {what}, whose reliability depends on that tenant's "
                "administrators."
            )
            yield weakens(Severity.HIGH, reason)
        elif before and not after:
            yield strengthens(f"{_whose(subject)} no longer accepts {what}.")


def _trusts(subject: Subject, context: Context, side: Side, name: str) -> bool:
    document = subject.before if side == "before" else subject.after
    own = dig(document, "inboundTrust", name)
    if own is None and subject.resource_type == PARTNER:
        default = next(iter(context.all(side, DEFAULT).values()), None)
        return is_true(default, "inboundTrust", name)
    return own is True


CONSENT = (
    (
        "inboundAllowed",
        Severity.MEDIUM,
        "external users are no longer asked for consent before their tenant shares them here",
    ),
    (
        "outboundAllowed",
        Severity.MEDIUM,
        "our users are no longer asked for consent before they are shared with the external tenant",
    ),
)


def consent_skipped(subject: Subject, context: Context) -> Iterator[Hit]:  # noqa: ARG001
    for name, severity, effect in CONSENT:
        before, after = (
            is_true(side, "automaticUserConsentSettings", name) for side in (subject.before, subject.after)
        )
        if after and not before:
            yield weakens(severity, f"{_whose(subject)}: {effect}.")
        elif before and not after:
            yield strengthens(f"{_whose(subject)}: users are asked for consent again ({name}).")


def _whose(subject: Subject) -> str:
    if subject.resource_type == DEFAULT:
        return "The default for all external tenants"
    return f"The setting for tenant {text(subject.document, 'tenantId') or subject.name}"


def default_reset(subject: Subject, context: Context) -> Iterator[Hit]:  # noqa: ARG001
    if subject.kind == "deleted":
        yield neutral(
            Severity.MEDIUM, "The default for all external tenants was reset to Microsoft's default."
        )


SENTINEL = ("Sentinel: Cross-tenant Access Settings Organization Inbound Settings Changed",)

RULES = (
    Rule("cross-tenant-gate", "Access between tenants changed", BOTH, TECHNIQUE, gate_moved, SENTINEL),
    Rule(
        "cross-tenant-trust",
        "Trust in claims of external tenants changed",
        BOTH,
        "T1556.006",
        trust_moved,
        SENTINEL,
    ),
    Rule(
        "cross-tenant-consent",
        "Consent prompts before users are shared changed",
        BOTH,
        TECHNIQUE,
        consent_skipped,
    ),
    Rule(
        "cross-tenant-provider",
        "Service provider access between tenants changed",
        BOTH,
        "T1199",
        watching(SERVICE_PROVIDER, whole_life=True),
    ),
    Rule(
        "cross-tenant-clouds",
        "Allowed Microsoft clouds changed",
        ("crossTenantAccessPolicy",),
        TECHNIQUE,
        watching(
            (
                Members(
                    "allowedCloudEndpoints",
                    "the allowed Microsoft clouds",
                    Severity.MEDIUM,
                    effect="Tenants of that cloud can get access",
                ),
            )
        ),
    ),
    Rule(
        "cross-tenant-sync",
        "An external tenant may create accounts",
        (SYNC,),
        "T1136.003",
        watching(SYNC_SETTINGS, whole_life=True),
    ),
    lives(
        "cross-tenant-partner",
        "Settings for an external tenant were created or deleted",
        TECHNIQUE,
        {
            PARTNER: Life(
                created=opens(Severity.MEDIUM, "This tenant now has its own settings"),
                deleted=closes("The default applies to this tenant again"),
            ),
        },
        ("Sentinel: Cross-tenant Access Settings Organization Added / Deleted",),
    ),
    Rule(
        "cross-tenant-default-reset",
        "The default for external tenants was reset",
        (DEFAULT,),
        TECHNIQUE,
        default_reset,
    ),
)
