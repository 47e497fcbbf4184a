"""Rewraps all data keys with the current master key. Needs the old key in LAVAWALL_PREVIOUS_MASTER_KEY."""

from typing import Any

from django.db import transaction

from lavawall.cli import ProductCommand, operator
from tenants.trust import ledger, vault


class Command(ProductCommand):
    help = __doc__ or ""

    @transaction.atomic
    def handle(self, **options: Any) -> None:
        count = vault.rewrap_all()
        ledger.record(operator(), "keys:rotate", "data keys", count=count)
        self.emit(
            {"rewrapped": count},
            [f"{count} data keys were rewrapped. Remove LAVAWALL_PREVIOUS_MASTER_KEY now."],
            as_json=options["json"],
        )
