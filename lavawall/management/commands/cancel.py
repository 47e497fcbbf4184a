"""Cancels a rollback of which nothing was written yet."""

from typing import Any

from django.core.management.base import CommandParser

from lavawall.cli import ProductCommand, person, rollback_numbered
from rollbacks import selectors, services


class Command(ProductCommand):
    help = __doc__ or ""

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("rollback", type=int)
        parser.add_argument("--as", dest="username", required=True, metavar="USER")

    def handle(self, **options: Any) -> None:
        actor = person(options["username"])
        services.cancel(actor, rollback=rollback_numbered(actor, options["rollback"]))
        shown = selectors.as_json(rollback_numbered(actor, options["rollback"]))
        self.emit(shown, [f"Rollback {shown['rollback']} is {shown['state']}."], as_json=options["json"])
