"""Changes find their actors: in the database alone, and end to end over HTTPS with the emulated cloud."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from changes import selectors, services
from changes.attribution import linking
from changes.attribution.linking import OwnWrites
from changes.audit.collect import ingest
from changes.detection.detect import detect
from changes.models import Attribution, AuditEvent, Change, Resolution, SignIn
from snapshots.collection import capture
from tenants.access.actors import Actor
from tenants.models import Connection, Tenant
from tests.changes.audit import geoip_file
from tests.changes.audit.conftest import AUDIT_DELAY, BUCHAREST, World
from tests.changes.audit.records import (
    ALICE,
    GROUP,
    MALLORY,
    MINUTE,
    NOON,
    POLICY,
    History,
    application,
    modified,
    target,
    user,
)

UPDATE = "Update conditional access policy"
ENABLED = {"displayName": "Require MFA", "state": "enabled"}
DISABLED = {"displayName": "Require MFA", "state": "disabled"}
SWITCHED_OFF = modified("State", "enabled", "disabled")
LATER = NOON + 10 * MINUTE
ALWAYS = OwnWrites(((NOON - timedelta(days=3650), NOON + timedelta(days=3650)),))
"""As if a rollback had been running all the time."""


def expected(change: Change) -> None:
    """Marks the change as one that a rollback made."""
    services.resolve(
        Actor.system("test"),
        tenant=change.tenant,
        kind=Resolution.Kind.EXPECTED,
        rollback=1,
        verified={change.pk: True},
    )


@pytest.fixture
def history(db: None) -> History:
    return History()


@pytest.fixture
def ours(history: History, connect_app: Callable[[Tenant, str], Connection]) -> str:
    """The client id of the application by which we reach the tenant."""
    client_id = "0a0a0a0a-0000-4000-8000-000000000001"
    connect_app(history.tenant, client_id)
    return client_id


def test_a_change_is_linked_to_its_event_with_actor_place_and_reasons(history: History) -> None:
    change = history.change(ENABLED, DISABLED)
    event = history.event("e1", UPDATE, target(POLICY, "Require MFA", SWITCHED_OFF))
    SignIn.objects.create(
        tenant=history.tenant,
        event_id="s1",
        principal_id=ALICE,
        ip=BUCHAREST,
        country="RO",
        occurred_at=NOON - timedelta(hours=3),
    )
    assert linking.attribute(history.tenant, now=LATER) == 1
    found = selectors.best_attribution(change)
    assert found is not None
    assert (found.event, found.confidence, found.ours) == (event, "high", False)
    assert (found.country, found.country_source) == ("RO", "sign-in")
    assert "it modified the changed property" in found.why


def test_a_change_without_an_event_has_no_actor(history: History) -> None:
    change = history.change(ENABLED, DISABLED)
    assert linking.attribute(history.tenant, now=LATER) == 0
    assert selectors.best_attribution(change) is None


def test_attributing_again_adds_nothing(history: History) -> None:
    history.change(ENABLED, DISABLED)
    history.event("e1", UPDATE, target(POLICY))
    assert linking.attribute(history.tenant, now=LATER) == 1
    assert linking.attribute(history.tenant, now=LATER) == 0
    assert Attribution.objects.count() == 1


def test_a_late_event_is_linked_when_it_arrives(history: History) -> None:
    change = history.change(ENABLED, DISABLED)
    history.event("e1", "Label policy", target(POLICY))
    assert linking.attribute(history.tenant, now=LATER) == 1
    first = selectors.best_attribution(change)
    assert first is not None
    assert first.confidence == "low"
    history.event("e2", UPDATE, target(POLICY), initiatedBy=user(MALLORY, "mallory@aurora.example"))
    assert linking.attribute(history.tenant, now=LATER + timedelta(days=3)) == 1
    best = selectors.best_attribution(change)
    assert best is not None
    assert (best.event.event_id, best.confidence) == ("e2", "high")


def test_another_actors_late_event_joins_a_sure_one_within_a_day_and_not_after(history: History) -> None:
    history.change(ENABLED, DISABLED)
    history.event("e1", UPDATE, target(POLICY))
    linking.attribute(history.tenant, now=LATER)
    history.event(
        "e2", UPDATE, target(POLICY, "", SWITCHED_OFF), initiatedBy=user(MALLORY, "mallory@aurora.example")
    )
    assert linking.attribute(history.tenant, now=LATER + timedelta(days=2)) == 0
    assert linking.attribute(history.tenant, now=LATER + timedelta(hours=2)) == 1


def test_two_actors_of_one_change_are_both_kept_and_it_is_said(history: History) -> None:
    change = history.change(ENABLED, DISABLED)
    history.event("e1", UPDATE, target(POLICY))
    history.event(
        "e2", UPDATE, target(POLICY, "", SWITCHED_OFF), initiatedBy=user(MALLORY, "mallory@aurora.example")
    )
    assert linking.attribute(history.tenant, now=LATER) == 2
    links = list(change.attributions.all())
    assert [link.event.event_id for link in links] == ["e2", "e1"]
    assert all("one of 2 matching events by 2 actors" in link.why for link in links)


def test_changes_older_than_two_weeks_are_left_alone_unless_asked_for(history: History) -> None:
    change = history.change(ENABLED, DISABLED)
    history.event("e1", UPDATE, target(POLICY))
    later = LATER + timedelta(days=15)
    assert linking.attribute(history.tenant, now=later) == 0
    assert linking.attribute(history.tenant, [change], now=later) == 1


def test_our_own_applications_writes_are_marked(history: History, ours: str) -> None:
    change = history.change(ENABLED, DISABLED)
    other = history.change({"displayName": "B"}, {"displayName": "C"}, resource_id=GROUP, name="C")
    history.event("e1", UPDATE, target(POLICY), initiatedBy=application(ours.upper()))
    history.event("e2", UPDATE, target(GROUP), initiatedBy=application("another"))
    expected(change)
    assert linking.attribute(history.tenant, own_writes=ALWAYS, now=LATER) == 2
    best = linking.best_for([change, other])
    assert best[change.pk].ours
    assert not best[other.pk].ours


def test_our_application_outside_of_a_rollback_is_somebody_who_uses_it(history: History, ours: str) -> None:
    change = history.change(ENABLED, DISABLED)
    history.event("e1", UPDATE, target(POLICY), initiatedBy=application(ours))
    assert linking.attribute(history.tenant, now=LATER) == 1
    found = selectors.best_attribution(change)
    assert found is not None
    assert (found.ours, found.confidence) == (False, "high")


def test_an_event_of_a_rollback_explains_no_change_that_the_rollback_did_not_make(
    history: History, ours: str
) -> None:
    """Somebody changes the object again right after the rollback, and their own event is still on its way."""
    change = history.change(ENABLED, DISABLED)
    history.event("e1", UPDATE, target(POLICY), initiatedBy=application(ours))
    assert linking.attribute(history.tenant, own_writes=ALWAYS, now=LATER) == 0
    assert selectors.best_attribution(change) is None


def test_a_person_is_never_ours(history: History, ours: str) -> None:
    change = history.change(ENABLED, DISABLED)
    history.event("e1", UPDATE, target(POLICY), initiatedBy=user() | {"app": {"appId": ours}})
    linking.attribute(history.tenant, now=LATER)
    best = selectors.best_attribution(change)
    assert best is not None
    assert not best.ours


def test_another_tenants_events_sign_ins_and_changes_play_no_part(history: History) -> None:
    other = History("Aurora Labs", number=2)
    change, foreign = history.change(ENABLED, DISABLED), other.change(ENABLED, DISABLED)
    other.event("e1", UPDATE, target(POLICY))
    assert linking.attribute(history.tenant, now=LATER) == 0
    assert linking.attribute(history.tenant, [foreign], now=LATER) == 0
    history.event("e1", UPDATE, target(POLICY))
    SignIn.objects.create(
        tenant=other.tenant, event_id="s", principal_id=ALICE, ip=BUCHAREST, country="RO", occurred_at=NOON
    )
    linking.attribute(history.tenant, now=LATER)
    best = selectors.best_attribution(change)
    assert best is not None
    assert best.country == ""


def test_the_geoip_file_of_the_settings_tells_the_country(
    history: History, settings: Settings, tmp_path: Path
) -> None:
    file = geoip_file.write(tmp_path / "country.mmdb", {"198.51.100.0/24": {"country": {"iso_code": "NG"}}})
    settings.LAVAWALL_GEOIP_DB = str(file)
    change = history.change(ENABLED, DISABLED)
    history.event("e1", UPDATE, target(POLICY))
    linking.attribute(history.tenant, now=LATER)
    best = selectors.best_attribution(change)
    assert best is not None
    assert (best.country, best.country_source) == ("NG", "geoip")


def _twin(change: Change, **other: str) -> None:
    columns = [field.attname for field in Change._meta.concrete_fields if not field.primary_key]
    Change.objects.create(**{column: getattr(change, column) for column in columns} | other)


def test_a_type_that_is_no_longer_declared_is_matched_by_id(history: History) -> None:
    change = history.change(ENABLED, DISABLED)
    _twin(change, resource_type="retiredType", resource_id=GROUP)
    history.event("e1", "Update retired thing", target(GROUP))
    assert linking.attribute(history.tenant, now=LATER) == 1


def test_contents_that_are_gone_are_said_and_the_id_still_matches(
    history: History, caplog: pytest.LogCaptureFixture
) -> None:
    _twin(history.change(ENABLED, DISABLED), resource_id=GROUP, before_digest="0" * 64)
    history.event("e1", UPDATE, target(GROUP))
    assert linking.attribute(history.tenant, now=LATER) == 1
    assert "without contents" in caplog.text


def test_the_number_of_queries_does_not_grow_with_the_changes(history: History) -> None:
    def queries(start: int, count: int) -> int:
        for number in range(start, start + count):
            object_id = f"{number:08d}-0000-4000-8000-000000000000"
            history.change(ENABLED, DISABLED, resource_id=object_id)
            history.event(f"e{number}", UPDATE, target(object_id))
        with CaptureQueriesContext(connection) as captured:
            assert linking.attribute(history.tenant, now=LATER) == count
        return len(captured)

    assert queries(0, 2) >= queries(10, 40)


def _observe(world: World) -> list[Change]:
    with transaction.atomic():
        return detect(capture.seal(capture.collect(world.tenant, world.client), requested_by="test"))


def _attack(world: World) -> None:
    """The kinds of change that a stolen administrator's session would make."""
    world.clock.catch_up()
    send = world.sign_in()
    graph = send("GET", "/servicePrincipals?$filter=appId eq '00000003-0000-0000-c000-000000000000'")[
        "value"
    ][0]
    roles = {role["value"]: role["id"] for role in graph["appRoles"]}
    app = send("POST", "/applications", {"displayName": "Mail Helper"})
    principal = send("POST", "/servicePrincipals", {"appId": app["appId"]})["id"]
    for value in ("Mail.ReadWrite", "Files.ReadWrite.All"):
        grant = {"principalId": principal, "resourceId": graph["id"], "appRoleId": roles[value]}
        send("POST", f"/servicePrincipals/{graph['id']}/appRoleAssignedTo", grant)
    consent = {
        "clientId": principal,
        "consentType": "AllPrincipals",
        "resourceId": graph["id"],
        "scope": "Mail.Read",
    }
    send("POST", "/oauth2PermissionGrants", consent)
    administrator = "62e90394-69f5-4237-9190-012177145e10"
    assignment = {"principalId": principal, "roleDefinitionId": administrator, "directoryScopeId": "/"}
    send("POST", "/roleManagement/directory/roleAssignments", assignment)
    methods = "/policies/authenticationMethodsPolicy/authenticationMethodConfigurations/Sms"
    sms = {"@odata.type": "#microsoft.graph.smsAuthenticationMethodConfiguration", "state": "enabled"}
    send("PATCH", methods, sms)
    listed = send("GET", "/identity/conditionalAccess/policies?$top=50")["value"]
    first, second = sorted(each["id"] for each in listed if each["state"] == "enabled")[:2]
    send("PATCH", f"/identity/conditionalAccess/policies/{first}", {"state": "disabled"})
    send("DELETE", f"/identity/conditionalAccess/policies/{second}")
    group = next(
        each["id"] for each in send("GET", "/groups?$top=50")["value"] if not each.get("isAssignableToRole")
    )
    member = {"@odata.id": f"{world.emulator.url}/v1.0/directoryObjects/{principal}"}
    send("POST", f"/groups/{group}/members/$ref", member)
    other = next(each for each in send("GET", "/applications?$top=50")["value"] if each["id"] != app["id"])
    send("POST", f"/applications/{other['id']}/addPassword", {"passwordCredential": {"displayName": "x"}})


def test_everything_that_a_stolen_session_does_is_attributed_to_it_when_the_events_arrive(
    world: World,
) -> None:
    _observe(world)
    _attack(world)
    changes = _observe(world)
    kinds = sorted((change.resource_type, change.kind) for change in changes)
    assert kinds == [
        ("appRoleAssignment", "created"),
        ("appRoleAssignment", "created"),
        ("application", "created"),
        ("application", "updated"),
        ("authenticationMethodConfiguration", "updated"),
        ("conditionalAccessPolicy", "deleted"),
        ("conditionalAccessPolicy", "updated"),
        ("group", "updated"),
        ("oAuth2PermissionGrant", "created"),
        ("servicePrincipal", "created"),
        ("unifiedRoleAssignment", "created"),
    ]
    ingest(world.tenant, world.client, now=world.clock.now)
    assert linking.attribute(world.tenant, now=world.clock.now) == 0

    ingest(world.tenant, world.client, now=world.clock.pass_by(AUDIT_DELAY))
    linking.attribute(world.tenant, now=world.clock.now)
    best = linking.best_for(changes)
    thief = world.info.admins[0].user_principal_name
    said = {
        (
            str(change),
            link.event.actor_name,
            link.event.ip,
            link.country,
            link.country_source,
            link.confidence,
        )
        for change in changes
        if (link := best.get(change.pk))
    }
    assert said == {(str(change), thief, BUCHAREST, "RO", "sign-in", "high") for change in changes}


@pytest.mark.exhaustive("the stolen session shows how events of a whole incident are linked")
def test_each_grant_of_one_consent_is_linked_to_its_own_event(world: World) -> None:
    _observe(world)
    _attack(world)
    changes = [change for change in _observe(world) if change.resource_type == "appRoleAssignment"]
    ingest(world.tenant, world.client, now=world.clock.pass_by(AUDIT_DELAY))
    linking.attribute(world.tenant, now=world.clock.now)
    links = Attribution.objects.filter(change__in=changes)
    assert len({link.event_id for link in links}) == len(links) == len(changes)


def test_what_our_own_writer_does_is_recognised(
    world: World, connect_app: Callable[[Tenant, str], Connection]
) -> None:
    connect_app(world.tenant, world.info.writer.client_id)
    _observe(world)
    world.clock.catch_up()
    send: Callable[..., Any] = world.sign_in_as_app(world.info.writer)
    listed = send("GET", "/identity/conditionalAccess/policies?$top=50")["value"]
    enabled = next(each["id"] for each in listed if each["state"] == "enabled")
    send("PATCH", f"/identity/conditionalAccess/policies/{enabled}", {"state": "disabled"})
    (change,) = _observe(world)
    expected(change)
    ingest(world.tenant, world.client, now=world.clock.pass_by(AUDIT_DELAY))
    linking.attribute(world.tenant, own_writes=ALWAYS, now=world.clock.now)
    best = selectors.best_attribution(change)
    assert best is not None
    assert (best.ours, best.event.actor_type, best.country) == (True, "application", "")
    assert AuditEvent.objects.filter(tenant=world.tenant).count() == 1


@pytest.mark.exhaustive("the stolen session shows how events of a whole incident are linked")
def test_a_deletion_is_the_thiefs_and_its_undoing_ours(
    world: World, connect_app: Callable[[Tenant, str], Connection]
) -> None:
    connect_app(world.tenant, world.info.writer.client_id)
    _observe(world)
    world.clock.catch_up()
    policies = "/identity/conditionalAccess/policies"
    thief = world.sign_in()
    policy = thief("GET", policies)["value"][0]["id"]
    thief("DELETE", f"{policies}/{policy}")
    (deleted,) = _observe(world)
    world.clock.catch_up()
    world.sign_in_as_app(world.info.writer)(
        "POST", f"/identity/conditionalAccess/deletedItems/policies/{policy}/restore"
    )
    (created,) = _observe(world)
    expected(created)
    ingest(world.tenant, world.client, now=world.clock.pass_by(AUDIT_DELAY))
    linking.attribute(world.tenant, own_writes=ALWAYS, now=world.clock.now)
    best = linking.best_for([deleted, created])
    assert {change.kind: best[change.pk].ours for change in (deleted, created)} == {
        "deleted": False,
        "created": True,
    }
    assert {link.confidence for link in best.values()} == {"high"}


@pytest.mark.exhaustive("the stolen session shows how events of a whole incident are linked")
def test_whoever_undoes_a_change_within_minutes_is_not_taken_for_whoever_made_it(
    world: World, connect_app: Callable[[Tenant, str], Connection]
) -> None:
    """The undoing's own event is not there yet, and the thief's is within the clocks' skew of its window."""
    connect_app(world.tenant, world.info.writer.client_id)
    _observe(world)
    world.clock.catch_up()
    policies = "/identity/conditionalAccess/policies"
    thief = world.sign_in()
    policy = next(each["id"] for each in thief("GET", policies)["value"] if each["state"] == "enabled")
    thief("PATCH", f"{policies}/{policy}", {"state": "disabled"})
    (disabled,) = _observe(world)
    ingest(world.tenant, world.client, now=world.clock.pass_by(AUDIT_DELAY))
    linking.attribute(world.tenant, now=world.clock.now)
    assert selectors.best_attribution(disabled) is not None
    world.clock.catch_up()
    world.sign_in_as_app(world.info.writer)("PATCH", f"{policies}/{policy}", {"state": "enabled"})
    (enabled,) = _observe(world)
    expected(enabled)
    linking.attribute(world.tenant, own_writes=ALWAYS, now=world.clock.now)
    assert selectors.best_attribution(enabled) is None
    ingest(world.tenant, world.client, now=world.clock.pass_by(AUDIT_DELAY))
    linking.attribute(world.tenant, own_writes=ALWAYS, now=world.clock.now)
    found = selectors.best_attribution(enabled)
    assert found is not None
    assert found.ours
