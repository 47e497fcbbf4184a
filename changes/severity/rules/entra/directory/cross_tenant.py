"""Rules on cross-tenant access: whose claims and users the tenant accepts, and where its own people may go."""

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
ANY_OTHER = "somebody whom no list names"
TECHNIQUE = "T1484.002"


@dataclass(frozen=True)
class Gate:
    """One direction of access, with what the service's own default says of it."""

    path: str
    what: str
    severity: Severity
    open_by_default: bool = False


GATES = (
    Gate(
        "b2bCollaborationInbound/usersAndGroups",
        "the guests that are let in",
        Severity.MEDIUM,
        open_by_default=True,
    ),
    Gate(
        "b2bCollaborationInbound/applications",
        "the apps that guests reach",
        Severity.MEDIUM,
        open_by_default=True,
    ),
    Gate("b2bDirectConnectInbound/usersAndGroups", "the outsiders with direct connect", Severity.HIGH),
    Gate("b2bDirectConnectInbound/applications", "the apps of direct connect", Severity.HIGH),
    Gate(
        "b2bCollaborationOutbound/usersAndGroups",
        "our people who may be guests",
        Severity.LOW,
        open_by_default=True,
    ),
    Gate(
        "b2bCollaborationOutbound/applications",
        "foreign apps for our people",
        Severity.LOW,
        open_by_default=True,
    ),
    Gate("b2bDirectConnectOutbound/usersAndGroups", "our people with direct connect", Severity.MEDIUM),
    Gate("b2bDirectConnectOutbound/applications", "foreign apps of direct connect", Severity.MEDIUM),
    Gate("tenantRestrictions/usersAndGroups", "foreign accounts on our devices", Severity.MEDIUM),
    Gate("tenantRestrictions/applications", "foreign apps on our devices", Severity.MEDIUM),
    Gate("m365CollaborationInbound/users", "outsiders in Microsoft 365", Severity.MEDIUM),
    Gate("m365CollaborationOutbound/usersAndGroups", "our people in foreign Microsoft 365", Severity.LOW),
    Gate("appServiceConnectInbound/applications", "foreign services that reach our apps", Severity.MEDIUM),
)
TRUSTS = (
    ("isMfaAccepted", "MFA done in a foreign tenant"),
    ("isCompliantDeviceAccepted", "a foreign tenant's compliant devices"),
    ("isHybridAzureADJoinedDeviceAccepted", "a foreign tenant's hybrid joined devices"),
)
SYNC_SETTINGS = (
    Setting(
        "userSyncInbound/isSyncAllowed",
        "creation of users by the foreign tenant",
        off_protects(),
        Severity.HIGH,
        "Its administrators can create and change accounts here",
        "T1136.003",
    ),
    Setting(
        "groupSyncInbound/isSyncAllowed",
        "creation of groups by the foreign tenant",
        off_protects(),
        Severity.HIGH,
        "Its administrators can create groups here and choose their members",
        "T1136.003",
    ),
)
SERVICE_PROVIDER = (
    Setting(
        "isServiceProvider",
        "being a service provider",
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
        "Our people can act in customers' tenants",
        "T1199",
    ),
)


@dataclass(frozen=True)
class Reach:
    """Whom a gate lets through: only `names` where `allowed`, else everybody but them."""

    allowed: bool
    names: frozenset[str]

    def passes(self, name: str) -> bool:
        named = name in self.names or bool(self.names & EVERYTHING)
        return named is self.allowed

    def beyond(self, other: "Reach") -> bool:
        """Whether this lets somebody through whom the other stops."""
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
    """A partner inherits what it does not say; the service's default stands behind the tenant's."""
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
            yield weakens(gate.severity, f"{_whose(subject)} now covers more of {gate.what}.")
        elif before.beyond(after):
            yield strengthens(f"{_whose(subject)} now covers less of {gate.what}.")


def trust_moved(subject: Subject, context: Context) -> Iterator[Hit]:
    for name, what in TRUSTS:
        before = _trusts(subject, context, "before", name)
        after = _trusts(subject, context, "after", name)
        if after and not before:
            reason = (
                f"{_whose(subject)} now accepts {what}: whoever runs that tenant decides what it is worth."
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
    ("inboundAllowed", Severity.MEDIUM, "outsiders are no longer asked before their tenant shares them here"),
    (
        "outboundAllowed",
        Severity.MEDIUM,
        "our people are no longer asked before the foreign tenant gets them",
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
            yield strengthens(f"{_whose(subject)}: people are asked again ({name}).")


def _whose(subject: Subject) -> str:
    if subject.resource_type == DEFAULT:
        return "The default for all foreign tenants"
    return f"The setting for tenant {text(subject.document, 'tenantId') or subject.name}"


def default_reset(subject: Subject, context: Context) -> Iterator[Hit]:  # noqa: ARG001
    if subject.kind == "deleted":
        yield neutral(Severity.MEDIUM, "The default for all foreign tenants is Microsoft's own again.")


SENTINEL = ("Sentinel: Cross-tenant Access Settings Organization Inbound Settings Changed",)

RULES = (
    Rule("cross-tenant-gate", "Who passes between tenants changed", BOTH, TECHNIQUE, gate_moved, SENTINEL),
    Rule(
        "cross-tenant-trust",
        "Claims of foreign tenants are believed or not",
        BOTH,
        "T1556.006",
        trust_moved,
        SENTINEL,
    ),
    Rule(
        "cross-tenant-consent",
        "People are asked before they are shared, or not",
        BOTH,
        TECHNIQUE,
        consent_skipped,
    ),
    Rule(
        "cross-tenant-provider",
        "A foreign tenant manages this one, or the reverse",
        BOTH,
        "T1199",
        watching(SERVICE_PROVIDER, whole_life=True),
    ),
    Rule(
        "cross-tenant-clouds",
        "Which other clouds may be dealt with changed",
        ("crossTenantAccessPolicy",),
        TECHNIQUE,
        watching(
            (
                Members(
                    "allowedCloudEndpoints",
                    "the other clouds whose tenants are dealt with",
                    Severity.MEDIUM,
                    effect="Tenants of that cloud can be let in",
                ),
            )
        ),
    ),
    Rule(
        "cross-tenant-sync",
        "A foreign tenant may create accounts",
        (SYNC,),
        "T1136.003",
        watching(SYNC_SETTINGS, whole_life=True),
    ),
    lives(
        "cross-tenant-partner",
        "A foreign tenant got settings of its own, or lost them",
        TECHNIQUE,
        {
            PARTNER: Life(
                created=opens(Severity.MEDIUM, "The tenant is treated by rules of its own from now on"),
                deleted=closes("The default holds for the tenant again"),
            ),
        },
        ("Sentinel: Cross-tenant Access Settings Organization Added / Deleted",),
    ),
    Rule(
        "cross-tenant-default-reset",
        "The default for foreign tenants was reset",
        (DEFAULT,),
        TECHNIQUE,
        default_reset,
    ),
)
