"""Every entry point of the queue. Ids in, nothing out; safe to deliver twice or never."""

import logging

from lavawall import pipeline, schedules, watchdog
from rollbacks import services as rollbacks
from tenants.accounts import sign_in_log
from tenants.errors import DomainError
from tenants.runs import leases

logger = logging.getLogger(__name__)


def perform(run_id: int) -> None:
    """Does a run's work, if nobody else holds it."""
    lease = leases.claim(run_id)
    if lease is None:
        return
    try:
        with leases.failing(lease):
            pipeline.perform(lease)
    except leases.LeaseLost:
        logger.warning("run %s was taken over by another worker", run_id)
    except DomainError as error:
        logger.warning("run %s failed: %s", run_id, error)


def tick() -> None:
    """The heart-beat of the schedule: due snapshots, late audit events, lapsed runs, abandoned and overdue plans,
    failed sign-ins of the past hour.
    """
    watchdog.saw_tick()
    schedules.enqueue_due()
    leases.reconcile()
    rollbacks.close_abandoned()
    rollbacks.expire_overdue()
    sign_in_log.sum_up()
