"""Rules on key vaults: who can read secrets, from where, and whether they survive a deletion."""

from collections.abc import Iterator

from changes.severity.declared_settings import (
    Life,
    Setting,
    Watched,
    always,
    ladder,
    lives,
    more_protects,
    off_protects,
    on_protects,
    watching,
)
from changes.severity.model import Context, Hit, Rule, Severity, Subject, neutral, strengthens, weakens
from changes.severity.network.address_ranges import AddressSet
from changes.severity.readers import is_true, listed, rows, text, word, words
from changes.severity.surroundings import principal
from snapshots.catalog.spec import Document

VAULT = ("keyVault",)
READING = "T1555.006"
DESTROYING = "T1485"
SIGMA = ("Sigma: Azure Key Vault Modified or Deleted", "Elastic: Azure Key Vault Modified")
AREAS = ("keys", "secrets", "certificates", "storage")
HARMLESS = frozenset({"list", "getissuers", "listissuers", "listsas"})
DAYS = 90.0

NETWORK: tuple[Watched, ...] = (
    Setting(
        "properties/networkAcls/defaultAction",
        "the default for unknown addresses",
        ladder("allow", "deny", missing="allow"),
        Severity.HIGH,
        "Anyone with a token can read the vault from anywhere",
        READING,
    ),
    Setting(
        "properties/publicNetworkAccess",
        "access from public networks",
        ladder(("enabled", "securedByPerimeter"), "disabled", missing="enabled"),
        Severity.HIGH,
        "The vault is reachable from outside its private network",
        READING,
    ),
    Setting(
        "properties/networkAcls/bypass",
        "the firewall bypass",
        ladder("azureServices", "none", missing="azureServices"),
        Severity.LOW,
        "Microsoft's own services can pass the firewall",
        READING,
    ),
)
SURVIVAL: tuple[Watched, ...] = (
    Setting(
        "properties/enablePurgeProtection",
        "purge protection",
        on_protects(),
        Severity.HIGH,
        "Keys and secrets can be permanently destroyed",
        DESTROYING,
    ),
    Setting(
        "properties/enableSoftDelete",
        "soft delete",
        on_protects(missing=True),
        Severity.HIGH,
        "Keys and secrets can be permanently destroyed",
        DESTROYING,
    ),
    Setting(
        "properties/softDeleteRetentionInDays",
        "the soft-delete retention in days",
        more_protects(DAYS),
        Severity.MEDIUM,
        "There is less time to notice a deletion",
        DESTROYING,
    ),
)
USES: tuple[Watched, ...] = tuple(
    Setting(
        f"properties/{name}",
        what,
        off_protects(),
        Severity.MEDIUM,
        "It can read secrets of the vault",
        READING,
    )
    for name, what in (
        ("enabledForDeployment", "access by virtual machines"),
        ("enabledForTemplateDeployment", "access by deployments"),
        ("enabledForDiskEncryption", "access by disk encryption"),
    )
)


def _by_policies(document: Document | None) -> bool:
    return document is not None and not is_true(document, "properties", "enableRbacAuthorization")


def _allowed(document: Document | None) -> dict[tuple[str, str], frozenset[str]]:
    """The permissions of each principal (with the required app)."""
    found: dict[tuple[str, str], frozenset[str]] = {}
    for row in rows(document, "properties", "accessPolicies"):
        policy = dict(row)
        key = word(policy, "objectId"), word(policy, "applicationId")
        doing = {f"{area} {name}" for area in AREAS for name in words(policy, "permissions", area)}
        found[key] = found.get(key, frozenset()) | doing
    return found


def policies_changed(subject: Subject, context: Context) -> Iterator[Hit]:
    if subject.after is None:
        return
    before, after = _allowed(subject.before), _allowed(subject.after)
    in_force = _by_policies(subject.after)
    for key in sorted(before.keys() | after.keys()):
        gained = after.get(key, frozenset()) - before.get(key, frozenset())
        lost = before.get(key, frozenset()) - after.get(key, frozenset())
        name = principal(context, key[0]).name
        if gained:
            reads = any(one.split(" ", 1)[1] not in HARMLESS for one in gained)
            severity = (Severity.HIGH if reads else Severity.MEDIUM) if in_force else Severity.LOW
            idle = "" if in_force else " It has no effect while Azure roles control access."
            yield weakens(severity, f"{name} may use {listed(gained)} of the vault {subject.name}.{idle}")
        elif lost:
            yield strengthens(f"{name} may no longer use {listed(lost)} of the vault {subject.name}.")


def mode_switched(subject: Subject, context: Context) -> Iterator[Hit]:  # noqa: ARG001
    if subject.kind != "updated":
        return
    before, after = _by_policies(subject.before), _by_policies(subject.after)
    if after and not before:
        yield weakens(
            Severity.HIGH,
            f"The vault {subject.name} no longer uses Azure roles: its access policies control access.",
        )
    elif before and not after:
        reason = (
            f"Azure roles now control access to the vault {subject.name}: its access policies are ignored."
        )
        yield neutral(Severity.MEDIUM, reason)


def addresses_changed(subject: Subject, context: Context) -> Iterator[Hit]:  # noqa: ARG001
    if subject.kind != "updated":
        return
    old, new = (
        AddressSet.of(text(dict(row), "value") for row in rows(side, "properties", "networkAcls", "ipRules"))
        for side in (subject.before, subject.after)
    )
    added, removed = new.beyond(old), old.beyond(new)
    networks = _networks(subject.after) - _networks(subject.before)
    if added > 0 or networks:
        severity = Severity.HIGH if new.everything and not old.everything else Severity.MEDIUM
        reason = (
            f"{added} more addresses and {len(networks)} more networks can reach the vault {subject.name}."
        )
        yield weakens(severity, reason)
    elif removed > 0 or _networks(subject.before) - _networks(subject.after):
        yield strengthens(f"Fewer addresses or networks can reach the vault {subject.name}.")


def _networks(document: Document | None) -> frozenset[str]:
    found = rows(document, "properties", "networkAcls", "virtualNetworkRules")
    return frozenset(word(dict(row), "id") for row in found) - {""}


RULES = (
    Rule("vault-policies", "Access policies of a vault changed", VAULT, READING, policies_changed, SIGMA),
    Rule(
        "vault-mode",
        "A vault switched between Azure roles and access policies",
        VAULT,
        READING,
        mode_switched,
        SIGMA,
    ),
    Rule("vault-network", "Network access to a vault changed", VAULT, READING, watching(NETWORK), SIGMA),
    Rule("vault-addresses", "Allowed networks of a vault changed", VAULT, READING, addresses_changed, SIGMA),
    Rule(
        "vault-survival",
        "Deletion protection of a vault changed",
        VAULT,
        DESTROYING,
        watching(SURVIVAL),
        SIGMA,
    ),
    Rule("vault-uses", "Azure services that can read a vault changed", VAULT, READING, watching(USES), SIGMA),
    lives(
        "vault-life",
        "A vault was created or deleted",
        DESTROYING,
        {
            VAULT[0]: Life(
                created=always(Severity.LOW, "It is empty"),
                deleted=always(
                    Severity.HIGH, "Data encrypted with its keys cannot be read until the vault is recovered"
                ),
            )
        },
        SIGMA,
    ),
)
