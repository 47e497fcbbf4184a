"""Recomputes the stored history from its bytes: contents, snapshots' roots, changes, plans, the ledger's chain."""

from typing import Any

from django.core.management.base import CommandError, CommandParser

from changes import integrity as changes
from lavawall.cli import ProductCommand, operator
from rollbacks import integrity as rollbacks
from snapshots.store import content_store
from tenants.access import permissions
from tenants.control import record as control
from tenants.trust import append_only, ledger


class Command(ProductCommand):
    help = __doc__ or ""

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("tenant", nargs="?", help="Name or id; all tenants if missing.")

    def handle(self, **options: Any) -> None:
        actor = operator()
        tenants = (
            [permissions.tenant_named(actor, options["tenant"])]
            if options["tenant"]
            else list(permissions.visible_tenants(actor))
        )
        faults: list[dict[str, str | None]] = [
            {"tenant": tenant.name, "where": fault.where, "what": fault.what}
            for tenant in tenants
            for fault in (*content_store.verify(tenant), *changes.verify(tenant), *rollbacks.verify(tenant))
        ]
        faults += [
            {"tenant": None, "where": f"ledger entry {fault.sequence}", "what": fault.what}
            for fault in ledger.verify()
        ]
        faults += [{"tenant": None, "where": "acts of control:", "what": what} for what in control.faults()]
        faults += [{"tenant": None, "where": "database:", "what": what} for what in append_only.faults()]
        sequence, digest = ledger.head()
        self.emit(
            {
                "ok": not faults,
                "tenants": [tenant.name for tenant in tenants],
                "ledger": {"entries": sequence, "head": digest},
                "faults": faults,
            },
            [
                *(f"{fault['tenant'] or 'platform'}: {fault['where']} {fault['what']}" for fault in faults),
                f"{len(tenants)} tenants and {sequence} ledger entries read; ledger head {digest[:16]}….",
            ],
            as_json=options["json"],
        )
        if faults:
            raise CommandError(f"The stored history is not as it was written: {len(faults)} faults.")
