"""Cancels a rollback before anything was written."""

from collections.abc import Mapping
from typing import Any

from lavawall.cli import RollbackCommand
from rollbacks import services
from rollbacks.models import Rollback
from tenants.access.actors import Actor


class Command(RollbackCommand):
    help = __doc__ or ""

    def act(self, actor: Actor, rollback: Rollback, _options: Mapping[str, Any]) -> None:
        services.cancel(actor, rollback=rollback)
