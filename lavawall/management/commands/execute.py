"""Executes an approved rollback now, step by step, and verifies it."""

from collections.abc import Iterator
from typing import Any

from django.core.management.base import CommandError, CommandParser

from lavawall.cli import ProductCommand, person, rollback_numbered
from rollbacks import execution, selectors, services
from rollbacks.states import State
from tenants import runs


class Command(ProductCommand):
    help = __doc__ or ""

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("rollback", type=int)
        parser.add_argument("--as", dest="username", required=True, metavar="USER")

    def handle(self, **options: Any) -> None:
        actor = person(options["username"])
        claimed = services.execute(actor, rollback=rollback_numbered(actor, options["rollback"]))
        lease = runs.claim(claimed.run_id or 0)
        if lease is not None:
            with runs.failing(lease):
                execution.perform(lease)
        shown = selectors.as_json(rollback_numbered(actor, options["rollback"]))
        ended = shown["execution"] or {}
        self.emit(
            shown,
            _lines(shown),
            as_json=options["json"],
        )
        if shown["state"] not in (State.VERIFIED, State.EXECUTING):
            raise CommandError(f"The rollback ended as {shown['state']}: {ended['message']}")


def _lines(shown: dict[str, Any]) -> Iterator[str]:
    ended = shown["execution"]
    yield f"Rollback {shown['rollback']} is {shown['state']}. {ended['message']}"
    for loss in ended["verification"].get("losses", ()):
        name = loss["display_name"] or loss["resource_id"]
        path = f", {loss['path']}" if loss["path"] else ""
        items = f" ({'; '.join(loss['items'])})" if loss["items"] else ""
        yield f"Announced loss: {name}{path}: {loss['what']}{items}"
