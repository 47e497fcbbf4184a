"""Verifies the stored history from its bytes: contents, snapshot roots, changes, plans, and the ledger's
chain.
"""

from dataclasses import asdict
from typing import Any

from django.core.management.base import CommandError, CommandParser

from lavawall import integrity
from lavawall.cli import ProductCommand, operator
from tenants.access import permissions
from tenants.trust import ledger


class Command(ProductCommand):
    help = __doc__ or ""

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("tenant", nargs="?", help="Tenant name or ID. Default: all tenants.")

    def handle(self, **options: Any) -> None:
        actor = operator()
        tenants = (
            [permissions.tenant_named(actor, options["tenant"])]
            if options["tenant"]
            else list(permissions.visible_tenants(actor))
        )
        faults = [asdict(fault) for fault in integrity.faults(tenants)]
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
            raise CommandError(f"The stored history was altered: {len(faults)} faults.")
