"""Rules on app management policies: which credentials and redirect URIs applications may have, and which apps
are exempt.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import inf
from typing import Any

from changes.severity.model import Context, Hit, Rule, Severity, Subject, neutral, strengthens, weakens
from changes.severity.readers import Row, dig, is_true, listed, rows, text, word
from changes.severity.spans import seconds_of
from snapshots.catalog.spec import Document

TENANT, CUSTOM = "tenantAppManagementPolicy", "appManagementPolicy"
BOTH = (TENANT, CUSTOM)
TECHNIQUE = "T1098.001"
SOURCES = ("CISA ScubaGear: MS.AAD.5.1 to 5.7", "Maester: application management policies")
SECTIONS = (
    ("applicationRestrictions",),
    ("servicePrincipalRestrictions",),
    ("restrictions",),
    ("restrictions", "applicationRestrictions"),
)
KINDS = ("passwordCredentials", "keyCredentials")
ADDRESSES = "identifierUris"


@dataclass(frozen=True)
class Restriction:
    """One restriction. A later `since` and a longer `longest` are weaker."""

    longest: float
    since: str
    exempt: frozenset[str]

    def weaker_than(self, other: "Restriction") -> bool:
        gained = self.exempt - other.exempt
        return self.longest > other.longest or self.since > other.since or bool(gained)


def _restrictions(document: Document | None) -> dict[str, Restriction]:
    """The restrictions in force, by section and type; none while the policy is off."""
    if not is_true(document, "isEnabled"):
        return {}
    found: dict[str, Restriction] = {}
    for section in SECTIONS:
        for kind in KINDS:
            for row in rows(document, *section, kind):
                name = text(dict(row), "restrictionType")
                _add(found, f"{section[-1]}: {name or kind}", row)
        addresses = dig(document, *section, ADDRESSES)
        for name, row in addresses.items() if isinstance(addresses, Mapping) else ():
            if isinstance(row, Mapping):
                _add(found, f"{section[-1]}: {name}", row)
    return found


def _add(found: dict[str, Restriction], label: str, row: Row) -> None:
    document = dict(row)
    if word(document, "state") == "disabled":
        return
    longest = seconds_of(text(document, "maxLifetime"))
    found[label] = Restriction(
        longest=inf if longest is None else longest,
        since=text(document, "restrictForAppsCreatedAfterDateTime"),
        exempt=frozenset(_leaves(document.get("excludeActors"))),
    )


def _leaves(value: Any) -> Iterator[str]:
    """All texts at any depth: the exempt actors, in any notation."""
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from [item.casefold()] if isinstance(item, str) else _leaves(item)


def restrictions_eased(subject: Subject, context: Context) -> Iterator[Hit]:  # noqa: ARG001
    before, after = _restrictions(subject.before), _restrictions(subject.after)
    lost = sorted(before.keys() - after.keys())
    eased = sorted(key for key in before.keys() & after.keys() if after[key].weaker_than(before[key]))
    gained = sorted(after.keys() - before.keys())
    firmer = sorted(key for key in before.keys() & after.keys() if before[key].weaker_than(after[key]))
    if lost or eased:
        all_gone = bool(before) and not after and subject.resource_type == TENANT
        yield weakens(
            Severity.HIGH if all_gone else Severity.MEDIUM,
            f"{subject.name} now allows applications more credentials or addresses: {listed(lost + eased)}.",
        )
    elif (gained or firmer) and subject.kind != "created":
        yield strengthens(f"{subject.name} now restricts applications more: {listed(gained + firmer)}.")


def exemption_created(subject: Subject, context: Context) -> Iterator[Hit]:  # noqa: ARG001
    """An app policy replaces the tenant policy for its apps."""
    before, after = _applies_to(subject.before), _applies_to(subject.after)
    gained = after - before
    if subject.kind == "created" and not gained:
        yield neutral(Severity.LOW, f"The policy {subject.name} can replace the tenant's policy for apps.")
    elif gained and not _restrictions(subject.after):
        yield weakens(
            Severity.MEDIUM,
            f"{subject.name} exempts {len(gained)} more apps from the tenant's restrictions.",
        )
    elif gained:
        yield neutral(Severity.LOW, f"{subject.name} now applies to {len(gained)} more apps.")


def _applies_to(document: Document | None) -> frozenset[str]:
    return frozenset(word(dict(row), "id") for row in rows(document, "appliesTo")) - {""}


RULES = (
    Rule(
        "app-restrictions-eased",
        "Restrictions on application credentials changed",
        BOTH,
        TECHNIQUE,
        restrictions_eased,
        SOURCES,
    ),
    Rule(
        "app-restrictions-exempt",
        "Applications were exempted from the tenant's restrictions",
        (CUSTOM,),
        TECHNIQUE,
        exemption_created,
        SOURCES,
    ),
)
