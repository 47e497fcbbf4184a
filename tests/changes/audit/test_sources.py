"""Every log is read by its own cursor over HTTPS: none stops another, nothing is kept twice, late events are found."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from changes import selectors
from changes.attribution import linking
from changes.audit.collect import Ingested, ingest
from changes.audit.records import as_received
from changes.audit.sources import BY_KEY
from changes.detection.detect import detect
from changes.models import AuditCursor, AuditEvent, Change
from snapshots.collection import capture
from tests.changes.audit.conftest import AUDIT_DELAY, BUCHAREST, World

ARM = "https://management.azure.com"
COMPLIANCE = "/deviceManagement/deviceCompliancePolicies"
NETWORK = "providers/Microsoft.Network/networkSecurityGroups"
PATHS = {
    "directoryAudit": "auditLogs/directoryAudits",
    "attributeAudit": "auditLogs/customSecurityAttributeAudits",
    "intuneAudit": "deviceManagement/auditEvents",
    "azureActivity": "eventtypes/management/values",
    "signIn": "auditLogs/signIns",
}


@pytest.fixture
def busy(world: World) -> World:
    """A tenant in whose every log something stands."""
    world.tenant.subscriptions = list(world.info.subscriptions)
    world.tenant.save()
    _directory(world)
    _attributes(world)
    _intune(world)
    _azure(world)
    return world


def _directory(world: World) -> None:
    send = world.sign_in()
    location = send("GET", "/identity/conditionalAccess/namedLocations")["value"][0]
    body = {"@odata.type": location["@odata.type"], "displayName": "Renamed"}
    send("PATCH", f"/identity/conditionalAccess/namedLocations/{location['id']}", body)


def _attributes(world: World) -> None:
    send = world.sign_in_as_app(world.info.writer)
    found = send("GET", "/directory/attributeSets")["value"][0]
    send("PATCH", f"/directory/attributeSets/{found['id']}", {"description": "Planted"})


def _intune(world: World) -> None:
    send = world.sign_in()
    policy = send("GET", COMPLIANCE)["value"][0]
    send(
        "PATCH",
        f"{COMPLIANCE}/{policy['id']}",
        {"@odata.type": policy["@odata.type"], "displayName": "Renamed"},
    )


def _azure(world: World, send: Callable[..., Any] | None = None) -> None:
    send = send or world.sign_in_as_app(world.info.writer, to=ARM)
    version = "?api-version=2023-09-01"
    subscription = f"/subscriptions/{world.info.subscriptions[0]}"
    found = send("GET", f"{subscription}/{NETWORK}{version}")["value"][0]
    send("PATCH", f"{found['id']}{version}", {"tags": {"planted": "yes"}})


def _ingest(world: World, *, after: timedelta = timedelta(0)) -> Ingested:
    return ingest(world.tenant, world.client, now=world.clock.pass_by(after))


def _kept(world: World) -> dict[str, int]:
    sources = AuditEvent.objects.filter(tenant=world.tenant).values_list("source", flat=True)
    return {key: list(sources).count(key) for key in BY_KEY}


def test_every_log_is_kept_with_who_did_it(busy: World) -> None:
    found = _ingest(busy, after=AUDIT_DELAY)
    assert (found.events, found.error) == (4, "")
    assert _kept(busy) == dict.fromkeys(BY_KEY, 1)
    person, app = busy.info.admins[0].user_principal_name, busy.info.writer.client_id
    events = {event.source: event for event in AuditEvent.objects.filter(tenant=busy.tenant)}
    assert (events["intuneAudit"].actor_type, events["intuneAudit"].actor_name) == ("user", person)
    assert (events["azureActivity"].actor_type, events["azureActivity"].actor_app_id) == ("application", app)
    assert events["attributeAudit"].actor_app_id == app
    assert (events["directoryAudit"].actor_name, events["directoryAudit"].ip) == (person, BUCHAREST)
    for event in events.values():
        assert event.event_id in {as_received(event).get("id"), as_received(event).get("eventDataId")}


def test_reading_every_log_again_changes_nothing(busy: World) -> None:
    _ingest(busy, after=AUDIT_DELAY)
    assert _ingest(busy, after=timedelta(minutes=1)) == Ingested()
    assert _kept(busy) == dict.fromkeys(BY_KEY, 1)


def test_late_events_of_every_log_are_found_by_the_next_read(busy: World) -> None:
    assert _ingest(busy).events == 0
    assert _ingest(busy, after=AUDIT_DELAY).events == 4


@pytest.mark.parametrize("broken", PATHS)
def test_a_log_that_breaks_off_stops_no_other_and_is_made_up_for(busy: World, broken: str) -> None:
    busy.emulator.faults.add("not_json", path=PATHS[broken], times=99)
    found = _ingest(busy, after=AUDIT_DELAY)
    busy.emulator.faults.clear()
    assert found.events == (4 if broken == "signIn" else 3)
    assert found.error.count("was not read") == 1
    cursors = {each.source: each for each in AuditCursor.objects.filter(tenant=busy.tenant)}
    assert {key for key, each in cursors.items() if each.error} == {broken}
    assert {key for key, each in cursors.items() if each.read_until < busy.clock.now} == {broken}
    repeated = _ingest(busy, after=timedelta(minutes=1))
    assert (repeated.events, repeated.error) == (0 if broken == "signIn" else 1, "")


@pytest.mark.parametrize(
    ("path", "status", "code", "message", "said"),
    [
        (
            PATHS["intuneAudit"],
            403,
            "Forbidden",
            "Not allowed.",
            "The reader needs the application permission DeviceManagementApps.Read.All",
        ),
        (
            PATHS["intuneAudit"],
            400,
            "BadRequest",
            "Request not applicable to target tenant.",
            "needs the licence",
        ),
        (PATHS["azureActivity"], 403, "AuthorizationFailed", "No.", "the role Reader on the subscription"),
        (
            PATHS["azureActivity"],
            404,
            "SubscriptionNotFound",
            "No such subscription.",
            "SubscriptionNotFound",
        ),
        (
            PATHS["attributeAudit"],
            403,
            "Forbidden",
            "Not allowed.",
            "The reader needs the application permission CustomSecAttributeAuditLogs.Read.All",
        ),
    ],
)
def test_what_may_not_be_read_is_told_with_what_to_do(
    busy: World, path: str, status: int, code: str, message: str, said: str
) -> None:
    error = {"error": {"code": code, "message": message}}
    busy.emulator.faults.add(path=path, status=status, body=error, times=9)
    found = _ingest(busy, after=AUDIT_DELAY)
    assert found.events == 3
    assert said in found.error
    busy.emulator.faults.clear()
    assert _ingest(busy, after=timedelta(hours=3)).events == 1


def test_each_subscription_has_a_cursor_of_its_own(busy: World) -> None:
    busy.tenant.subscriptions = ["00000000-0000-4000-8000-00000000dead", *busy.info.subscriptions]
    found = _ingest(busy, after=AUDIT_DELAY)
    assert found.events == 4
    assert "of subscription 00000000-0000-4000-8000-00000000dead was not read" in found.error
    cursors = AuditCursor.objects.filter(tenant=busy.tenant, source="azureActivity")
    assert [bool(each.error) for each in cursors] == [True, False]


def test_a_tenant_without_subscriptions_has_no_azure_log(world: World) -> None:
    assert _ingest(world).error == ""
    assert not AuditCursor.objects.filter(source="azureActivity").exists()


def test_what_a_person_does_in_intune_and_azure_is_attributed_to_the_person(world: World) -> None:
    world.tenant.subscriptions = list(world.info.subscriptions)
    world.tenant.save()
    types = ["deviceCompliancePolicy", "networkSecurityGroup"]
    _observe(world, types)
    _intune(world)
    _azure(world, world.sign_in(to=ARM))
    changes = _observe(world, types)
    assert sorted(change.resource_type for change in changes) == types
    _ingest(world, after=AUDIT_DELAY)
    linking.attribute(world.tenant)
    for change in changes:
        found = selectors.best_attribution(change)
        assert found is not None
        assert (found.event.actor_type, found.confidence, found.ours) == ("user", "high", False)
        assert found.event.actor_name == world.info.admins[0].user_principal_name
    azure = selectors.best_attribution(next(each for each in changes if each.resource_type == types[1]))
    assert azure is not None
    assert (azure.event.ip, azure.country, azure.country_source) == (BUCHAREST, "RO", "sign-in")


def _observe(world: World, types: list[str]) -> list[Change]:
    world.clock.catch_up()
    return detect(capture.seal(capture.collect(world.tenant, world.client, types=types), requested_by="test"))
