"""Rules on Intune policies that protect devices and apps: policies that are deleted, reach fewer people or
become empty.
"""

from collections.abc import Iterator

from changes.severity.audience import Audience, audience_of
from changes.severity.model import Context, Hit, Rule, Severity, Subject, strengthens, weakens
from changes.severity.readers import dig, listed, short_type, text
from changes.severity.settings_catalog import protections
from snapshots.catalog.spec import Document

COMPLIANCE = ("deviceCompliancePolicy", "deviceManagementCompliancePolicy")
CATALOG = ("deviceManagementConfigurationPolicy",)
CONFIGURATION = (
    "deviceConfiguration",
    *CATALOG,
    "groupPolicyConfiguration",
    "deviceManagementIntent",
    "managedDeviceMobileAppConfiguration",
    "targetedManagedAppConfiguration",
)
APP_PROTECTION = (
    "iosManagedAppProtection",
    "androidManagedAppProtection",
    "windowsManagedAppProtection",
    "mdmWindowsInformationProtectionPolicy",
)
ENROLLMENT = ("deviceEnrollmentConfiguration", "windowsAutopilotDeploymentProfile")
PROTECTING = COMPLIANCE + CONFIGURATION + APP_PROTECTION + ENROLLMENT
ALWAYS_SERIOUS = frozenset({*COMPLIANCE, *APP_PROTECTION, "deviceManagementIntent"})
SECURITY_KINDS = (
    "endpointprotection",
    "endpointsecurity",
    "defender",
    "firewall",
    "bitlocker",
    "filevault",
    "attacksurface",
    "identityprotection",
    "credentialguard",
    "deviceguard",
    "smartscreen",
    "laps",
)
"""Parts of the names of types and template families that contain protections."""
TECHNIQUE = "T1685"
MAESTER = ("Maester MT.1054, MT.1090 to MT.1103",)


def is_security(document: Document | None) -> bool:
    """Whether a policy contains a protection, by its type, template or settings."""
    kinds = (short_type(document), text(document, "templateReference", "templateFamily"))
    named = any(part in kind.casefold() for kind in kinds for part in SECURITY_KINDS)
    return named or any(effect.severity >= Severity.MEDIUM for effect in protections(document))


def _value(subject: Subject) -> Severity:
    """The severity of losing the whole policy."""
    serious = subject.resource_type in ALWAYS_SERIOUS or is_security(subject.before)
    return Severity.HIGH if serious else Severity.MEDIUM


def policy_removed(subject: Subject, context: Context) -> Iterator[Hit]:  # noqa: ARG001
    if subject.kind == "created":
        yield strengthens(f"The policy {subject.name} was created.")
    elif subject.kind == "deleted":
        unused = dig(subject.before, "assignments") == []
        whom = "nobody" if unused else _named(audience_of(subject.before))
        severity = Severity.LOW if unused else _value(subject)
        yield weakens(severity, f"The policy {subject.name} was deleted. It was assigned to {whom}.")


def _named(audience: Audience) -> str:
    return listed(audience.included) or "unknown people"


def reach_changed(subject: Subject, context: Context) -> Iterator[Hit]:  # noqa: ARG001
    if subject.kind != "updated":
        return
    before, after = audience_of(subject.before), audience_of(subject.after)
    lost, gained = after.misses(before), before.misses(after)
    if lost:
        severity = _value(subject) if after.nobody or before.everybody > after.everybody else Severity.MEDIUM
        rest = "nobody" if after.nobody else listed(after.included)
        reason = f"The policy {subject.name} no longer reaches {listed(lost)}; it is assigned to {rest}."
        yield weakens(severity, reason)
    elif gained:
        yield strengthens(f"The policy {subject.name} now also reaches {listed(gained)}.")


RULES = (
    Rule(
        "intune-policy-removed",
        "A policy for devices or apps was created or deleted",
        PROTECTING,
        TECHNIQUE,
        policy_removed,
        MAESTER,
    ),
    Rule(
        "intune-policy-reach",
        "The assignments of a policy changed",
        PROTECTING,
        TECHNIQUE,
        reach_changed,
        MAESTER,
    ),
)
