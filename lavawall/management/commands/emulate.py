"""manage.py emulate: runs the emulated Microsoft cloud until it is interrupted. Needs no database."""

import json
import signal
import threading
from argparse import ArgumentParser, BooleanOptionalAction
from types import FrameType
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from lavawall.emulator import AppRegistration, Emulator, TenantInfo
from lavawall.emulator.seed import SEEDS
from lavawall.processes.serving import port_number

DEFAULT_CA_FILE = "emulator-ca.pem"


def _app(registration: AppRegistration) -> dict[str, Any]:
    return {
        "client_id": registration.client_id,
        "secret": registration.secret,
        "certificate_pem": registration.certificate_pem,
        "home_directory_id": registration.home_directory_id,
    }


def _tenant(tenant: TenantInfo) -> dict[str, Any]:
    return {
        "name": tenant.name,
        "customer": tenant.customer,
        "directory_id": tenant.directory_id,
        "domain": tenant.domain,
        "reader": _app(tenant.reader),
        "writer": _app(tenant.writer),
        "admins": [
            {"user_principal_name": login.user_principal_name, "password": login.password}
            for login in tenant.admins
        ],
        "subscriptions": list(tenant.subscriptions),
    }


class Command(BaseCommand):
    help = (
        "Runs a faithful Microsoft cloud on localhost (login, Graph, Azure Resource Manager, audit logs) over TLS "
        "until interrupted."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--port", type=port_number, default=8443, help="port on 127.0.0.1; 0 chooses a free one"
        )
        parser.add_argument(
            "--seed", default="demo", choices=sorted(SEEDS), help="what the cloud starts with"
        )
        for name in ("users", "groups", "apps"):
            parser.add_argument(
                f"--{name}", type=int, default=0, help=f"generated {name} added to each tenant"
            )
        parser.add_argument(
            "--audit-delay", type=float, default=0, help="seconds until audit records are visible"
        )
        parser.add_argument(
            "--replication-delay", type=float, default=0, help="seconds until new objects are found"
        )
        parser.add_argument(
            "--throttle", action=BooleanOptionalAction, default=True, help="Microsoft's published budgets"
        )
        parser.add_argument(
            "--page-size", type=int, default=None, help="most items on a page; default is Graph's own"
        )
        parser.add_argument(
            "--ca-file", default=DEFAULT_CA_FILE, help="where to write the authority's certificate"
        )
        parser.add_argument("--json", action="store_true", help="print the facts as one JSON document")

    def handle(self, *_args: Any, **options: Any) -> None:
        emulator = Emulator(
            seed=options["seed"],
            users=options["users"],
            groups=options["groups"],
            apps=options["apps"],
            port=options["port"],
            audit_delay=options["audit_delay"],
            replication_delay=options["replication_delay"],
            throttle=options["throttle"],
            page_size=options["page_size"],
            ca_file=options["ca_file"],
        )
        stopped = threading.Event()

        def stop(_number: int, _frame: FrameType | None) -> None:
            stopped.set()

        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, stop)
        try:
            emulator.start()
        except OSError as error:
            raise CommandError(str(error)) from error
        try:
            self._describe(emulator, as_json=options["json"])
            stopped.wait()
        finally:
            emulator.stop()

    def _describe(self, emulator: Emulator, *, as_json: bool) -> None:
        tenants = [_tenant(tenant) for tenant in emulator.tenants.values()]
        facts = {
            "url": emulator.url,
            "login_url": emulator.url,
            "graph_url": emulator.url,
            "arm_url": emulator.url,
            "ca_file": emulator.ca_file,
            "tenants": tenants,
        }
        if as_json:
            self.stdout.write(json.dumps(facts))
            self.stdout.flush()
            return
        self.stdout.write(f"Emulated Microsoft cloud: {emulator.url}\nCA certificate: {emulator.ca_file}")
        for tenant in tenants:
            self.stdout.write(
                f"\n{tenant['name']} ({tenant['customer']})\n  directory id   {tenant['directory_id']}"
            )
            for subscription_id in tenant["subscriptions"]:
                self.stdout.write(f"  subscription   {subscription_id}")
            for role in ("reader", "writer"):
                self.stdout.write(
                    f"  {role}         {tenant[role]['client_id']}  secret {tenant[role]['secret']}"
                )
            for login in tenant["admins"]:
                self.stdout.write(
                    f"  administrator  {login['user_principal_name']}  password {login['password']}"
                )
        self.stdout.write("\nStop with Ctrl+C.")
        self.stdout.flush()
