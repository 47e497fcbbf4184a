"""Runs web and worker together, for development and small embedded installations. If one ends, the other is
stopped.
"""

import signal
import socket
import subprocess
import time
from types import FrameType
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from lavawall.processes.lifeline import spawn
from lavawall.processes.serving import address, refuse_taken

LOOK_EVERY_SECONDS = 0.2
EXPECTED = (0, -signal.SIGTERM)
Process = subprocess.Popen[bytes]


class Command(BaseCommand):
    help = __doc__ or ""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--bind", type=address, default="127.0.0.1:8000", metavar="HOST:PORT")

    def handle(self, **options: Any) -> None:
        host, port = options["bind"] if isinstance(options["bind"], tuple) else address(options["bind"])
        refuse_taken(host, port)
        stopped = False

        def stop(_signal: int, _frame: FrameType | None) -> None:
            nonlocal stopped
            stopped = True

        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, stop)
        processes = {"web": _web(host, port), "worker": _worker()}
        announced = False
        while not stopped and all(process.poll() is None for process in processes.values()):
            if not announced and _answers(host, port):
                announced = True
                self.stdout.write(f"Lavawall is running at http://{host}:{port} (stop with Ctrl-C).")
                self.stdout.flush()
            time.sleep(LOOK_EVERY_SECONDS)
        for process in processes.values():
            process.terminate()
        ended = {name: process.wait() for name, process in processes.items()}
        if not stopped or any(status not in EXPECTED for status in ended.values()):
            told_all = ", ".join(f"{name} with status {status}" for name, status in ended.items())
            raise CommandError(f"A process ended unexpectedly, so both were stopped: {told_all}.")


def _web(host: str, port: int) -> Process:
    """Protected from the terminal's Ctrl-C, like the worker: we stop it once, so that it can finish its work."""
    return spawn(
        *("gunicorn", "lavawall.wsgi", "--bind", f"{host}:{port}"),
        *("--worker-class", "gthread", "--workers", "2", "--threads", "4", "--log-level", "warning"),
        environment={"PYTHONWARNINGS": "ignore:No directory at"},
    )


def _worker() -> Process:
    return spawn("manage", "work")


def _answers(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), timeout=1).close()
    except OSError:
        return False
    return True
