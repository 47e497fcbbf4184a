"""Approves the plan of a rollback with the given digest. Nobody can approve their own request."""

from collections.abc import Iterator, Mapping
from typing import Any

from django.core.management.base import CommandParser

from lavawall.cli import RollbackCommand, add_digest
from rollbacks import services
from rollbacks.models import Rollback
from tenants.access.actors import Actor


class Command(RollbackCommand):
    help = __doc__ or ""

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        add_digest(parser)
        parser.add_argument("--comment", default="")

    def act(self, actor: Actor, rollback: Rollback, options: Mapping[str, Any]) -> None:
        services.approve(actor, rollback=rollback, digest=options["digest"], comment=options["comment"])

    def lines(self, shown: Mapping[str, Any]) -> Iterator[str]:
        given = sum(approval["counts"] for approval in shown["approvals"])
        yield f"Rollback {shown['rollback']} is {shown['state']}: {given} of {shown['required_approvals']} approvals."
        for approval in shown["approvals"]:
            if approval["verdict"] == "approved":
                standing = "counts" if approval["counts"] else "does not count"
                yield f"  {approval['by']}: {standing}. {approval['reason']}"
