"""Keeps a django-q2 cluster making progress: an idle worker that is killed can hang the whole cluster for good.

Runs the cluster as a process group of its own and restarts the group when it ended, or when neither the minute's
tick nor any run's heartbeat was seen for too long.
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

from lavawall.lifeline import spawn
from tenants.models import Run

logger = logging.getLogger(__name__)

TICK_SEEN = "lavawall:tick"
PATIENCE = timedelta(minutes=5)
LOOK_EVERY_SECONDS = 5.0
GRACE_SECONDS = 30.0


def saw_tick() -> None:
    """Called by the tick itself."""
    cache.set(TICK_SEEN, timezone.now().isoformat(), timeout=None)


def last_progress() -> datetime | None:
    """When the queue last showed that it works: a tick, or the heartbeat of a run."""
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
    """What a health check of the worker asks."""
    progress = last_progress()
    return progress is not None and timezone.now() - progress <= PATIENCE


@dataclass
class Watchdog:
    """`start` begins the guarded process in its own group; the clock and the pause are injectable."""

    start: Callable[[], "subprocess.Popen[bytes]"]
    now: Callable[[], datetime] = timezone.now
    pause: Callable[[float], None] = time.sleep
    stopping: bool = False
    started_at: datetime = field(default_factory=timezone.now)

    def run(self) -> None:
        """Until `stopping` is set."""
        process = self._begin()
        while not self.stopping:
            self.pause(LOOK_EVERY_SECONDS)
            if self.stopping:
                break
            if process.poll() is not None:
                logger.error(
                    "the queue's cluster ended with status %s; starting it again", process.returncode
                )
                process = self._begin_anew(process)
            elif self.is_stalled():
                logger.error("the queue made no progress for %s; starting its cluster again", PATIENCE)
                process = self._begin_anew(process)
        end_group(process)

    def is_stalled(self) -> bool:
        connection.close_if_unusable_or_obsolete()
        try:
            progress = last_progress()
        except DatabaseError:
            logger.exception("the database cannot be asked whether the queue makes progress")
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
    """Gently first: told alone, the cluster lets its workers finish; a signal to all would cut them off."""
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(timeout=GRACE_SECONDS)
    kill_group(process)


def kill_group(process: "subprocess.Popen[bytes]") -> None:
    """Whoever is left of it, even where its leader has ended."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
