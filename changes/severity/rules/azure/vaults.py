"""Rules on Key Vaults: who reads its secrets, from where, and whether they survive a deletion."""

from collections.abc import Iterator

from changes.severity.declared_settings import (
    Life,
    Setting,
    Watched,
    ladder,
    lives,
    more_protects,
    off_protects,
    on_protects,
    tells,
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
        "what happens to unknown addresses",
        ladder("allow", "deny", missing="allow"),
        Severity.HIGH,
        "Whoever holds a token reads the vault from anywhere",
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
        "what passes the firewall",
        ladder("azureServices", "none", missing="azureServices"),
        Severity.LOW,
        "Microsoft's own services pass",
        READING,
    ),
)
SURVIVAL: tuple[Watched, ...] = (
    Setting(
        "properties/enablePurgeProtection",
        "protection against purging",
        on_protects(),
        Severity.HIGH,
        "Keys and secrets can be destroyed for good",
        DESTROYING,
    ),
    Setting(
        "properties/enableSoftDelete",
        "keeping what is deleted",
        on_protects(missing=True),
        Severity.HIGH,
        "Keys and secrets can be destroyed for good",
        DESTROYING,
    ),
    Setting(
        "properties/softDeleteRetentionInDays",
        "days that deleted things are kept",
        more_protects(DAYS),
        Severity.MEDIUM,
        "There is less time to notice a deletion",
        DESTROYING,
    ),
)
USES: tuple[Watched, ...] = tuple(
    Setting(
        f"properties/{name}", what, off_protects(), Severity.MEDIUM, "It reads secrets of the vault", READING
    )
    for name, what in (
        ("enabledForDeployment", "reading by virtual machines"),
        ("enabledForTemplateDeployment", "reading by deployments"),
        ("enabledForDiskEncryption", "reading by disk encryption"),
    )
)


def _by_policies(document: Document | None) -> bool:
    return document is not None and not is_true(document, "properties", "enableRbacAuthorization")


def _allowed(document: Document | None) -> dict[tuple[str, str], frozenset[str]]:
    """What each principal (with the app it must use) may do."""
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
            idle = "" if in_force else " Roles decide at present, so it waits until that is switched off."
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
            f"The vault {subject.name} no longer asks for Azure roles: its access policies decide.",
        )
    elif before and not after:
        reason = f"Azure roles decide on the vault {subject.name}: its access policies are ignored."
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
        reason = f"{added} more addresses and {len(networks)} more networks reach the vault {subject.name}."
        yield weakens(severity, reason)
    elif removed > 0 or _networks(subject.before) - _networks(subject.after):
        yield strengthens(f"Fewer addresses or networks reach the vault {subject.name}.")


def _networks(document: Document | None) -> frozenset[str]:
    found = rows(document, "properties", "networkAcls", "virtualNetworkRules")
    return frozenset(word(dict(row), "id") for row in found) - {""}


RULES = (
    Rule("vault-policies", "Who may use a vault changed", VAULT, READING, policies_changed, SIGMA),
    Rule("vault-mode", "Roles or access policies decide on a vault", VAULT, READING, mode_switched, SIGMA),
    Rule("vault-network", "From where a vault is reached changed", VAULT, READING, watching(NETWORK), SIGMA),
    Rule(
        "vault-addresses", "Which addresses reach a vault changed", VAULT, READING, addresses_changed, SIGMA
    ),
    Rule(
        "vault-survival",
        "Whether secrets survive a deletion changed",
        VAULT,
        DESTROYING,
        watching(SURVIVAL),
        SIGMA,
    ),
    Rule("vault-uses", "What reads a vault by itself changed", VAULT, READING, watching(USES), SIGMA),
    lives(
        "vault-life",
        "A vault appeared or was deleted",
        DESTROYING,
        {
            VAULT[0]: Life(
                created=tells(Severity.LOW, "It holds nothing yet"),
                deleted=tells(
                    Severity.HIGH, "What was encrypted by its keys cannot be read until it is recovered"
                ),
            )
        },
        SIGMA,
    ),
)
