"""Writes docs/severity-rules.md from the rules in force. Called by the documentation build; decides nothing."""

from changes.severity.model import Rule, Severity
from changes.severity.rules import all_rules
from changes.severity.settings_catalog import DECLARED

LEVELS = {
    Severity.CRITICAL: "one change that gives control of the tenant, or takes MFA from administrators",
    Severity.HIGH: "a weakening that an attacker can use at once for some people or data",
    Severity.MEDIUM: "the attack surface grows, and another control still stands",
    Severity.LOW: "relevant to security, and expected; every tightening",
    Severity.INFORMATIONAL: "names, descriptions and other wording",
}


def markdown() -> str:
    lines = [
        "# Severity rules",
        "",
        "<!-- Generated from changes/severity/rules: edit the rules, not this page. -->",
        "",
        "A rule first decides the direction of a change (weakens, neutral, strengthens), then its severity from",
        "effect and reach. The highest finding gives the change its severity. A change that no rule speaks about",
        "is informational where only wording changed, and low otherwise.",
        "",
        "| severity | meaning |",
        "|---|---|",
        *(f"| {severity} | {meaning} |" for severity, meaning in LEVELS.items()),
        "",
    ]
    by_types: dict[tuple[str, ...], list[Rule]] = {}
    for rule in all_rules():
        by_types.setdefault(rule.resource_types, []).append(rule)
    for types, rules in sorted(by_types.items()):
        lines += [
            f"## {', '.join(types)}",
            "",
            "| rule | what it sees | ATT&CK | follows |",
            "|---|---|---|---|",
            *(_row(rule) for rule in rules),
            "",
        ]
    return "\n".join([*lines, *_settings_catalog()])


def _settings_catalog() -> list[str]:
    """Settings that are not listed have no known meaning."""
    return [
        "## Settings of the Settings Catalog",
        "",
        "The rule on the settings of a policy knows the meaning of these, nested ones included. Everything else is",
        "neutral. A choice is listed from its weakest to its strongest option. The severity is that of turning the",
        "protection off; a loss that leaves some of it, or leaves the device at its own default, is one lower.",
        "",
        "| setting | id, without its prefix | values | severity |",
        "|---|---|---|---|",
        *(f"| {each.what} | `{each.id}` | {each.meaning} | {each.severity} |" for each in DECLARED),
        "",
    ]


def _row(rule: Rule) -> str:
    cells = (f"`{rule.id}`", rule.title, rule.technique or "-", "; ".join(rule.sources) or "-")
    return "| " + " | ".join(cell.replace("|", "/") for cell in cells) + " |"
