"""What was to end by itself is not brought back past its end."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from rollbacks.planning.model import Target
from rollbacks.selection.expiry import drop_expired
from snapshots.catalog import registry
from snapshots.catalog.spec import Document, EndsByItself, Guards

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def ending(monkeypatch: pytest.MonkeyPatch) -> None:
    spec = registry.get("namedLocation")
    passing = replace(
        spec, restore=replace(spec.restore, guards=Guards(quirks=(EndsByItself("lease.endDateTime"),)))
    )
    monkeypatch.setattr(registry, "get", lambda key: passing if key == spec.key else spec)


def ends(at: datetime) -> Document:
    return {"displayName": "Lent", "lease": {"endDateTime": at.strftime("%Y-%m-%dT%H:%M:%SZ")}}


def test_what_ended_meanwhile_is_wanted_no_more_and_that_is_said() -> None:
    current = drop_expired(NOW, [Target("namedLocation", "1", ends(NOW - timedelta(minutes=1)), "Lent")])
    assert [target.wanted for target in current.targets] == [None]
    (warning,) = current.warnings
    assert "Lent" in warning
    assert "2026-05-04 11:59 UTC" in warning


@pytest.mark.parametrize(
    "document",
    [None, {"displayName": "Kept"}, {"lease": {"endDateTime": "one day"}}, ends(NOW + timedelta(days=1))],
)
def test_what_lasts_is_left_as_it_is(document: Document | None) -> None:
    current = drop_expired(NOW, [Target("namedLocation", "1", document)])
    assert [target.wanted for target in current.targets] == [document]
    assert current.warnings == ()
