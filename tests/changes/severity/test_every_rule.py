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


def name(case: Case) -> str:
    return f"{case.rule}: {case.title}"


@pytest.mark.parametrize("case", SPEAKING, ids=name)
def test_a_rule_speaks_as_loudly_as_it_must(case: Case) -> None:
    findings = [finding for finding in case.verdict().findings if finding.rule == case.rule]
    assert [(finding.severity.value, finding.direction.value) for finding in findings] == [
        (case.severity, case.direction)
    ]
    assert findings[0].reason.endswith(".")


@pytest.mark.parametrize("case", SPEAKING, ids=name)
def test_the_verdict_is_its_loudest_finding(case: Case) -> None:
    verdict = case.verdict()
    assert verdict.severity == max(finding.severity for finding in verdict.findings)
    assert case.severity is not None
    assert verdict.severity >= Severity(case.severity)


@pytest.mark.parametrize("case", SILENT, ids=name)
def test_a_rule_is_silent_where_nothing_of_its_kind_happened(case: Case) -> None:
    assert not [finding for finding in case.verdict().findings if finding.rule == case.rule]


@pytest.mark.parametrize("case", WEAKENING, ids=name)
def test_the_reverse_of_a_weakening_does_not_weaken_by_the_same_rule(case: Case) -> None:
    findings = grade(case.swapped, case.surroundings).findings
    assert not [
        finding
        for finding in findings
        if finding.rule == case.rule and finding.direction is Direction.WEAKENS
    ]


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
