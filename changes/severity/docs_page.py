"""Writes docs/severity-rules.md from the rules in force. Called by the documentation build; decides nothing."""

from changes.severity.model import Rule, Severity
from changes.severity.rules import all_rules
from changes.severity.settings_catalog import DECLARED

LEVELS = {
    Severity.CRITICAL: "a single change that gives control of the tenant, or removes MFA for administrators",
    Severity.HIGH: "a weakening that an attacker can use immediately against some people or data",
    Severity.MEDIUM: "the attack surface grows, but another control still protects",
    Severity.LOW: "relevant to security and usually expected; all tightening",
    Severity.INFORMATIONAL: "names, descriptions and other text",
}


def markdown() -> str:
    lines = [
        "# Severity rules",
        "",
        "<!-- Generated from changes/severity/rules: edit the rules, not this page. -->",
        "",
        "A rule first determines the direction of a change (weakens, neutral, strengthens), then its severity from",
        "effect and reach. The most severe finding determines the severity of the change. A change without findings",
        "is informational if only text changed, and low otherwise.",
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
            "| rule | detects | ATT&CK | based on |",
            "|---|---|---|---|",
            *(_row(rule) for rule in rules),
            "",
        ]
    return "\n".join([*lines, *_settings_catalog()])


def _settings_catalog() -> list[str]:
    """Settings that are not listed have no declared meaning."""
    return [
        "## Settings of the Settings Catalog",
        "",
        "The rule on policy settings knows the meaning of these settings, including nested ones. All others are",
        "neutral. Choices are listed from the weakest to the strongest option. The severity is that of turning the",
        "protection off. A loss that leaves some protection, or the device default, is one level lower.",
        "",
        "| setting | ID without prefix | values | severity |",
        "|---|---|---|---|",
        *(f"| {each.what} | `{each.id}` | {each.meaning} | {each.severity} |" for each in DECLARED),
        "",
    ]


def _row(rule: Rule) -> str:
    cells = (f"`{rule.id}`", rule.title, rule.technique or "-", "; ".join(rule.sources) or "-")
    return "| " + " | ".join(cell.replace("|", "/") for cell in cells) + " |"
