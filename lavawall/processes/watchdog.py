"""Keeps a django-q2 cluster working: killing an idle worker can hang the whole cluster. Runs the cluster in
its own process group and restarts it when it ends, or when neither the scheduled task nor a run's heartbeat
was seen for too long.
"""

import logging
import os
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.core.cache import cache
from django.db import DatabaseError, connection
from django.utils import timezone

from lavawall.processes.lifeline import spawn
from tenants.models import Run

logger = logging.getLogger(__name__)

TICK_SEEN = "lavawall:tick"
PATIENCE = timedelta(minutes=5)
LOOK_EVERY_SECONDS = 5.0
GRACE_SECONDS = 30.0


def saw_tick() -> None:
    """Called by the scheduled task."""
    cache.set(TICK_SEEN, timezone.now().isoformat(), timeout=None)


def last_progress() -> datetime | None:
    """When the queue last made progress: the scheduled task or the heartbeat of a run."""
    tick = cache.get(TICK_SEEN)
    beat = (
        Run.objects.filter(heartbeat_at__isnull=False)
        .order_by("-heartbeat_at")
        .values_list("heartbeat_at", flat=True)
        .first()
    )
    seen = [moment for moment in (datetime.fromisoformat(tick) if tick else None, beat) if moment is not None]
    return max(seen, default=None)


def makes_progress() -> bool:
    """The result of the worker's health check."""
    progress = last_progress()
    return progress is not None and timezone.now() - progress <= PATIENCE


@dataclass
class Watchdog:
    """`start` starts the supervised process in its own group. The clock and the pause can be injected."""

    start: Callable[[], "subprocess.Popen[bytes]"]
    now: Callable[[], datetime] = timezone.now
    pause: Callable[[float], None] = time.sleep
    stopping: bool = False
    started_at: datetime = field(default_factory=timezone.now)

    def run(self) -> None:
        """Runs until `stopping` is set."""
        process = self._begin()
        while not self.stopping:
            self.pause(LOOK_EVERY_SECONDS)
            if self.stopping:
                break
            if process.poll() is not None:
                logger.error("the queue's cluster ended with status %s; restarting it", process.returncode)
                process = self._begin_anew(process)
            elif self.is_stalled():
                logger.error("the queue made no progress for %s; restarting its cluster", PATIENCE)
                process = self._begin_anew(process)
        end_group(process)

    def is_stalled(self) -> bool:
        connection.close_if_unusable_or_obsolete()
        try:
            progress = last_progress()
        except DatabaseError:
            logger.exception("cannot query the database for the queue's progress")
            return False
        seen = max(filter(None, (progress, self.started_at)))
        return self.now() - seen > PATIENCE

    def _begin_anew(self, process: "subprocess.Popen[bytes]") -> "subprocess.Popen[bytes]":
        kill_group(process)
        return self._begin()

    def _begin(self) -> "subprocess.Popen[bytes]":
        self.started_at = self.now()
        return self.start()


def start_cluster() -> "subprocess.Popen[bytes]":
    return spawn("manage", "qcluster", stdout=subprocess.DEVNULL)


def end_group(process: "subprocess.Popen[bytes]") -> None:
    """Stops gently first: a signal to the leader alone lets workers finish; a signal to the group would
    interrupt them.
    """
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(timeout=GRACE_SECONDS)
    kill_group(process)


def kill_group(process: "subprocess.Popen[bytes]") -> None:
    """The remaining processes of the group, even if its leader has ended."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
