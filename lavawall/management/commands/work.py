"""Runs the worker: a django-q2 cluster under a watchdog that restarts it when it stops making progress."""

import os
import select
import signal
from types import FrameType
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from lavawall.processes import schedules
from lavawall.processes.watchdog import PATIENCE, Watchdog, makes_progress, start_cluster


class Command(BaseCommand):
    help = __doc__ or ""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--check",
            action="store_true",
            help="Only report with the exit status whether the queue makes progress.",
        )

    def handle(self, **options: Any) -> None:
        if options["check"]:
            if makes_progress():
                return
            raise CommandError(
                f"The queue has made no progress for {PATIENCE.total_seconds() / 60:.0f} minutes."
            )
        schedules.install()
        bell, rung_by_signals = os.pipe()
        os.set_blocking(rung_by_signals, False)
        signal.set_wakeup_fd(rung_by_signals)

        def pause(seconds: float) -> None:
            """Ends immediately on a signal."""
            select.select([bell], [], [], seconds)

        watchdog = Watchdog(start_cluster, pause=pause)

        def stop(_signal: int, _frame: FrameType | None) -> None:
            watchdog.stopping = True

        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, stop)
        watchdog.run()
