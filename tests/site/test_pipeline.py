"""One observation from Microsoft to the timeline, and what is left of it when it dies at any step."""

import threading
from contextlib import closing
from datetime import timedelta
from types import ModuleType
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from django_q.models import OrmQ, Schedule

from changes import integrity
from changes.attribution import linking
from changes.audit import collect as audit
from changes.detection import detect
from changes.models import Change
from lavawall import pipeline, tasks
from lavawall.emulator import Emulator
from lavawall.processes import schedules
from snapshots.collection import capture
from snapshots.models import Blob, Coverage, Snapshot, Version
from snapshots.store import content_store
from tenants.connections import onboarding
from tenants.errors import LoggedError
from tenants.microsoft.connection import SecretCredential
from tenants.microsoft.errors import AuthenticationFailed
from tenants.microsoft.request import Request
from tenants.models import LedgerEntry, Run, Tenant
from tenants.runs import leases
from tenants.trust import ledger
from tests.factories.changes import disabled_mfa
from tests.factories.cloud import OPERATOR, TENANT, connection_of, onboarded
from tests.factories.tenants import TenantFactory

TYPES = ["conditionalAccessPolicy", "namedLocation"]
POLICIES = "/v1.0/identity/conditionalAccess/policies"


class Killed(BaseException):
    """Stands for SIGKILL: no handler of ours takes notice of it."""


@pytest.fixture
def tenant(committed_db: None, emulator: Emulator) -> Tenant:
    return onboarded(emulator)


def queued(tenant: Tenant, kind: Run.Kind = Run.Kind.COLLECT) -> Run:
    return leases.create(tenant, kind, requested_by="test", parameters={"types": TYPES})


def observe(tenant: Tenant) -> pipeline.Observation:
    lease = leases.claim(queued(tenant).pk)
    assert lease is not None
    return pipeline.observe(lease)


def change_something(tenant: Tenant) -> None:
    with closing(onboarding.open_client(tenant, "writer")) as client:
        policy = next(item for item in client.get(POLICIES)["value"] if item["state"] == "enabled")
        client.send(Request("PATCH", f"{POLICIES}/{policy['id']}", body={"state": "disabled"}))


def lapse(run: Run) -> None:
    """Time passes, and the dead worker's lease with it."""
    Run.objects.filter(pk=run.pk).update(lease_until=timezone.now() - timedelta(seconds=1))


def test_an_observation_ends_in_a_snapshot_changes_attributions_and_a_ledger_entry(tenant: Tenant) -> None:
    first = observe(tenant)
    assert first.changes == []
    change_something(tenant)
    second = observe(tenant)
    assert [change.kind for change in second.changes] == ["updated"]
    assert second.attributed == 1
    (reported,) = Change.objects.all()
    assert not reported.attributions.get().ours, "no rollback made it: somebody used our writer"
    run = Run.objects.latest("id")
    assert (run.state, run.error) == ("succeeded", "")
    assert run.result == {"snapshot": second.snapshot.pk, "changes": {reported.severity: 1}}
    assert second.snapshot.run_id == run.pk
    assert LedgerEntry.objects.filter(action=integrity.ACTION).count() == 2
    assert content_store.verify(tenant) == integrity.verify(tenant) == []
    assert ledger.verify() == []


STEPS: list[tuple[ModuleType, str]] = [
    (capture, "collect"),
    (leases, "heartbeat"),
    (leases, "still_held"),
    (capture, "seal"),
    (detect, "detect"),
    (integrity, "facts_of"),
    (ledger, "record"),
]
LATE_STEPS: list[tuple[ModuleType, str]] = [(audit, "ingest"), (linking, "attribute"), (leases, "finish")]


def dying(step: Any, death: type[BaseException], *, before: bool) -> Any:
    def die(*args: Any, **options: Any) -> None:
        if not before:
            step(*args, **options)
        raise death("the injected end")

    return die


@pytest.mark.parametrize("death", [RuntimeError, Killed])
@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
@pytest.mark.parametrize(
    ("module", "name"), STEPS, ids=[f"{module.__name__}.{name}" for module, name in STEPS]
)
def test_a_collection_that_dies_leaves_nothing_visible_and_the_next_finds_each_change_once(
    tenant: Tenant,
    monkeypatch: pytest.MonkeyPatch,
    module: ModuleType,
    name: str,
    before: bool,
    death: type[BaseException],
) -> None:
    observe(tenant)
    change_something(tenant)
    counts = [model.objects.count() for model in (Snapshot, Version, Coverage, Change, LedgerEntry)]
    run = queued(tenant)
    lease = leases.claim(run.pk)
    assert lease is not None
    with monkeypatch.context() as patched, pytest.raises((death, LoggedError)):  # noqa: PT012 - the error must leave the transaction
        patched.setattr(module, name, dying(getattr(module, name), death, before=before))
        pipeline.observe(lease)
    assert [model.objects.count() for model in (Snapshot, Version, Coverage, Change, LedgerEntry)] == counts
    run.refresh_from_db()
    if death is RuntimeError:
        assert run.state == "failed"
        assert run.error.startswith("Internal error ")
        observe(tenant)
    else:
        assert run.state == "running"
        lapse(run)
        tasks.perform(run.pk)
        run.refresh_from_db()
        assert (run.state, run.attempts) == ("succeeded", 2)
    assert [change.kind for change in Change.objects.all()] == ["updated"]
    observe(tenant)
    assert Change.objects.count() == 1
    assert content_store.verify(tenant) == integrity.verify(tenant) == []
    assert ledger.verify() == []


@pytest.mark.parametrize("death", [RuntimeError, Killed])
@pytest.mark.parametrize(
    ("module", "name"), LATE_STEPS, ids=[f"{module.__name__}.{name}" for module, name in LATE_STEPS]
)
def test_a_death_after_sealing_loses_and_repeats_no_change(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch, module: ModuleType, name: str, death: type[BaseException]
) -> None:
    observe(tenant)
    change_something(tenant)
    run = queued(tenant)
    lease = leases.claim(run.pk)
    assert lease is not None
    with monkeypatch.context() as patched, pytest.raises((death, LoggedError)):  # noqa: PT012 - the error must leave the transaction
        patched.setattr(module, name, dying(getattr(module, name), death, before=True))
        pipeline.observe(lease)
    run.refresh_from_db()
    assert run.state == ("failed" if death is RuntimeError else "running")
    if death is Killed:
        lapse(run)
        tasks.perform(run.pk)
    else:
        observe(tenant)
    assert Change.objects.count() == 1
    assert Change.objects.get().attributions.count() == 1


def test_what_a_dead_collection_stored_is_removed_by_the_next(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    observe(tenant)
    stored = Blob.objects.count()
    change_something(tenant)
    with monkeypatch.context() as patched, pytest.raises(LoggedError):  # noqa: PT012 - the error must leave the transaction
        patched.setattr(capture, "seal", dying(capture.seal, RuntimeError, before=True))
        observe(tenant)
    assert Blob.objects.count() == stored + 1
    change_back(tenant)
    observe(tenant)
    assert Blob.objects.count() == stored
    entry = LedgerEntry.objects.get(action="store:tidy")
    assert (entry.tenant_id, entry.detail) == (tenant.pk, {"contents": 1})


def change_back(tenant: Tenant) -> None:
    before = {version.resource_id: version.digest for version in Version.objects.filter(last_snapshot=None)}
    with closing(onboarding.open_client(tenant, "writer")) as client:
        for item in client.get(POLICIES)["value"]:
            if content_store.document(tenant, before[item["id"]])["state"] != item["state"]:
                client.send(Request("PATCH", f"{POLICIES}/{item['id']}", body={"state": "enabled"}))


def test_a_worker_that_lost_its_lease_writes_nothing(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    run = queued(tenant)
    old = leases.claim(run.pk)
    assert old is not None
    lapse(run)
    tasks.perform(run.pk)
    assert Snapshot.objects.count() == 1
    with pytest.raises(leases.LeaseLost):
        pipeline.observe(old)
    assert Snapshot.objects.count() == 1
    assert Run.objects.get().state == "succeeded"


def test_a_wrong_secret_is_a_failed_run_with_the_reason_and_no_snapshot(
    tenant: Tenant, emulator: Emulator
) -> None:
    bad = connection_of(
        emulator, emulator.tenants[TENANT].reader, credential=SecretCredential("not the secret")
    )
    onboarding.connect(OPERATOR, tenant=tenant, purpose="reader", new=bad)
    with pytest.raises(AuthenticationFailed) as caught:
        observe(tenant)
    run = Run.objects.get()
    assert (run.state, run.error) == ("failed", str(caught.value))
    assert "not the secret" not in run.error
    assert not Snapshot.objects.exists()


def test_a_tenant_without_a_reader_is_a_failed_run_with_the_reason(committed_db: None) -> None:
    run = leases.create(TenantFactory(), Run.Kind.COLLECT, requested_by="test")
    tasks.perform(run.pk)
    run.refresh_from_db()
    assert run.state == "failed"
    assert "has no reader connection" in run.error


def test_an_audit_log_that_may_not_be_read_fails_no_collection(tenant: Tenant, emulator: Emulator) -> None:
    emulator.faults.add("answer", path="auditLogs", status=403, times=99)
    observation = observe(tenant)
    assert observation.attributed == 0
    assert Run.objects.get().state == "succeeded"


def test_a_task_delivered_twice_is_done_once(tenant: Tenant) -> None:
    run = queued(tenant)
    for _ in range(3):
        tasks.perform(run.pk)
    tasks.perform(98765)
    assert Snapshot.objects.count() == 1
    run.refresh_from_db()
    assert (run.state, run.attempts) == ("succeeded", 1)


def test_a_failing_task_is_a_failed_run_and_the_worker_lives(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    for kind in (Run.Kind.COLLECT, Run.Kind.ATTRIBUTE):
        run = queued(tenant, kind)
        with monkeypatch.context() as patched:
            patched.setattr(audit, "ingest", dying(audit.ingest, RuntimeError, before=True))
            tasks.perform(run.pk)
        run.refresh_from_db()
        assert run.state == "failed"
        assert run.error.startswith("Internal error ")


def test_late_events_are_attributed_by_a_run_of_its_own(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    observe(tenant)
    change_something(tenant)
    with monkeypatch.context() as patched:
        patched.setattr(pipeline, "attribute", lambda _lease: 0)
        observe(tenant)
    assert not Change.objects.get().attributions.exists()
    run = queued(tenant, Run.Kind.ATTRIBUTE)
    tasks.perform(run.pk)
    run.refresh_from_db()
    assert (run.state, run.result) == ("succeeded", {"attributed": 1})
    assert Change.objects.get().attributions.count() == 1


# The schedule


def with_reader(**facts: Any) -> Tenant:
    tenant: Tenant = TenantFactory(**facts)
    registration = tenant.app_registrations.create(
        name="app",
        client_id=tenant.directory_id,
        credential_kind="secret",
        sealed_credential=b"-",
        fingerprint="-",
    )
    tenant.connections.create(purpose="reader", app_registration=registration)
    return tenant


def ended(tenant: Tenant, ago: timedelta, kind: Run.Kind = Run.Kind.COLLECT) -> Run:
    run = leases.create(tenant, kind, requested_by="test")
    Run.objects.filter(pk=run.pk).update(state=Run.State.SUCCEEDED, created_at=timezone.now() - ago)
    return run


def due() -> list[tuple[str, str]]:
    made = schedules.enqueue_due()
    return [(run.tenant.name, run.kind) for run in Run.objects.filter(pk__in=made).order_by("pk")]


def test_due_tenants_are_enqueued_least_recently_collected_first(db: None) -> None:
    for name, minutes in (("new", None), ("late", 200), ("later", 300), ("fresh", 59)):
        tenant = with_reader(name=name)
        if minutes is not None:
            ended(tenant, timedelta(minutes=minutes))
    assert due() == [("new", "collect"), ("later", "collect"), ("late", "collect")]
    assert due() == []


def test_each_tenant_has_its_own_interval(db: None) -> None:
    ended(with_reader(name="often", snapshot_interval_minutes=5), timedelta(minutes=6))
    ended(with_reader(name="seldom", snapshot_interval_minutes=1440), timedelta(minutes=6))
    assert due() == [("often", "collect")]


def test_inactive_and_unconnected_and_busy_tenants_are_left_alone(db: None) -> None:
    with_reader(name="inactive", is_active=False)
    TenantFactory(name="unconnected")
    leases.claim(leases.create(with_reader(name="busy"), Run.Kind.COLLECT, requested_by="test").pk)
    leases.create(with_reader(name="queued"), Run.Kind.COLLECT, requested_by="test")
    Run.objects.update(created_at=timezone.now() - timedelta(days=1))
    assert due() == []


def test_fresh_changes_without_attribution_are_looked_at_again_every_few_minutes(db: None) -> None:
    tenant = with_reader(name="waiting")
    ended(tenant, timedelta(minutes=10))
    disabled_mfa(tenant)
    assert due() == [("waiting", "attribute")]
    Run.objects.update(state=Run.State.SUCCEEDED)
    assert due() == []
    Run.objects.update(created_at=timezone.now() - schedules.LATE_EVENTS - timedelta(seconds=1))
    assert due() == [("waiting", "attribute")]


def test_the_schedule_table_holds_one_tick_however_often_it_is_installed(db: None) -> None:
    schedules.install()
    schedules.install()
    row = Schedule.objects.get()
    assert (row.func, row.minutes, row.repeats) == (schedules.TICK, 1, -1)


def test_workers_that_start_together_install_one_tick(committed_db: None) -> None:
    together = threading.Barrier(4)

    def start() -> None:
        together.wait()
        try:
            schedules.install()
        finally:
            connection.close()

    workers = [threading.Thread(target=start) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert Schedule.objects.filter(func=schedules.TICK).count() == 1


def test_a_doubled_tick_is_healed(db: None) -> None:
    for _ in range(2):
        Schedule.objects.create(func=schedules.TICK, name="tick", schedule_type=Schedule.MINUTES, minutes=5)
    schedules.install()
    row = Schedule.objects.get(func=schedules.TICK)
    assert (row.minutes, row.repeats) == (1, -1)


def test_every_answer_of_a_long_type_or_log_keeps_the_lease(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between two types nothing is beaten: a type of many pages alone must keep the lease."""
    monkeypatch.setattr(leases, "PULSE_SECONDS", 0.0)
    beats: list[leases.Lease] = []
    monkeypatch.setattr(leases, "heartbeat", beats.append)
    observed = observe(tenant)
    assert len(beats) >= observed.snapshot.requests


def test_a_collection_that_lost_its_lease_stops_at_the_next_answer(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leases, "PULSE_SECONDS", 0.0)
    run = queued(tenant)
    lease = leases.claim(run.pk)
    assert lease is not None
    Run.objects.filter(pk=run.pk).update(fencing_token=9)
    with pytest.raises(leases.LeaseLost):
        pipeline.observe(lease)
    assert not Snapshot.objects.filter(tenant=tenant).exists()


def test_a_tick_enqueues_and_reconciles(committed_db: None) -> None:
    with_reader(name="new")
    forgotten = leases.create(with_reader(name="lost"), Run.Kind.COLLECT, requested_by="test")
    Run.objects.filter(pk=forgotten.pk).update(
        created_at=timezone.now() - leases.LEASE - timedelta(seconds=1)
    )
    tasks.tick()
    hinted = [row.task["args"][0] for row in OrmQ.objects.order_by("id")]
    assert hinted == [Run.objects.get(tenant__name="new").pk, forgotten.pk]
