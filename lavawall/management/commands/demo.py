"""Plays an incident against the emulator, from connecting to the verified rollback, then serves the result.

DEMO_SERVE=0 exits after the story; DEMO_PORT sets the port. The exit status is 0 if every step passed.
"""

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from lavawall.configuration import environment
from lavawall.demo.cast import Login
from lavawall.demo.show import Show, said
from lavawall.demo.story import Stage, play
from lavawall.processes.lifeline import spawn
from lavawall.processes.serving import HIGHEST_PORT, refuse_taken
from tenants.models import Tenant
from tenants.trust.os_accounts import on_the_command_line

AUDIT_DELAY_SECONDS = "2"
HOST = "127.0.0.1"
PORT = 8000


class Command(BaseCommand):
    help = __doc__ or ""

    def handle(self, **_options: Any) -> None:
        serving = os.environ.get("DEMO_SERVE", "1") != "0"
        address = (HOST, environment.whole_number("DEMO_PORT", PORT, least=1, most=HIGHEST_PORT))
        if serving:
            refuse_taken(*address)
        call_command("migrate", verbosity=0)
        if Tenant.objects.exists():
            raise CommandError("The demo needs an empty database. Start it with: make demo")
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.default_int_handler)
        try:
            with emulator(Path(settings.BASE_DIR, "var", "demo-ca.pem")) as cloud:
                os.environ["REQUESTS_CA_BUNDLE"] = cloud["ca_file"]
                logins = _perform(cloud)
                if serving:
                    self.stdout.write(_told(logins, *address))
                    call_command("serve", bind=address, stdout=self.stdout)
        except KeyboardInterrupt:
            raise CommandError("The demo was interrupted.", returncode=128 + signal.SIGINT) from None


def _perform(cloud: dict[str, Any]) -> dict[str, Login]:
    """Plays the story on this cloud. Raises CommandError if a step fails."""
    show = Show()
    show.panel("Lavawall", "An incident, from the attack to the verified rollback, over real HTTPS.")
    stage = Stage(show, cloud)
    try:
        with on_the_command_line():
            play(stage)
    except Exception as error:
        raise CommandError(f"The demo failed: {said(error)}") from error
    show.panel("All steps passed", f"{show.number} steps in {show.seconds:.0f} s")
    return stage.logins


@contextmanager
def emulator(ca_file: Path, **sizes: int) -> Iterator[dict[str, Any]]:
    """An emulator in its own process: its URL, CA file and tenants by name. `sizes`: users, groups, apps."""
    ca_file.parent.mkdir(parents=True, exist_ok=True)
    process = spawn(
        *("manage", "emulate", "--json", "--seed", "demo", "--no-throttle", "--port", "0"),
        *("--audit-delay", AUDIT_DELAY_SECONDS, "--ca-file", str(ca_file)),
        *(word for name, count in sizes.items() for word in (f"--{name}", str(count))),
        stdout=subprocess.PIPE,
    )
    try:
        if process.stdout is None:
            raise CommandError("The emulator's output cannot be read.")
        line = process.stdout.readline()
        if not line:
            raise CommandError(f"The emulator did not start (status {process.wait()}).")
        cloud = json.loads(line)
        cloud["tenants"] = {tenant["name"]: tenant for tenant in cloud["tenants"]}
        yield cloud
    finally:
        process.terminate()
        process.wait()


def _told(logins: dict[str, Login], host: str, port: int) -> str:
    rows = [
        f"  {login.username:<16} {login.password:<18} {login.role.value} on {login.scope}"
        for login in logins.values()
    ]
    return "\n".join([f"Sign in at http://{host}:{port} as (user name, password, role):", *rows])
