"""Every rule, by the cases of all areas: it speaks where it must, as loudly as it must, and is silent elsewhere."""

import pytest

from changes.severity.engine import grade
from changes.severity.model import Direction, Severity
from changes.severity.rules import all_rules
from tests.changes.severity import (
    test_applications,
    test_authentication,
    test_azure,
    test_conditional_access,
    test_consent_and_tokens,
    test_consents,
    test_cross_tenant,
    test_domains,
    test_groups,
    test_intune,
    test_named_locations,
    test_organization,
    test_privileged_access,
    test_roles,
    test_settings_catalog,
    test_tenant_policies,
)
from tests.changes.severity.casebook import Case

CASES: list[Case] = [
    *test_conditional_access.CASES,
    *test_named_locations.CASES,
    *test_authentication.CASES,
    *test_roles.CASES,
    *test_groups.CASES,
    *test_applications.CASES,
    *test_consents.CASES,
    *test_tenant_policies.CASES,
    *test_cross_tenant.CASES,
    *test_domains.CASES,
    *test_privileged_access.CASES,
    *test_consent_and_tokens.CASES,
    *test_organization.CASES,
    *test_azure.CASES,
    *test_intune.CASES,
    *test_settings_catalog.CASES,
]
SPEAKING = [case for case in CASES if case.severity is not None]
SILENT = [case for case in CASES if case.severity is None]
WEAKENING = [case for case in SPEAKING if case.direction == "weakens" and not case.either_way]


RULES = sorted({case.rule for case in CASES})


def name(case: Case) -> str:
    return f"{case.rule}: {case.title}"


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_speaks_as_loudly_as_its_cases_ask_and_is_silent_elsewhere(rule: str) -> None:
    faults = {case.title: found for case in CASES if case.rule == rule and (found := _fault(case))}
    assert faults == {}


def _fault(case: Case) -> str:
    """What a rule does in a case that it should not do; nothing where all is right."""
    verdict = case.verdict()
    own = [finding for finding in verdict.findings if finding.rule == case.rule]
    said = [(finding.severity.value, finding.direction.value) for finding in own]
    if said != ([(case.severity, case.direction)] if case.severity else []):
        return f"the rule says {said}"
    if any(not finding.reason.endswith(".") for finding in own):
        return f"a reason is no sentence: {[finding.reason for finding in own]}"
    loudest = max((finding.severity for finding in verdict.findings), default=verdict.severity)
    if verdict.severity != loudest or (case.severity and verdict.severity < Severity(case.severity)):
        return f"the verdict is {verdict.severity}, its loudest finding {loudest}"
    return ""


@pytest.mark.parametrize("rule", sorted({case.rule for case in WEAKENING}))
def test_the_reverse_of_a_weakening_does_not_weaken_by_the_same_rule(rule: str) -> None:
    weakened_again = [
        case.title
        for case in WEAKENING
        if case.rule == rule
        for finding in grade(case.swapped, case.surroundings).findings
        if finding.rule == rule and finding.direction is Direction.WEAKENS
    ]
    assert weakened_again == []


def test_tightening_is_never_more_than_low() -> None:
    loud = [
        name(case)
        for case in CASES
        for finding in case.verdict().findings
        if finding.direction is Direction.STRENGTHENS and finding.severity > Severity.LOW
    ]
    assert loud == []


def test_every_rule_has_a_case_in_which_it_speaks_and_one_in_which_it_is_silent() -> None:
    known = {rule.id for rule in all_rules()}
    assert {case.rule for case in SPEAKING} == known
    assert {case.rule for case in SILENT} == known
