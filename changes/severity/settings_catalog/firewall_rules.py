"""Rules of the Windows firewall, each a group of settings: which connections a policy lets in, and which it
blocks.

Source: Microsoft's reference of the Firewall CSP (Enabled, Direction, Action/Type: 0 blocks, 1 allows);
setting ids as in published exports of the Settings Catalog. Outbound allow rules are ignored because outbound
traffic is open by default.
"""

from collections.abc import Iterator
from typing import Any

from changes.severity.model import Direction, Severity
from changes.severity.readers import listed, rows
from changes.severity.settings_catalog.instances import setting_values
from changes.severity.settings_catalog.vocabulary import Effect, short_id
from snapshots.catalog.spec import Document

GROUP = "firewall_mdmstore_firewallrules_{firewallrulename}"


def effects(before: Document | None, after: Document | None) -> Iterator[Effect]:
    old, new = set(_rules(before)), set(_rules(after))
    opened = {name for name, action in new - old if action == "allow"}
    closed = {name for name, action in old - new if action == "allow"}
    unblocked = {name for name, action in old - new if action == "block"}
    blocked = {name for name, action in new - old if action == "block"}
    if opened:
        yield Effect(Direction.WEAKENS, Severity.MEDIUM, f"the firewall allows {listed(opened)}")
    if unblocked:
        yield Effect(Direction.WEAKENS, Severity.MEDIUM, f"the firewall no longer blocks {listed(unblocked)}")
    if closed or blocked:
        text = f"the firewall has stricter rules for {listed(closed | blocked)}"
        yield Effect(Direction.STRENGTHENS, Severity.LOW, text)


def _rules(document: Document | None) -> Iterator[tuple[str, str]]:
    """Names of the enabled rules and their effect, without outbound allow rules."""
    for row in rows(document, "settings"):
        instance = row.get("settingInstance")
        if not isinstance(instance, dict) or short_id(str(instance.get("settingDefinitionId"))) != GROUP:
            continue
        for group in rows(instance, "groupSettingCollectionValue"):
            rule = _values(dict(group))
            action = {"0": "block", "1": "allow"}.get(rule.get("action_type", "1"))
            inbound = rule.get("direction", "in") == "in"
            if action and rule.get("enabled", "1") == "1" and (inbound or action == "block"):
                yield rule.get("name", "a rule without a name"), action


def _values(group: dict[str, Any]) -> dict[str, str]:
    return {
        short_id(name).removeprefix(f"{GROUP}_"): str(values[0])
        for name, values in setting_values(group).items()
        if values
    }
