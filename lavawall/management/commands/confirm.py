"""Lists the actions waiting for a second administrator, or confirms them as the operator."""

from typing import Any

from django.core.management.base import CommandError, CommandParser

from lavawall.cli import ProductCommand, operator
from tenants.control import confirmation
from tenants.control.presentation import sentence
from tenants.models import ControlAct


class Command(ProductCommand):
    help = __doc__ or ""

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "act", nargs="*", type=int, help="Numbers of the actions to confirm. Without numbers: list them."
        )

    def handle(self, **options: Any) -> None:
        actor, confirmed = operator(), []
        for number in options["act"]:
            act = confirmation.visible_acts(actor).filter(number=number).first()
            if act is None:
                raise CommandError(f"There is no action {number}.")
            confirmation.confirm(actor, act=act)
            confirmed.append(number)
        waiting = confirmation.waiting(actor)
        self.emit(
            {"confirmed": confirmed, "waiting": [_json(act) for act in waiting]},
            [
                *(f"Confirmed action {number}." for number in confirmed),
                *(f"{act.number:>5}  {act.at:%Y-%m-%d %H:%M}  {sentence(act)}" for act in waiting),
                f"{len(waiting)} actions are waiting for confirmation.",
            ],
            as_json=options["json"],
        )


def _json(act: ControlAct) -> dict[str, Any]:
    return {
        "number": act.number,
        "kind": act.kind,
        "at": act.at,
        "actor": act.actor.get_username() if act.actor else None,
        "subject": act.subject.get_username() if act.subject else None,
        "sentence": sentence(act),
        "cools_off_at": act.cools_off_at,
    }
