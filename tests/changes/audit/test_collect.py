"""Reading the logs over HTTPS: overlap, late events, interruptions, and what the tenant does not let us read."""

from datetime import timedelta

import pytest

from changes.audit.collect import Ingested, ingest
from changes.audit.records import as_received
from changes.models import AuditCursor, AuditEvent, SignIn
from tenants.trust.crypto import SealBroken
from tests.changes.audit.conftest import AUDIT_DELAY, BUCHAREST, World

AUDITS = "auditLogs/directoryAudits"
SIGN_INS = "auditLogs/signIns"


def _rename_locations(world: World, times: int = 1) -> None:
    """Events in the tenant: one for each time."""
    send = world.sign_in()
    location = send("GET", "/identity/conditionalAccess/namedLocations")["value"][0]
    for number in range(times):
        body = {"@odata.type": location["@odata.type"], "displayName": f"Renamed {number}"}
        send("PATCH", f"/identity/conditionalAccess/namedLocations/{location['id']}", body)


def _cursor(world: World, source: str = "directoryAudit") -> AuditCursor:
    return AuditCursor.objects.get(tenant=world.tenant, source=source)


def _ingest(world: World, *, after: timedelta = timedelta(0)) -> Ingested:
    return ingest(world.tenant, world.client, now=world.clock.pass_by(after))


def test_both_logs_are_kept_page_by_page_with_the_whole_record_sealed(world: World) -> None:
    _rename_locations(world, times=7)
    assert _ingest(world, after=AUDIT_DELAY) == Ingested(events=7, sign_ins=1)
    event = AuditEvent.objects.filter(tenant=world.tenant).first()
    assert event is not None
    assert event.activity == "Update named location"
    assert event.actor_name == world.info.admins[0].user_principal_name
    assert event.ip == BUCHAREST
    whole = as_received(event)
    assert whole["id"] == event.event_id
    assert whole["targetResources"][0]["modifiedProperties"]
    assert event.event_id.encode() not in bytes(event.sealed)
    assert SignIn.objects.get(tenant=world.tenant).country == "RO"


def test_a_sealed_record_opens_only_as_its_own_events(world: World) -> None:
    _rename_locations(world, times=2)
    _ingest(world, after=AUDIT_DELAY)
    first, second = AuditEvent.objects.filter(tenant=world.tenant)
    first.sealed = second.sealed
    with pytest.raises(SealBroken):
        as_received(first)


def test_reading_twice_keeps_each_event_once(world: World) -> None:
    _rename_locations(world, times=4)
    _ingest(world, after=AUDIT_DELAY)
    assert _ingest(world, after=timedelta(minutes=1)) == Ingested()
    assert AuditEvent.objects.filter(tenant=world.tenant).count() == 4
    assert SignIn.objects.filter(tenant=world.tenant).count() == 1


def test_an_event_that_appears_late_is_found_by_the_next_read(world: World) -> None:
    _rename_locations(world)
    assert _ingest(world) == Ingested()
    assert _ingest(world, after=AUDIT_DELAY) == Ingested(events=1, sign_ins=1)


def test_the_cursor_follows_a_complete_read_and_the_next_one_overlaps_it(world: World) -> None:
    _ingest(world)
    cursor = _cursor(world)
    assert cursor.read_until == world.clock.now
    _rename_locations(world)
    assert _ingest(world, after=timedelta(minutes=100)) == Ingested(events=1, sign_ins=1)
    cursor.refresh_from_db()
    assert cursor.read_until == world.clock.now
    assert cursor.error == ""


def test_a_read_that_breaks_off_leaves_the_cursor_and_is_made_up_for(world: World) -> None:
    _ingest(world)
    before = _cursor(world).read_until
    _rename_locations(world, times=7)
    world.emulator.faults.add("not_json", path=f"{AUDITS}$", times=99)
    result = _ingest(world, after=timedelta(hours=5))
    world.emulator.faults.clear()
    assert "The directory audit log was not read" in result.error
    cursor = _cursor(world)
    assert (cursor.read_until, cursor.error) == (before, result.error)
    assert _ingest(world).events == 7
    assert _cursor(world).error == ""


def test_a_first_read_that_fails_is_said_and_begins_again_at_the_start(world: World) -> None:
    _rename_locations(world)
    world.clock.pass_by(AUDIT_DELAY)
    world.emulator.faults.add("loop", path=AUDITS, times=3)
    assert "refers back to a page" in _ingest(world).error
    assert _ingest(world).events == 1


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("Authentication_MSGraphPermissionMissing", "The application lacks a permission."),
        (
            "Authentication_RequestFromNonPremiumTenantOrB2CTenant",
            "Neither tenant is B2C or tenant doesn't have premium license",
        ),
    ],
)
def test_sign_ins_that_may_not_be_read_stop_nothing_and_are_said(
    world: World, code: str, message: str
) -> None:
    _rename_locations(world)
    world.emulator.faults.add(path=SIGN_INS, status=403, body={"error": {"code": code, "message": message}})
    result = _ingest(world, after=AUDIT_DELAY)
    assert (result.events, result.sign_ins) == (1, 0)
    assert "sign-in log (for countries) was not read" in result.error
    cursor = _cursor(world, "signIn")
    assert (cursor.read_until, cursor.error) == (world.clock.now, result.error)


def test_a_sign_in_log_that_fails_is_read_again(world: World) -> None:
    _rename_locations(world)
    world.emulator.faults.add("html", path=SIGN_INS, status=200, times=99)
    result = _ingest(world, after=AUDIT_DELAY)
    world.emulator.faults.clear()
    assert (result.events, result.sign_ins) == (1, 0)
    assert "The sign-in log (for countries) was not read" in result.error
    assert _ingest(world) == Ingested(sign_ins=1)


def test_a_forbidden_audit_log_is_told_with_what_to_do(world: World) -> None:
    world.emulator.set_permissions(world.info.directory_id, world.info.reader.client_id, ["Policy.Read.All"])
    result = _ingest(world)
    assert "The directory audit log was not read" in result.error
    assert "permission" in result.error


def test_records_without_id_or_time_are_left_out(world: World, caplog: pytest.LogCaptureFixture) -> None:
    page = {"value": [{"id": None}, {"id": "x"}, {"id": "y", "activityDateTime": "2026-03-01T12:00:00Z"}]}
    world.emulator.faults.add(path=AUDITS, status=200, body=page)
    world.emulator.faults.add(path=SIGN_INS, status=200, body={"value": [{"id": "z"}]})
    assert _ingest(world) == Ingested(events=1)
    assert len(caplog.records) == 3
