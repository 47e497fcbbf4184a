"""Signs the current plan of a rollback, or rejects it. Nobody signs their own request."""

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
        parser.add_argument("--reject", action="store_true")
        parser.add_argument("--comment", default="")
        parser.add_argument("--digest", help="Sign only if the plan still has this digest.")

    def handle(self, **options: Any) -> None:
        actor = person(options["username"])
        rollback = rollback_numbered(actor, options["rollback"])
        sign = services.reject if options["reject"] else services.approve
        sign(actor, rollback=rollback, digest=options["digest"], comment=options["comment"])
        shown = selectors.as_json(rollback_numbered(actor, options["rollback"]))
        given = sum(approval["verdict"] == "approved" for approval in shown["approvals"])
        self.emit(
            shown,
            [
                f"Rollback {shown['rollback']} is {shown['state']}: {given} of {shown['required_approvals']} approvals."
            ],
            as_json=options["json"],
        )
