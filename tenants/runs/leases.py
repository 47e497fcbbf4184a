"""Claiming, heartbeating and finishing durable runs, each by one conditional UPDATE whose row count is
checked.

The queue is notified after the commit, with the run's ID only. Losing or repeating this hint does no harm.
"""

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F, Q
from django.utils import timezone
from django_q.tasks import async_task

from tenants.errors import DomainError, logged
from tenants.models import Run, Tenant
from tenants.runs import processes

logger = logging.getLogger(__name__)

LEASE = timedelta(minutes=10)
MAXIMUM_ATTEMPTS = 3
PULSE_SECONDS = 15.0
"""Minimum interval between heartbeats."""
TASK = "lavawall.tasks.perform"


class LeaseLost(DomainError):
    """Another worker took over the run. The caller must stop without writing."""


@dataclass(frozen=True)
class Lease:
    """The right to work on a run, until it lapses or another worker with a higher fencing token takes it."""

    run: Run
    fencing_token: int


def enqueue(
    tenant: Tenant, kind: Run.Kind, *, requested_by: str, parameters: Mapping[str, Any] | None = None
) -> Run:
    """Creates a queued run and notifies the queue after the commit."""
    run = Run.objects.create(
        tenant=tenant, kind=kind, requested_by=requested_by, parameters=dict(parameters or {})
    )
    transaction.on_commit(lambda: async_task(TASK, run.pk))
    return run


def create(
    tenant: Tenant, kind: Run.Kind, *, requested_by: str, parameters: Mapping[str, Any] | None = None
) -> Run:
    """Creates a run that the caller performs immediately (command line)."""
    return Run.objects.create(
        tenant=tenant, kind=kind, requested_by=requested_by, parameters=dict(parameters or {})
    )


def claim(run_id: int, *, now: datetime | None = None) -> Lease | None:
    """The lease, or None if the run is done, is held by a live worker, or another run of its kind is active.
    The attempt is counted before the work, so that a run that kills its worker is eventually quarantined.
    """
    now = now or timezone.now()
    lapsed = Q(state=Run.State.RUNNING, lease_until__lt=now)
    try:
        with transaction.atomic():
            claimed = (
                Run.objects.filter(pk=run_id)
                .filter(Q(state=Run.State.QUEUED) | lapsed)
                .filter(attempts__lt=MAXIMUM_ATTEMPTS)
                .update(
                    state=Run.State.RUNNING,
                    attempts=F("attempts") + 1,
                    fencing_token=F("fencing_token") + 1,
                    lease_until=now + LEASE,
                    heartbeat_at=now,
                    owner=processes.this_process(),
                )
            )
    except IntegrityError:
        return None
    if not claimed:
        return None
    run = Run.objects.select_related("tenant").get(pk=run_id)
    return Lease(run=run, fencing_token=run.fencing_token)


def heartbeat(lease: Lease) -> None:
    """Extends the lease. Raises LeaseLost."""
    now = timezone.now()
    _update(lease, heartbeat_at=now, lease_until=now + LEASE)


def pulse(lease: Lease, *, clock: Callable[[], float] = time.monotonic) -> Callable[[], None]:
    """Call at every sign of progress, such as each response from Microsoft. Sends a heartbeat from time to
    time.
    """
    last: float | None = None

    def beat() -> None:
        nonlocal last
        now = clock()
        if last is None or now - last >= PULSE_SECONDS:
            heartbeat(lease)
            last = now

    return beat


def still_held(lease: Lease) -> None:
    """Call inside the transaction that makes the work visible. Raises LeaseLost."""
    _update(lease, heartbeat_at=timezone.now())


def finish(lease: Lease, result: Mapping[str, Any]) -> None:
    _update(lease, state=Run.State.SUCCEEDED, result=dict(result), finished_at=timezone.now(), error="")


def fail(lease: Lease, error: str) -> None:
    _update(lease, state=Run.State.FAILED, error=error, finished_at=timezone.now())


@contextmanager
def failing(lease: Lease) -> Iterator[None]:
    """Marks the run as failed if its work raises, and re-raises: a bug as LoggedError, other errors
    unchanged.
    """
    try:
        yield
    except LeaseLost:
        raise
    except Exception as error:
        recorded = (
            error if isinstance(error, DomainError) else logged(error, f"{lease.run.kind} run {lease.run.pk}")
        )
        with suppress(LeaseLost):
            fail(lease, str(recorded))
        raise recorded from error


def withdraw(run: Run) -> None:
    """Ends a queued run that will not be performed."""
    Run.objects.filter(pk=run.pk, state=Run.State.QUEUED).update(
        state=Run.State.FAILED, error="Another run of this kind was active.", finished_at=timezone.now()
    )


def end_orphans(tenant: Tenant, kind: Run.Kind) -> list[int]:
    """Ends running runs of the tenant whose process has provably ended, so that another can start. Returns
    their IDs.
    """
    ended = []
    for run in Run.objects.filter(tenant=tenant, kind=kind, state=Run.State.RUNNING):
        if processes.is_gone(run.owner):
            own = Run.objects.filter(pk=run.pk, state=Run.State.RUNNING, fencing_token=run.fencing_token)
            if own.update(
                state=Run.State.FAILED,
                finished_at=timezone.now(),
                error="The process ended before the run was done. Another run replaced it.",
            ):
                ended.append(run.pk)
    return ended


def reconcile(*, now: datetime | None = None) -> tuple[list[int], list[int]]:
    """Re-enqueues runs whose lease lapsed or whose hint was lost, and quarantines runs that keep failing.
    Returns the IDs of both.
    """
    now = now or timezone.now()
    _release_orphans(now)
    lapsed = Q(state=Run.State.RUNNING, lease_until__lt=now)
    forgotten = Q(state=Run.State.QUEUED, created_at__lt=now - LEASE)
    quarantined, requeued = [], []
    for run in Run.objects.filter(lapsed | forgotten):
        if run.attempts >= MAXIMUM_ATTEMPTS:
            given_up = Run.objects.filter(lapsed, pk=run.pk, fencing_token=run.fencing_token).update(
                state=Run.State.QUARANTINED,
                finished_at=now,
                error=f"Given up after {run.attempts} attempts that ended without a result.",
            )
            if given_up:
                logger.error("run %s quarantined after %s attempts", run.pk, run.attempts)
                quarantined.append(run.pk)
        else:
            async_task(TASK, run.pk)
            requeued.append(run.pk)
    return requeued, quarantined


def _release_orphans(now: datetime) -> None:
    """The lease of a process that has provably ended is ignored."""
    for run in Run.objects.filter(state=Run.State.RUNNING, lease_until__gte=now).exclude(owner=""):
        if processes.is_gone(run.owner):
            Run.objects.filter(pk=run.pk, fencing_token=run.fencing_token).update(
                lease_until=now - timedelta(seconds=1)
            )


def _update(lease: Lease, **values: Any) -> None:
    held = Run.objects.filter(
        pk=lease.run.pk, state=Run.State.RUNNING, fencing_token=lease.fencing_token
    ).update(**values)
    if not held:
        raise LeaseLost(f"Run {lease.run.pk} was taken over by another worker.")
