"""Durable runs: one worker at a time, a lapsed lease is taken over, and what keeps failing is given up."""

import subprocess
import sys
import threading
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection, transaction
from django.utils import timezone
from django_q.models import OrmQ

from tenants.models import Run, Tenant
from tenants.runs import leases, processes
from tenants.runs.leases import LEASE, MAXIMUM_ATTEMPTS, Lease, LeaseLost
from tests.factories.tenants import TenantFactory


@pytest.fixture
def tenant(db: None) -> Tenant:
    tenant: Tenant = TenantFactory()
    return tenant


def queued(tenant: Tenant, kind: Run.Kind = Run.Kind.COLLECT) -> Run:
    return leases.create(tenant, kind, requested_by="test")


def claimed(run: Run, **options: object) -> Lease:
    lease = leases.claim(run.pk, **options)  # type: ignore[arg-type]
    assert lease is not None
    return lease


def after_the_lease() -> dict[str, object]:
    return {"now": timezone.now() + LEASE + timedelta(seconds=1)}


def test_a_claim_counts_the_attempt_before_the_work(tenant: Tenant) -> None:
    run = queued(tenant)
    lease = claimed(run)
    stored = Run.objects.get()
    assert (stored.state, stored.attempts, stored.fencing_token) == ("running", 1, 1)
    assert lease.fencing_token == 1
    assert stored.lease_until is not None
    assert stored.lease_until > timezone.now()


def test_a_held_run_is_not_claimed_again(tenant: Tenant) -> None:
    run = queued(tenant)
    claimed(run)
    assert leases.claim(run.pk) is None
    assert Run.objects.get().attempts == 1


def test_a_run_that_does_not_exist_is_not_claimed(db: None) -> None:
    assert leases.claim(12345) is None


@pytest.mark.parametrize(
    "end", [lambda lease: leases.finish(lease, {"n": 1}), lambda lease: leases.fail(lease, "no")]
)
def test_a_run_that_has_ended_is_not_claimed_again(tenant: Tenant, end: object) -> None:
    run = queued(tenant)
    end(claimed(run))  # type: ignore[operator]
    assert leases.claim(run.pk, **after_the_lease()) is None  # type: ignore[arg-type]


def test_a_lapsed_lease_is_taken_over_and_the_old_worker_must_stop(tenant: Tenant) -> None:
    run = queued(tenant)
    old = claimed(run)
    new = claimed(run, **after_the_lease())
    assert new.fencing_token == old.fencing_token + 1
    with pytest.raises(LeaseLost):
        leases.heartbeat(old)
    with pytest.raises(LeaseLost):
        leases.still_held(old)
    with pytest.raises(LeaseLost):
        leases.finish(old, {})
    with pytest.raises(LeaseLost):
        leases.fail(old, "too late")
    assert Run.objects.get().state == "running"
    leases.finish(new, {"snapshot": 7})
    assert Run.objects.values_list("state", "result", "error").get() == ("succeeded", {"snapshot": 7}, "")


def test_a_heartbeat_extends_the_lease(tenant: Tenant) -> None:
    run = queued(tenant)
    early = timezone.now() - LEASE + timedelta(seconds=60)
    lease = claimed(run, now=early)
    leases.heartbeat(lease)
    assert leases.claim(run.pk, now=early + LEASE + timedelta(seconds=1)) is None


def test_one_run_of_a_kind_per_tenant_is_at_work(tenant: Tenant) -> None:
    first, second = queued(tenant), queued(tenant)
    lease = claimed(first)
    assert leases.claim(second.pk) is None
    assert Run.objects.get(pk=second.pk).state == "queued"
    claimed(queued(tenant, Run.Kind.ATTRIBUTE))
    claimed(queued(TenantFactory()))
    leases.finish(lease, {})
    claimed(second)


def test_a_run_that_keeps_killing_its_worker_is_not_claimed_for_ever(tenant: Tenant) -> None:
    run = queued(tenant)
    now = timezone.now()
    for attempt in range(MAXIMUM_ATTEMPTS):
        assert claimed(run, now=now).run.attempts == attempt + 1
        now += LEASE + timedelta(seconds=1)
    assert leases.claim(run.pk, now=now) is None
    assert leases.reconcile(now=now) == ([], [run.pk])
    stored = Run.objects.get()
    assert stored.state == "quarantined"
    assert stored.error == "Given up after 3 attempts that ended without a result."
    claimed(queued(tenant))


def test_the_reconciler_hints_again_at_what_lapsed_or_was_forgotten_and_at_nothing_else(
    tenant: Tenant,
) -> None:
    later = timezone.now() + LEASE + timedelta(seconds=1)
    lapsed = queued(tenant)
    claimed(lapsed)
    forgotten = queued(tenant)
    ended = queued(TenantFactory())
    leases.finish(claimed(ended), {})
    assert leases.reconcile() == ([], [])
    repeated, quarantined = leases.reconcile(now=later)
    assert sorted(repeated) == [lapsed.pk, forgotten.pk]
    assert quarantined == []
    assert OrmQ.objects.count() == 2


def test_a_run_that_ends_while_the_reconciler_looks_keeps_its_end(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, later = timezone.now(), timezone.now() + LEASE + timedelta(seconds=1)
    worn, other = queued(tenant), queued(TenantFactory())
    Run.objects.filter(pk=worn.pk).update(attempts=MAXIMUM_ATTEMPTS - 1)
    lease = claimed(worn, now=now)
    claimed(other, now=now)
    monkeypatch.setattr(leases, "async_task", lambda *_: leases.finish(lease, {"snapshot": 1}))
    assert leases.reconcile(now=later) == ([other.pk], [])
    assert Run.objects.get(pk=worn.pk).state == "succeeded"


def test_enqueueing_tells_the_queue_only_the_id_and_only_after_the_commit(committed_db: None) -> None:
    tenant: Tenant = TenantFactory()
    with transaction.atomic():
        run = leases.enqueue(tenant, Run.Kind.COLLECT, requested_by="test", parameters={"types": ["group"]})
        assert not OrmQ.objects.exists()
    task = OrmQ.objects.get().task
    assert (task["func"], task["args"], task["kwargs"]) == (leases.TASK, (run.pk,), {})


def test_nothing_is_enqueued_by_a_transaction_that_is_rolled_back(committed_db: None) -> None:
    tenant: Tenant = TenantFactory()
    with pytest.raises(ZeroDivisionError), transaction.atomic():  # noqa: PT012 - the error must leave the transaction
        leases.enqueue(tenant, Run.Kind.COLLECT, requested_by="test")
        raise ZeroDivisionError
    assert not OrmQ.objects.exists()
    assert not Run.objects.exists()


def test_only_a_queued_run_can_be_withdrawn(tenant: Tenant) -> None:
    held = queued(tenant)
    claimed(held)
    waiting = queued(tenant)
    for run in (held, waiting):
        leases.withdraw(run)
    assert Run.objects.get(pk=held.pk).state == "running"
    assert Run.objects.get(pk=waiting.pk).state == "failed"


@pytest.mark.parametrize("same_run", [True, False], ids=["one run", "two runs of a kind"])
def test_of_two_workers_at_once_exactly_one_gets_the_lease(committed_db: None, same_run: bool) -> None:
    tenant: Tenant = TenantFactory()
    first = queued(tenant)
    ids = [first.pk, first.pk if same_run else queued(tenant).pk]
    barrier = threading.Barrier(2)
    claimed_leases: list[Lease | None] = []
    errors: list[Exception] = []

    def work(run_id: int) -> None:
        try:
            barrier.wait(timeout=10)
            claimed_leases.append(leases.claim(run_id))
        except Exception as error:  # noqa: BLE001 - whatever a thread meets must fail the test
            errors.append(error)
        finally:
            connection.close()

    workers = [threading.Thread(target=work, args=(run_id,)) for run_id in ids]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(timeout=60)
    assert errors == []
    assert sorted(lease is None for lease in claimed_leases) == [False, True]
    assert Run.objects.filter(state="running").count() == 1


@pytest.fixture
def gone() -> str:
    """The owner that a process which has ended would have written."""
    done = subprocess.run(
        [sys.executable, "-c", "from tenants.runs.processes import this_process; print(this_process())"],
        cwd=Path(__file__).resolve().parents[2],
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def test_a_claim_says_which_process_holds_it(tenant: Tenant) -> None:
    claimed(queued(tenant))
    assert Run.objects.get().owner == processes.this_process() != ""


def test_a_run_whose_process_is_gone_is_ended_for_whoever_wants_to_begin(tenant: Tenant, gone: str) -> None:
    run = queued(tenant)
    claimed(run)
    Run.objects.update(owner=gone)
    assert leases.claim(queued(tenant).pk) is None

    assert leases.end_orphans(tenant, Run.Kind.COLLECT) == [run.pk]

    assert Run.objects.get(pk=run.pk).state == "failed"
    assert leases.claim(queued(tenant).pk) is not None


@pytest.mark.parametrize("owner", ["", "another-machine/boot/pid:[1]/17@99", "nonsense"])
def test_a_run_whose_process_cannot_be_judged_keeps_its_lease(tenant: Tenant, owner: str) -> None:
    claimed(queued(tenant))
    Run.objects.update(owner=owner)
    assert leases.end_orphans(tenant, Run.Kind.COLLECT) == []
    assert leases.reconcile() == ([], [])


def test_a_living_process_keeps_its_lease(tenant: Tenant) -> None:
    claimed(queued(tenant))
    assert leases.end_orphans(tenant, Run.Kind.COLLECT) == []


def test_a_process_id_that_was_given_to_another_process_is_not_the_owner() -> None:
    here, _, _start = processes.this_process().partition("@")
    assert processes.is_gone(f"{here}@1")


def test_the_reconciler_waits_for_no_lease_of_a_process_that_is_gone(tenant: Tenant, gone: str) -> None:
    run = queued(tenant, Run.Kind.EXECUTE)
    claimed(run)
    Run.objects.update(owner=gone)
    repeated, quarantined = leases.reconcile()
    assert (repeated, quarantined) == ([run.pk], [])
    assert claimed(run).fencing_token == 2


def test_a_pulse_beats_at_once_and_then_only_now_and_then(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    lease, clock, beats = claimed(queued(tenant)), [100.0], list[float]()
    monkeypatch.setattr(leases, "heartbeat", lambda _lease: beats.append(clock[0]))
    pulse = leases.pulse(lease, clock=lambda: clock[0])
    for moment in (100.0, 101.0, 114.9, 115.0, 120.0, 131.0):
        clock[0] = moment
        pulse()
    assert beats == [100.0, 115.0, 131.0]
