"""From two sealed states to graded changes: each difference once, none that is only ours."""

from dataclasses import replace
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from changes import selectors
from changes.detection import detect
from changes.diff.structural import shown_diff
from changes.models import Change
from snapshots.catalog import registry
from snapshots.catalog.spec import ResourceType
from snapshots.collection import capture
from snapshots.collection.capture import Outcome
from snapshots.models import Coverage, Snapshot, Version
from snapshots.selectors import compare
from tenants.models import Tenant
from tests.factories.changes import MFA_POLICY_ID, detected, disabled_mfa, mfa_policy
from tests.factories.snapshots import State, collected, take
from tests.factories.tenants import TenantFactory


@pytest.fixture
def tenant(db: None) -> Tenant:
    tenant: Tenant = TenantFactory()
    return tenant


def policies(**overrides: Any) -> State:
    return {"conditionalAccessPolicy": {MFA_POLICY_ID: mfa_policy(**overrides)}}


def detect_in(tenant: Tenant, state: State) -> list[Change]:
    gathered = collected(tenant, state)
    with transaction.atomic():
        return detect.detect(capture.seal(gathered, requested_by="test"))


def redeclare(monkeypatch: pytest.MonkeyPatch, key: str, version: int = 0, **facts: Any) -> ResourceType:
    """The product in another release, by default the next, which declares a type otherwise."""
    now = registry.get(key)
    comparison = replace(now.comparison, version=version or now.comparison.version + 1, **facts)
    spec = replace(now, comparison=comparison)
    declared = tuple(spec if each.key == key else each for each in registry.all_types())
    monkeypatch.setattr(registry, "_declared", lambda: declared)
    monkeypatch.setattr(registry, "_by_key", lambda: {each.key: each for each in declared})
    return spec


def test_an_update_is_recorded_with_both_sides_and_its_grade(tenant: Tenant) -> None:
    change = disabled_mfa(tenant)
    stored = Change.objects.get()
    assert stored == change
    assert (stored.kind, stored.resource_type, stored.resource_id) == (
        "updated",
        "conditionalAccessPolicy",
        MFA_POLICY_ID,
    )
    assert stored.display_name == "Require MFA for administrators"
    assert (stored.severity, stored.direction) == ("critical", "weakens")
    assert len({stored.before_digest, stored.after_digest, ""}) == 3
    findings = list(stored.findings.all())
    assert findings
    assert stored.summary == findings[0].reason


def test_creations_and_deletions_are_told_apart(tenant: Tenant) -> None:
    one = {"namedLocation": {"a": {"displayName": "A"}}}
    other = {"namedLocation": {"b": {"displayName": "B"}}}
    changes = detected(tenant, one, other)
    assert [(change.kind, change.display_name) for change in changes] == [("deleted", "A"), ("created", "B")]
    assert (changes[0].after_digest, changes[1].before_digest) == ("", "")


def test_the_first_snapshot_has_no_changes(tenant: Tenant) -> None:
    assert detect_in(tenant, policies()) == []


def test_an_unchanged_tenant_has_no_changes(tenant: Tenant) -> None:
    assert detected(tenant, policies(), policies(createdDateTime="2024-01-01T00:00:00Z")) == []


def test_the_first_sight_of_a_type_is_no_change(tenant: Tenant) -> None:
    take(tenant, policies())
    with_groups = {**policies(), "group": {"g": {"displayName": "Team"}}}
    assert detect_in(tenant, with_groups) == []
    assert Version.objects.filter(resource_type="group").count() == 1
    assert [change.kind for change in detect_in(tenant, {**policies(), "group": {}})] == ["deleted"]


def test_what_was_not_read_is_neither_deleted_nor_forgotten(tenant: Tenant) -> None:
    take(tenant, {**policies(), "group": {"g": {"displayName": "Team"}}})
    gathered = collected(tenant, policies())
    gathered.outcomes["group"] = Outcome(Coverage.Status.FORBIDDEN, reason="no", remedy="grant")
    with transaction.atomic():
        sealed = capture.seal(gathered, requested_by="test")
        assert detect.detect(sealed) == []
    assert sealed.snapshot.status == "partial"
    assert sealed.snapshot.resource_count == 2
    changed = detect_in(tenant, {**policies(), "group": {"g": {"displayName": "Renamed"}}})
    assert [(change.kind, change.display_name) for change in changed] == [("updated", "Renamed")]


def test_a_change_is_no_older_than_the_last_snapshot_that_read_its_type(tenant: Tenant) -> None:
    first = take(tenant, {**policies(), "group": {"g": {"displayName": "Team"}}}).snapshot
    second = take(tenant, policies()).snapshot
    changes = detect_in(tenant, {**policies(state="disabled"), "group": {"g": {"displayName": "Renamed"}}})
    since = {change.resource_type: change.earliest_at for change in changes}
    assert since == {"conditionalAccessPolicy": second.started_at, "group": first.started_at}
    assert all(change.detected_at >= change.earliest_at for change in changes)


def test_a_new_version_of_a_declaration_is_no_change(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    take(tenant, policies())
    before = registry.get("conditionalAccessPolicy").comparison.version
    after = redeclare(
        monkeypatch, "conditionalAccessPolicy", volatile=("conditions.clientAppTypes",)
    ).comparison.version
    assert detect_in(tenant, policies()) == []
    assert list(Version.objects.order_by("id").values_list("spec_version", flat=True)) == [before, after]


def test_a_real_change_is_seen_through_a_new_version_of_a_declaration(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    take(tenant, policies())
    redeclare(monkeypatch, "conditionalAccessPolicy", volatile=("conditions.clientAppTypes",))
    (change,) = detect_in(tenant, policies(state="disabled"))
    assert change.severity == "critical"


def catalog_policy(*names: str) -> State:
    """Settings whose order by value is the reverse of that by name."""
    settings = [{"settingInstance": {"a": 100 - ord(name), "settingDefinitionId": name}} for name in names]
    return {"deviceManagementConfigurationPolicy": {"p": {"name": "Hardening", "settings": settings}}}


def test_sets_that_an_earlier_release_stored_in_another_order_show_only_what_changed(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as earlier:
        redeclare(earlier, "deviceManagementConfigurationPolicy", version=1, element_keys={})
        first = take(tenant, catalog_policy("c", "a", "b")).snapshot
    second = take(tenant, catalog_policy("c", "a", "b")).snapshot
    assert compare(first, second) == []
    (change,) = detect_in(tenant, catalog_policy("c", "a", "b", "d"))
    documents = selectors.documents_of(change)
    spec = registry.get(change.resource_type)
    assert [each["path"] for each in shown_diff(*documents, spec).patch] == ["/settings/3"]


def test_a_change_across_an_upgrade_shows_only_what_changed(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as earlier:
        redeclare(earlier, "deviceManagementConfigurationPolicy", version=1, element_keys={})
        take(tenant, catalog_policy("c", "a", "b"))
    (change,) = detect_in(tenant, catalog_policy("c", "a", "b", "d"))
    documents = selectors.documents_of(change)
    spec = registry.get(change.resource_type)
    assert [each["path"] for each in shown_diff(*documents, spec).patch] == ["/settings/3"]


def test_sealing_and_detecting_need_a_transaction(committed_db: None) -> None:
    tenant: Tenant = TenantFactory()
    gathered = collected(tenant, policies())
    with pytest.raises(RuntimeError, match="inside the transaction"):
        capture.seal(gathered, requested_by="test")
    with transaction.atomic():
        sealed = capture.seal(gathered, requested_by="test")
    with pytest.raises(RuntimeError, match="inside the transaction"):
        detect.detect(sealed)


def test_the_database_refuses_to_record_a_change_twice(tenant: Tenant) -> None:
    take(tenant, policies())
    gathered = collected(tenant, policies(state="disabled"))
    with transaction.atomic():
        sealed = capture.seal(gathered, requested_by="test")
        detect.detect(sealed)
    with pytest.raises(IntegrityError), transaction.atomic():
        detect.detect(sealed)


def test_long_reasons_are_shortened_to_what_the_table_holds(tenant: Tenant) -> None:
    changes = detected(tenant, policies(), policies(displayName="X" * 390, state="disabled"))
    assert all(len(change.summary) <= detect.TEXT_LENGTH for change in changes)
    long_name = detect._shortened("x" * 600)
    assert len(long_name) == detect.TEXT_LENGTH
    assert long_name.endswith("…")


def test_changes_are_counted_by_severity(tenant: Tenant) -> None:
    assert detect.count_by_severity([disabled_mfa(tenant)]) == {"critical": 1}
    assert detect.count_by_severity([]) == {}


def test_snapshots_of_a_tenant_count_on(tenant: Tenant) -> None:
    for _ in range(3):
        take(tenant, policies())
    numbers = Snapshot.objects.order_by("id").values_list("number", flat=True)
    assert list(numbers) == [1, 2, 3]
