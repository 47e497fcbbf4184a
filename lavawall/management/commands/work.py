"""Runs the worker: a django-q2 cluster under a watchdog that restarts it when it stops making progress."""

import os
import select
import signal
from types import FrameType
from typing import Any

from django.core.management.base import BaseCommand

from lavawall import schedules
from lavawall.watchdog import Watchdog, start_cluster


class Command(BaseCommand):
    help = __doc__ or ""

    def handle(self, **_options: Any) -> None:
        schedules.install()
        bell, rung_by_signals = os.pipe()
        os.set_blocking(rung_by_signals, False)
        signal.set_wakeup_fd(rung_by_signals)

        def pause(seconds: float) -> None:
            """Ends at once when a signal comes."""
            select.select([bell], [], [], seconds)

        watchdog = Watchdog(start_cluster, pause=pause)

        def stop(_signal: int, _frame: FrameType | None) -> None:
            watchdog.stopping = True

        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, stop)
        watchdog.run()
