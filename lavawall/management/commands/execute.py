"""Executes an approved rollback, or resumes an incomplete execution, and verifies the result."""

from collections.abc import Iterator, Mapping
from typing import Any

from django.core.management.base import CommandError

from lavawall.cli import RollbackCommand
from rollbacks import services
from rollbacks.execution import runner
from rollbacks.models import Rollback
from rollbacks.states import State
from tenants.access.actors import Actor
from tenants.runs import leases


class Command(RollbackCommand):
    help = __doc__ or ""

    def act(self, actor: Actor, rollback: Rollback, _options: Mapping[str, Any]) -> None:
        claimed = services.execute(actor, rollback=rollback)
        lease = leases.claim(claimed.present_run)
        if lease is not None:
            with leases.failing(lease):
                runner.perform(lease)

    def lines(self, shown: Mapping[str, Any]) -> Iterator[str]:
        ended = shown["execution"]
        yield f"Rollback {shown['rollback']} is {shown['state']}. {ended['message']}"
        for word in ("refused", "skipped"):
            for step in ended["verification"].get(word, ()):
                name = step["display_name"] or step["resource_id"]
                yield f"Step {step['order']} {word}: {name}: {step['reason']}"
        for loss in ended["verification"].get("losses", ()):
            name = loss["display_name"] or loss["resource_id"]
            path = f", {loss['path']}" if loss["path"] else ""
            items = f" ({'; '.join(loss['items'])})" if loss["items"] else ""
            yield f"Announced loss: {name}{path}: {loss['what']}{items}"

    def require_success(self, shown: Mapping[str, Any]) -> None:
        if shown["state"] not in (State.VERIFIED, State.EXECUTING):
            ended = shown["execution"] or {}
            raise CommandError(f"The rollback ended as {shown['state']}: {ended['message']}")
