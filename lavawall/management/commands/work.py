"""Runs the worker: a django-q2 cluster under a watchdog that restarts it when it stops making progress."""

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
        watchdog = Watchdog(start_cluster)

        def stop(_signal: int, _frame: FrameType | None) -> None:
            watchdog.stopping = True

        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, stop)
        watchdog.run()
