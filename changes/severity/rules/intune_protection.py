"""Rules on what protects devices and apps in Intune: policies that go, reach fewer people or are emptied."""

from collections.abc import Iterator

from changes.severity.audience import Audience, audience_of
from changes.severity.model import Context, Hit, Rule, Severity, Subject, neutral, strengthens, weakens
from changes.severity.reading import dig, listed, rows, short_type, text, word
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
    "managedAppPolicy",
    "iosManagedAppProtection",
    "androidManagedAppProtection",
    "windowsManagedAppProtection",
    "mdmWindowsInformationProtectionPolicy",
)
ENROLLMENT = ("deviceEnrollmentConfiguration", "windowsAutopilotDeploymentProfile")
PROTECTING = COMPLIANCE + CONFIGURATION + APP_PROTECTION + ENROLLMENT
ALWAYS_SERIOUS = frozenset({*COMPLIANCE, *APP_PROTECTION, "deviceManagementIntent"})
SECURITY_WORDS = (
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
EXEMPTION = "exclu"
"""Excluded paths, processes and extensions: such a setting takes something out of a protection."""
TECHNIQUE = "T1685"
MAESTER = ("Maester MT.1054, MT.1090 to MT.1103",)


def is_security(document: Document | None) -> bool:
    """Whether a policy carries a protection, by its kind, its template or the settings in it."""
    told = [
        short_type(document),
        text(document, "templateReference", "templateFamily"),
        *_definition_ids(document),
    ]
    return any(part in name.casefold() for name in told for part in SECURITY_WORDS)


def _definition_ids(document: Document | None) -> list[str]:
    return [text(dict(row), "settingInstance", "settingDefinitionId") for row in rows(document, "settings")]


def _worth(subject: Subject) -> Severity:
    """How bad it is to lose the whole of the policy."""
    serious = subject.resource_type in ALWAYS_SERIOUS or is_security(subject.before)
    return Severity.HIGH if serious else Severity.MEDIUM


def policy_removed(subject: Subject, context: Context) -> Iterator[Hit]:  # noqa: ARG001
    if subject.kind == "created":
        yield strengthens(f"The policy {subject.name} was created.")
    elif subject.kind == "deleted":
        unused = dig(subject.before, "assignments") == []
        whom = "nobody" if unused else _named(audience_of(subject.before))
        severity = Severity.LOW if unused else _worth(subject)
        yield weakens(severity, f"The policy {subject.name} was deleted. It was assigned to {whom}.")


def _named(audience: Audience) -> str:
    return listed(audience.included) or "people who are not known"


def reach_changed(subject: Subject, context: Context) -> Iterator[Hit]:  # noqa: ARG001
    if subject.kind != "updated":
        return
    before, after = audience_of(subject.before), audience_of(subject.after)
    lost, gained = after.misses(before), before.misses(after)
    if lost:
        severity = _worth(subject) if after.nobody or before.everybody > after.everybody else Severity.MEDIUM
        rest = "nobody" if after.nobody else listed(after.included)
        reason = f"The policy {subject.name} no longer reaches {listed(lost)}; it is assigned to {rest}."
        yield weakens(severity, reason)
    elif gained:
        yield strengthens(f"The policy {subject.name} now also reaches {listed(gained)}.")


def setting_changed(subject: Subject, context: Context) -> Iterator[Hit]:  # noqa: ARG001
    """Settings catalogue: what a policy no longer says, exempts or switches off."""
    if subject.kind != "updated":
        return
    old, new = _instances(subject.before), _instances(subject.after)
    removed = [name for name in old.keys() - new.keys() if _protects(name) and EXEMPTION not in name]
    off = [name for name in old.keys() & new.keys() if _switched_off(name, old[name], new[name])]
    exempt = [name for name in new if EXEMPTION in name and _leaves(new[name]) - _leaves(old.get(name))]
    if off or exempt:
        reason = f"By {subject.name}, a protection is off or exempts more: {listed(off + exempt)}."
        yield weakens(Severity.HIGH, reason)
    elif removed:
        yield weakens(Severity.MEDIUM, f"{subject.name} no longer sets {listed(removed)}.")
    elif old != new:
        changed = [name for name in old | new if old.get(name) != new.get(name)]
        yield neutral(Severity.MEDIUM, f"{subject.name} sets other values: {listed(changed)}.")


def _instances(document: Document | None) -> dict[str, Document]:
    found = (dig(dict(row), "settingInstance") for row in rows(document, "settings"))
    return {
        word(instance, "settingDefinitionId"): instance
        for instance in found
        if isinstance(instance, dict) and word(instance, "settingDefinitionId")
    }


def _protects(name: str) -> bool:
    return any(part in name for part in SECURITY_WORDS)


def _switched_off(name: str, before: Document, after: Document) -> bool:
    """A choice is named by the setting with the chosen number behind it: `…allowrealtimemonitoring_0` is off."""
    was, now = (word(side, "choiceSettingValue", "value") for side in (before, after))
    return _protects(name) and was != now and now.endswith(("_0", "_false")) and bool(was)


def _leaves(value: object) -> frozenset[str]:
    if isinstance(value, dict):
        return frozenset(leaf for item in value.values() for leaf in _leaves(item))
    if isinstance(value, list):
        return frozenset(leaf for item in value for leaf in _leaves(item))
    return frozenset({value.casefold()}) if isinstance(value, str) else frozenset()


RULES = (
    Rule(
        "intune-policy-removed",
        "A policy for devices or apps appeared or went",
        PROTECTING,
        TECHNIQUE,
        policy_removed,
        MAESTER,
    ),
    Rule(
        "intune-policy-reach", "Whom a policy reaches changed", PROTECTING, TECHNIQUE, reach_changed, MAESTER
    ),
    Rule("intune-catalog", "Settings of a policy changed", CATALOG, TECHNIQUE, setting_changed, MAESTER),
)
