"""The tasks of the queue. They take IDs and return nothing; a task may be delivered twice or never."""

import logging

from lavawall import pipeline
from lavawall.processes import schedules, watchdog
from rollbacks import services as rollbacks
from tenants.accounts import sign_in_log
from tenants.errors import DomainError
from tenants.runs import leases

logger = logging.getLogger(__name__)


def perform(run_id: int) -> None:
    """Performs a run, unless another worker holds its lease."""
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
    """The scheduled task: due snapshots, late audit events, lapsed runs, abandoned and expired plans, failed
    sign-ins of the past hour.
    """
    watchdog.saw_tick()
    schedules.enqueue_due()
    leases.reconcile()
    rollbacks.close_abandoned()
    rollbacks.expire_overdue()
    sign_in_log.sum_up()
