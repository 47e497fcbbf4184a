"""Which events explain a change, how surely, and which never do."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from changes.attribution.compared import ChangeFacts, Kind, change_facts
from changes.attribution.matching import Match, choose, confidence_of, score
from changes.diff.structural import diff
from snapshots.catalog import registry
from snapshots.catalog.spec import AuditHints, Document
from tests.changes.audit.records import (
    ALICE,
    BREAK_GLASS,
    CLIENT_SP,
    GRAPH_SP,
    GROUP,
    MAIL_ROLE,
    MALLORY,
    MINUTE,
    NOON,
    POLICY,
    application,
    event,
    modified,
    target,
)

GRANT = {"principalId": CLIENT_SP, "resourceId": GRAPH_SP, "appRoleId": MAIL_ROLE}
ENABLED: Document = {"displayName": "Require MFA", "state": "enabled"}
DISABLED: Document = {"displayName": "Require MFA", "state": "disabled"}


def change(
    before: Document | None,
    after: Document | None,
    *,
    type_key: str = "conditionalAccessPolicy",
    resource_id: str = POLICY,
    name: str = "Require MFA",
) -> tuple[ChangeFacts, AuditHints]:
    spec = registry.get(type_key)
    kind: Kind = "created" if before is None else "deleted" if after is None else "updated"
    facts = change_facts(
        kind=kind,
        resource_id=resource_id,
        display_name=name,
        earliest_at=NOON - 5 * MINUTE,
        detected_at=NOON + 5 * MINUTE,
        documents=(before, after),
        fields=diff(before, after, spec).fields,
        hints=spec.audit,
        log=spec.audit_log,
    )
    return facts, spec.audit


def grant_event(client: str, resource: str, role: str, verb: str = "Add") -> Any:
    values = [modified("AppRole.Id", None, role), modified("ServicePrincipal.ObjectID", None, client)]
    name = "assignment to" if verb == "Add" else "assignment from"
    return event(f"{verb} app role {name} service principal", target(resource, "Microsoft Graph", *values))


def assert_match(found: Match | None, confidence: str) -> Match:
    assert found is not None
    assert found.confidence == confidence, found
    return found


def test_the_event_that_modified_what_changed_is_surest() -> None:
    facts, hints = change(ENABLED, DISABLED)
    old, new = {"state": "enabled"}, {"state": "disabled"}
    exact = event(
        targets_policy := "Update conditional access policy", target(POLICY, "", modified("P", old, new))
    )
    vague = event(targets_policy, target(POLICY))
    best = assert_match(score(facts, exact, hints), "high")
    assert best.score == 100
    assert "it modified the changed property" in best.why
    assert assert_match(score(facts, vague, hints), "high").score < best.score


def test_an_activity_unknown_for_the_type_is_low_and_with_the_changed_property_medium() -> None:
    facts, hints = change(ENABLED, DISABLED)
    assert_match(score(facts, event("Label policy", target(POLICY)), hints), "low")
    reported = event("Label policy", target(POLICY, "", modified("State", "enabled", "disabled")))
    assert_match(score(facts, reported, hints), "medium")


def test_letter_case_of_ids_and_dashes_of_activities_do_not_matter() -> None:
    facts, hints = change(
        {"displayName": "App"}, {"displayName": "Other"}, type_key="application", resource_id=GROUP.upper()
    )
    renamed = event("Update application \N{EN DASH} Certificates and secrets management", target(GROUP))
    assert_match(score(facts, renamed, hints), "high")


def test_a_new_credential_is_recognised_by_the_logs_own_word_for_it() -> None:
    credential = {"keyId": MAIL_ROLE, "displayName": "backdoor"}
    facts, hints = change(
        {"displayName": "App"},
        {"displayName": "App", "passwordCredentials": [credential]},
        type_key="application",
        resource_id=GROUP,
    )
    added = event("Update application", target(GROUP, "App", modified("KeyDescription", [], ["[...]"])))
    assert "it modified the changed property" in assert_match(score(facts, added, hints), "high").why


def test_a_member_is_found_by_either_target() -> None:
    facts, hints = change(
        {"displayName": "Admins"},
        {"displayName": "Admins", "members": [{"id": MALLORY}]},
        type_key="group",
        resource_id=GROUP,
    )
    joined = event("Add member to group", target(MALLORY, "Mallory"), target(GROUP, "Admins"))
    assert "it names the added or removed value" in assert_match(score(facts, joined, hints), "high").why
    other = event("Add member to group", target(ALICE, "Alice"), target(GROUP, "Admins"))
    found, exact = score(facts, other, hints), score(facts, joined, hints)
    assert found is not None
    assert exact is not None
    assert found.score < exact.score
    left = event("Remove member from group", target(MALLORY, "Mallory"), target(GROUP, "Admins"))
    assert "it names the added or removed value" not in assert_match(score(facts, left, hints), "high").why


def test_joining_a_group_does_not_create_it() -> None:
    facts, hints = change(None, {"displayName": "Admins"}, type_key="group", resource_id=GROUP)
    made = score(facts, event("Add group", target(GROUP)), hints)
    joined = score(facts, event("Add member to group", target(MALLORY), target(GROUP)), hints)
    assert made is not None
    assert joined is not None
    assert joined.score < made.score


def test_an_app_role_grant_is_found_by_its_resource_and_client() -> None:
    facts, hints = change(None, GRANT, type_key="appRoleAssignment", resource_id="opaque")
    assert assert_match(score(facts, grant_event(CLIENT_SP, GRAPH_SP, MAIL_ROLE), hints), "high").score == 100


def test_consent_alone_explains_a_grant_with_less_confidence() -> None:
    facts, hints = change(None, GRANT, type_key="appRoleAssignment", resource_id="opaque")
    consent = event("Consent to application", target(CLIENT_SP, "Mail Helper"))
    assert_match(score(facts, consent, hints), "medium")


def test_another_clients_grant_on_the_same_resource_is_no_match() -> None:
    facts, hints = change(None, GRANT, type_key="appRoleAssignment", resource_id="opaque")
    assert score(facts, grant_event(BREAK_GLASS, GRAPH_SP, MAIL_ROLE), hints) is None


def test_another_role_for_the_same_client_is_dropped_once_the_own_event_is_there() -> None:
    facts, hints = change(None, GRANT, type_key="appRoleAssignment", resource_id="opaque")
    events = {
        "own": grant_event(CLIENT_SP, GRAPH_SP, MAIL_ROLE),
        "other": grant_event(CLIENT_SP, GRAPH_SP, BREAK_GLASS),
    }
    found = [(match, name) for name, each in events.items() if (match := score(facts, each, hints))]
    assert [name for _, name in choose(found)] == ["own"]


def test_taking_a_grant_away_cannot_create_it() -> None:
    facts, hints = change(None, GRANT, type_key="appRoleAssignment", resource_id="opaque")
    assert score(facts, grant_event(CLIENT_SP, GRAPH_SP, MAIL_ROLE, "Remove"), hints) is None


def test_a_role_assignment_is_found_by_principal_and_role_template() -> None:
    facts, hints = change(
        None,
        {"principalId": CLIENT_SP, "roleDefinitionId": MAIL_ROLE},
        type_key="unifiedRoleAssignment",
        resource_id="opaque",
    )
    role = modified("Role.TemplateId", None, MAIL_ROLE)
    assert_match(score(facts, event("Add member to role", target(CLIENT_SP, "App", role)), hints), "high")
    assert score(facts, event("Add member to role", target(MALLORY, "Mallory", role)), hints) is None


def test_an_assignment_that_went_with_its_principal_is_low() -> None:
    facts, hints = change(
        {"principalId": ALICE, "roleDefinitionId": MAIL_ROLE},
        None,
        type_key="unifiedRoleAssignment",
        resource_id="opaque",
    )
    assert_match(score(facts, event("Delete user", target(ALICE, "Alice")), hints), "low")
    assert score(facts, event("Update user", target(ALICE, "Alice")), hints) is None


def test_a_name_without_an_id_is_medium_and_a_namesake_low() -> None:
    facts, hints = change(ENABLED, None)
    assert_match(
        score(facts, event("Delete conditional access policy", target(None, "require mfa")), hints), "medium"
    )
    namesake = event("Delete conditional access policy", target(GROUP, "Require MFA"))
    assert_match(score(facts, namesake, hints), "low")
    assert score(facts, event("Add conditional access policy", target(GROUP, "Require MFA")), hints) is None


METHODS = "Authentication Methods Policy Update"


def sms() -> tuple[ChangeFacts, AuditHints]:
    return change(
        {"state": "disabled"},
        {"state": "enabled"},
        type_key="authenticationMethodConfiguration",
        resource_id="Sms",
        name="Sms",
    )


def methods(before: str, after: str, method: str) -> dict[str, Any]:
    old = {"configurations": [{"id": method, "state": before}]}
    return modified("AuthenticationMethodsPolicy", old, {"configurations": [{"id": method, "state": after}]})


def test_a_part_of_the_tenants_one_policy_is_found_by_the_element_that_differs() -> None:
    facts, hints = sms()
    own = event(METHODS, target(POLICY, "Policy", methods("disabled", "enabled", "Sms")))
    assert_match(score(facts, own, hints), "high")
    assert_match(score(facts, event(METHODS, target(POLICY, "Policy")), hints), "medium")
    other = event(METHODS, target(POLICY, "Policy", methods("disabled", "enabled", "Voice")))
    assert score(facts, other, hints) is None


def test_a_service_of_microsoft_that_acts_for_somebody_ranks_below_the_person() -> None:
    facts, hints = change(ENABLED, DISABLED)
    person = score(facts, event("Update conditional access policy", target(POLICY)), hints)
    service = score(
        facts,
        event("Update conditional access policy", target(POLICY), initiated_by=application("x", "MS-PIM")),
        hints,
    )
    assert person is not None
    assert service is not None
    assert service.score < person.score


def test_a_service_of_microsoft_gives_way_to_the_person_of_the_same_correlation() -> None:
    schedule = {"principalId": CLIENT_SP, "roleDefinitionId": MAIL_ROLE, "directoryScopeId": "/"}
    facts, hints = change(None, schedule, type_key="unifiedRoleEligibilitySchedule", resource_id="opaque")
    both = target(CLIENT_SP, "App"), target(MAIL_ROLE, "Reader")
    pim = application("x", "MS-PIM")
    events = {
        "person": event(
            "Add eligible member to role in PIM completed (permanent)", *both, correlation_id="c"
        ),
        "service": event("Add eligible member to role", *both, initiated_by=pim, correlation_id="c"),
    }
    found = [(match, name) for name, each in events.items() if (match := score(facts, each, hints))]
    assert len(found) == 2
    assert [name for _, name in choose(found)] == ["person"]
    assert [name for _, name in choose(found[1:])] == ["service"]


def test_intunes_log_needs_no_declared_activities() -> None:
    before, after = {"displayName": "Disks", "passwordRequired": True}, {"displayName": "Disks"}
    facts, hints = change(before, after, type_key="deviceCompliancePolicy", name="Disks")
    patch = event("Patch DeviceCompliancePolicy", target(POLICY, "Disks"), log="intuneAudit")
    assert_match(score(facts, patch, hints), "high")
    namesake = event("Add group", target(None, "Disks"))
    created, hints = change(None, after, type_key="deviceCompliancePolicy", name="Disks")
    assert score(created, namesake, hints) is None


def test_an_azure_resource_goes_with_what_it_is_in() -> None:
    vault = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/kv"
    assignment = f"{vault}/providers/Microsoft.Authorization/roleAssignments/a"
    facts, hints = change({"id": assignment}, None, type_key="azureRoleAssignment", resource_id=assignment)
    removed = event("MICROSOFT.KEYVAULT/VAULTS/DELETE", target(vault.upper(), "kv"), log="azureActivity")
    assert_match(score(facts, removed, hints), "medium")
    written = event("Microsoft.KeyVault/vaults/write", target(vault, "kv"), log="azureActivity")
    assert score(facts, written, hints) is None


def test_who_deletes_a_member_takes_it_out_of_its_groups() -> None:
    before = {"displayName": "Staff", "members": [{"id": ALICE}]}
    after: Document = {"displayName": "Staff", "members": []}
    facts, hints = change(before, after, type_key="group", resource_id=GROUP, name="Staff")
    assert_match(score(facts, event("Delete user", target(ALICE, "Alice")), hints), "medium")
    assert score(facts, event("Delete user", target(MALLORY, "Mallory")), hints) is None


def test_a_singleton_is_found_surely_when_the_event_has_its_name() -> None:
    facts, hints = sms()
    assert_match(score(facts, event(METHODS, target(POLICY, "SMS")), hints), "high")


def test_a_restore_is_known_wherever_a_delete_is() -> None:
    facts, hints = change(None, ENABLED)
    assert_match(score(facts, event("Restore conditional access policy", target(POLICY)), hints), "high")


def test_ids_inside_a_declared_list_find_the_event() -> None:
    hints = AuditHints(activities=("assign policy",), targets=("assignments[].groupId",))
    facts = change_facts(
        kind="created",
        resource_id="opaque",
        display_name="",
        earliest_at=NOON,
        detected_at=NOON,
        documents=(None, {"assignments": [{"groupId": GROUP}, {"groupId": 7}]}),
        fields=(),
        hints=hints,
    )
    assert_match(score(facts, event("Assign policy", target(GROUP)), hints), "medium")
    assert score(facts, event("Assign policy", target(ALICE)), hints) is None


@pytest.mark.parametrize("result", ["failure", "timeout", "", "Failure"])
def test_what_did_not_succeed_changed_nothing(result: str) -> None:
    facts, hints = change(ENABLED, DISABLED)
    assert (
        score(facts, event("Update conditional access policy", target(POLICY), result=result), hints) is None
    )


@pytest.mark.parametrize(
    ("minutes", "possible"), [(-10.1, False), (-10, True), (-5, True), (0, True), (10, True), (10.1, False)]
)
def test_only_events_between_the_two_reads_and_five_minutes_around_them_count(
    minutes: float, possible: bool
) -> None:
    facts, hints = change(ENABLED, DISABLED)
    at = NOON + minutes * MINUTE
    found = score(facts, event("Update conditional access policy", target(POLICY), at=at), hints)
    assert (found is not None) is possible


def test_an_event_of_another_object_is_no_match() -> None:
    facts, hints = change(ENABLED, DISABLED)
    foreign = event("Update conditional access policy", target(GROUP, "Require MFA"))
    assert score(facts, foreign, hints) is None


def _match(points: int, at: datetime, *, in_window: bool = True, indirect: bool = False) -> Match:
    confidence = confidence_of(points)
    assert confidence is not None
    return Match(points, confidence, (), at, in_window, indirect)


def test_two_actors_of_one_object_are_both_kept_best_and_then_latest_first() -> None:
    found = [
        (_match(85, NOON), "early"),
        (_match(60, NOON), "less sure"),
        (_match(85, NOON + MINUTE), "late"),
        (_match(40, NOON), "low"),
        (_match(80, NOON - 7 * MINUTE, in_window=False), "before the window"),
    ]
    assert [name for _, name in choose(found)] == ["late", "early", "less sure"]


def test_low_confidence_is_kept_once_and_only_alone() -> None:
    found = [(_match(40, NOON), "first"), (_match(45, NOON), "second")]
    assert [name for _, name in choose(found)] == ["second"]
    assert choose([]) == []


_words = st.sampled_from(
    ["add", "update", "delete", "remove", "member", "to", "group", "policy", "\N{EN DASH}", ""]
)
_ids = st.sampled_from([POLICY, GROUP, ALICE, CLIENT_SP, GRAPH_SP, None])
_targets = st.lists(
    st.builds(target, _ids, st.sampled_from(["Require MFA", "", None]), st.just(modified("State", 1, 2))),
    max_size=3,
)
_changes = st.sampled_from(
    [
        change(ENABLED, DISABLED),
        change(None, ENABLED),
        change(ENABLED, None),
        change(None, GRANT, type_key="appRoleAssignment", resource_id="opaque"),
        sms(),
    ]
)


@given(
    _changes,
    st.lists(_words, max_size=5).map(" ".join)
    | st.sampled_from([METHODS, "Update conditional access policy"]),
    _targets,
    st.integers(-20, 20),
)
def test_a_match_is_always_in_time_graded_by_its_points_and_explained(
    subject: tuple[ChangeFacts, AuditHints], activity: str, targets: list[dict[str, Any]], minutes: int
) -> None:
    facts, hints = subject
    found = score(facts, event(activity, *targets, at=NOON + timedelta(minutes=minutes)), hints)
    if found is not None:
        assert abs(minutes) <= 10
        assert found.in_window == (abs(minutes) <= 5)
        assert 30 <= found.score <= 100
        assert found.confidence == confidence_of(found.score)
        assert found.why
        named = {each["id"] for each in targets}
        if found.confidence == "high" and not found.indirect:
            assert facts.resource_id in named
