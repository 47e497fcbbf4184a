"""Web and worker together, for development and small embedded installations."""

import signal
import subprocess
import sys
from types import FrameType
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser


class Command(BaseCommand):
    help = __doc__ or ""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--bind", default="127.0.0.1:8000", metavar="HOST:PORT")

    def handle(self, **options: Any) -> None:
        processes = [
            subprocess.Popen(command)  # noqa: S603 - our own commands
            for command in (
                [
                    *(sys.executable, "-m", "gunicorn", "lavawall.wsgi", "--bind", options["bind"]),
                    *(
                        "--worker-class",
                        "gthread",
                        "--workers",
                        "2",
                        "--threads",
                        "4",
                        "--log-level",
                        "warning",
                    ),
                ],
                [sys.executable, "manage.py", "work"],
            )
        ]

        def stop(_signal: int, _frame: FrameType | None) -> None:
            for process in processes:
                process.terminate()

        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, stop)
        self.stdout.write(f"Lavawall answers on http://{options['bind']} (Ctrl-C ends it).")
        ended = [process.wait() for process in processes]
        if any(status not in (0, -signal.SIGTERM, -signal.SIGINT) for status in ended):
            raise CommandError(f"A process ended with an error: web {ended[0]}, worker {ended[1]}.")
