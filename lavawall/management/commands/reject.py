"""Rejects the plan of a rollback with the given digest. The rollback ends and nothing is written."""

from collections.abc import Mapping
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
        parser.add_argument("--reason", required=True, help="Why the plan is rejected.")

    def act(self, actor: Actor, rollback: Rollback, options: Mapping[str, Any]) -> None:
        services.reject(actor, rollback=rollback, digest=options["digest"], reason=options["reason"])
