"""Where nobody is named for a change, it is said why: by its type's log, and by how far that was read."""

from datetime import timedelta

import pytest

from changes import selectors
from changes.attribution import linking, silence
from changes.audit.sources import BY_KEY, UNREAD
from changes.models import AuditCursor, Change
from snapshots.catalog import registry
from tests.changes.audit.records import NOON, POLICY, History, modified, target

BEFORE = {"displayName": "Require MFA", "state": "enabled"}
AFTER = {"displayName": "Require MFA", "state": "disabled"}
HERE, ELSEWHERE = "5ab50000-0000-4000-8000-000000000001", "5ab50000-0000-4000-8000-000000000002"
GROUP = f"/subscriptions/{HERE}/resourceGroups/rg/providers/Microsoft.Network/networkSecurityGroups/web"


@pytest.fixture
def history(db: None) -> History:
    return History()


def _read(history: History, source: str = "directoryAudit", **facts: object) -> None:
    given = {"read_until": NOON + timedelta(days=1)} | facts
    AuditCursor.objects.create(tenant=history.tenant, source=source, **given)


def _said(change: Change) -> str | None:
    shown = selectors.with_details(Change.objects.filter(pk=change.pk)).get()
    return selectors.as_json([shown])[0]["unattributed_reason"]  # type: ignore[no-any-return]


def test_a_log_that_was_never_read_is_said(history: History) -> None:
    assert _said(history.change(BEFORE, AFTER)) == "The directory audit log has not been read yet."


def test_a_log_that_cannot_be_read_is_said_with_what_to_do(history: History) -> None:
    _read(
        history,
        error="The directory audit log was not read: Microsoft refused. The reader needs a permission.",
    )
    _read(history, "intuneAudit", error="Another log's.")
    assert _said(history.change(BEFORE, AFTER)) == (
        "The directory audit log was not read: Microsoft refused. The reader needs a permission."
    )


def test_events_may_still_come(history: History) -> None:
    _read(history, read_until=NOON)
    assert "are often 5 to 15 minutes late" in (_said(history.change(BEFORE, AFTER)) or "")


def test_an_event_that_never_came_is_said(history: History) -> None:
    _read(history)
    assert _said(history.change(BEFORE, AFTER)) == "No event of the directory audit log matches this change."


def test_nothing_is_said_where_somebody_is_named(history: History) -> None:
    change = history.change(BEFORE, AFTER)
    switched_off = modified("State", "enabled", "disabled")
    history.event("e1", "Update conditional access policy", target(POLICY, "Require MFA", switched_off))
    linking.attribute(history.tenant, [change])
    assert _said(change) is None


def test_another_subscriptions_trouble_says_nothing_of_an_azure_resource(history: History) -> None:
    change = history.change({}, {"name": "web"}, type_key="networkSecurityGroup", resource_id=GROUP)
    _read(history, "azureActivity", subscription=ELSEWHERE, error="Not this one.")
    _read(history, "azureActivity", subscription=HERE)
    assert _said(change) == "No event of the Azure activity log matches this change."


def test_a_type_whose_log_nobody_reads_says_so(history: History) -> None:
    change = history.change({}, {"a": 1}, type_key="adminTodo", resource_id="adminTodo")
    assert silence.reason(change) == UNREAD["unifiedAudit"]


def test_every_types_log_is_read_or_said_to_be_unread() -> None:
    assert {spec.audit_log for spec in registry.all_types()} <= BY_KEY.keys() | UNREAD.keys()
    assert not BY_KEY.keys() & UNREAD.keys()
