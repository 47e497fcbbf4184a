"""Approves the plan of a rollback that has the given digest. Nobody approves their own request."""

from collections.abc import Iterator
from typing import Any

from django.core.management.base import CommandParser

from lavawall.cli import ProductCommand, person, rollback_numbered
from rollbacks import selectors, services


class Command(ProductCommand):
    help = __doc__ or ""

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("rollback", type=int)
        parser.add_argument("--digest", required=True, help="Of the plan that you read, as plan printed it.")
        parser.add_argument("--as", dest="username", required=True, metavar="USER")
        parser.add_argument("--comment", default="")

    def handle(self, **options: Any) -> None:
        actor = person(options["username"])
        rollback = rollback_numbered(actor, options["rollback"])
        services.approve(actor, rollback=rollback, digest=options["digest"], comment=options["comment"])
        shown = selectors.as_json(rollback_numbered(actor, options["rollback"]))
        self.emit(shown, _lines(shown), as_json=options["json"])


def _lines(shown: dict[str, Any]) -> Iterator[str]:
    given = sum(approval["counts"] for approval in shown["approvals"])
    yield f"Rollback {shown['rollback']} is {shown['state']}: {given} of {shown['required_approvals']} approvals."
    for approval in shown["approvals"]:
        if approval["verdict"] == "approved":
            worth = "counts" if approval["counts"] else "does not count"
            yield f"  {approval['by']}: {worth}. {approval['reason']}"
