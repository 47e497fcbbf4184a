"""The engine: highest finding wins, a reason is always there, and nothing depends on order."""

from importlib import resources

import pytest

from changes.severity import reference
from changes.severity.docs_page import markdown
from changes.severity.engine import grade
from changes.severity.model import Direction, InvalidContext, MappingContext, Severity, Subject
from changes.severity.rules import all_rules, rules_for
from tests.changes.severity.test_conditional_access import ADMINS, EVERYBODY, state, users


def test_severities_compare_by_weight_and_not_by_letter() -> None:
    assert sorted(Severity, reverse=True) == [
        Severity.CRITICAL,
        Severity.HIGH,
        Severity.MEDIUM,
        Severity.LOW,
        Severity.INFORMATIONAL,
    ]
    assert max(Severity.CRITICAL, Severity.LOW) is Severity.CRITICAL
    assert Severity.CRITICAL >= Severity.HIGH > Severity.MEDIUM
    assert Severity.LOW <= Severity.LOW < Severity.MEDIUM


def test_raising_and_lowering_stop_at_the_ends() -> None:
    assert Severity.CRITICAL.raised() is Severity.CRITICAL
    assert Severity.INFORMATIONAL.lowered(3) is Severity.INFORMATIONAL
    assert Severity.MEDIUM.raised() is Severity.HIGH
    assert Severity.MEDIUM.lowered() is Severity.LOW


def test_nothing_that_differs_is_informational() -> None:
    verdict = grade(Subject("conditionalAccessPolicy", "p", ADMINS, dict(ADMINS)))
    assert (verdict.severity, verdict.direction) == (Severity.INFORMATIONAL, Direction.NEUTRAL)
    assert verdict.findings[0].rule == "unchanged"


@pytest.mark.parametrize(
    ("before", "after", "severity", "rule"),
    [
        ({"displayName": "a"}, {"displayName": "b"}, "informational", "wording-only"),
        ({"displayName": "a"}, {"displayName": "a", "description": "x"}, "informational", "wording-only"),
        ({"displayName": "a"}, {"displayName": "a", "mailEnabled": True}, "low", "no-security-rule"),
        (None, {"displayName": "a"}, "low", "no-security-rule"),
        ({"displayName": "a"}, None, "low", "no-security-rule"),
    ],
)
def test_a_change_that_no_rule_knows_still_has_a_reason(
    before: dict[str, object] | None, after: dict[str, object] | None, severity: str, rule: str
) -> None:
    verdict = grade(Subject("somethingElse", "id", before, after))
    assert (verdict.severity, verdict.findings[0].rule) == (severity, rule)
    assert verdict.findings[0].reason


def test_the_highest_finding_wins_and_all_are_kept() -> None:
    both = state(users(ADMINS, excludeUsers=["eve"]), "disabled")
    verdict = grade(Subject("conditionalAccessPolicy", "p", ADMINS, both))
    assert verdict.severity is Severity.CRITICAL
    assert {"ca-policy-disabled", "ca-people-excluded"} <= {finding.rule for finding in verdict.findings}
    assert list(verdict.findings) == sorted(verdict.findings, key=lambda found: -found.severity.weight)


def test_the_order_of_sets_and_keys_changes_no_verdict() -> None:
    before = users(EVERYBODY, excludeUsers=["a", "b"])
    after = users(EVERYBODY, excludeUsers=["a", "b", "c", "d", "e", "f"])
    reordered = dict(reversed(users(EVERYBODY, excludeUsers=["f", "d", "b", "e", "c", "a"]).items()))
    assert grade(Subject("conditionalAccessPolicy", "p", before, after)) == grade(
        Subject("conditionalAccessPolicy", "p", before, reordered)
    )


def test_a_context_is_read_from_json_whatever_the_letter_case_of_ids() -> None:
    context = MappingContext.from_json(
        {"before": {"group": {"ABC": {"displayName": "Old"}}}, "principals": {"Eve": {"name": "Eve"}}}
    )
    assert context.get("before", "group", "abc") == {"displayName": "Old"}
    assert context.get("after", "group", "abc") is None
    facts = context.principal("EVE")
    assert facts is not None
    assert (facts.name, facts.is_guest) == ("Eve", False)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ([], "the context must be a JSON object, not list"),
        ({"later": {}}, "unknown keys: later"),
        ({"before": {"group": []}}, "before.group must be a JSON object"),
        ({"principals": {"eve": "x"}}, "principals.eve must be a JSON object"),
    ],
)
def test_a_context_of_another_shape_is_refused_with_a_sentence(data: object, message: str) -> None:
    with pytest.raises(InvalidContext, match=message):
        MappingContext.from_json(data)


def test_rules_are_found_by_type_and_named_in_one_style() -> None:
    assert "ca-policy-disabled" in {rule.id for rule in rules_for("conditionalAccessPolicy")}
    assert rules_for("nothingOfTheKind") == ()
    for rule in all_rules():
        assert rule.id == rule.id.lower().replace("_", "-")
        assert not rule.technique.startswith("T1562"), "retired in ATT&CK v19"


def test_the_page_of_rules_lists_each_rule_once() -> None:
    page = markdown()
    assert all(page.count(f"`{rule.id}`") == 1 for rule in all_rules())


def test_each_table_of_facts_states_its_public_sources() -> None:
    tables = list((resources.files("changes.severity") / "data").iterdir())
    assert len(tables) == 6
    assert all('"sources": [' in table.read_text(encoding="utf-8") for table in tables)


def test_the_facts_that_decide_an_incident_are_in_the_tables() -> None:
    graph = reference.APP_PERMISSIONS[reference.GRAPH]
    assert graph["e2a3a72e-5f79-4c64-b1b1-878b674786c9"].name == "Mail.ReadWrite"
    assert graph["e2a3a72e-5f79-4c64-b1b1-878b674786c9"].severity is Severity.HIGH
    assert graph["9e3f62cf-ca93-4989-b6ce-bf83c28f9fe8"].severity is Severity.CRITICAL
    assert reference.ROLES["62e90394-69f5-4237-9190-012177145e10"].direct
    assert not reference.privileged("d29b2b05-8046-44ba-8758-1e26182fcf32")
    assert {"sms", "voice", "email", "qrcodepin"} == reference.WEAK_METHODS
