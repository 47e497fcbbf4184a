"""Lists the changes of a tenant, newest first, with severity, findings and attribution."""

import argparse
import re
from datetime import datetime, timedelta
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from changes import selectors
from changes.models import SEVERITIES
from changes.states import State, in_state
from lavawall.cli import ProductCommand, operator
from snapshots.catalog import words
from tenants.access import permissions

_AGO = re.compile(r"(\d+)([mhd])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


def moment(text: str) -> datetime:
    """An ISO 8601 time (UTC by default), or a duration before now: 30m, 24h, 7d."""
    try:
        if ago := _AGO.fullmatch(text):
            return timezone.now() - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
        parsed = parse_datetime(text) or datetime.fromisoformat(text)
    except (ValueError, OverflowError) as error:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a valid time. Use ISO 8601 such as 2026-11-24T08:00:00Z, or 30m, 24h, 7d"
        ) from error
    return parsed if timezone.is_aware(parsed) else timezone.make_aware(parsed)


class Command(ProductCommand):
    help = __doc__ or ""

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("tenant", help="Tenant name or ID.")
        parser.add_argument("--since", type=moment, metavar="TIME|24h|7d")
        parser.add_argument(
            "--severity",
            action="append",
            choices=[severity for severity, _ in SEVERITIES],
            help="Repeatable.",
        )

        parser.add_argument("--state", choices=State.values)

    def handle(self, **options: Any) -> None:
        actor = operator()
        tenant = permissions.tenant_named(actor, options["tenant"])
        found = selectors.visible_changes(actor).filter(tenant=tenant)
        if options["since"]:
            found = found.filter(detected_at__gte=options["since"])
        if options["severity"]:
            found = found.filter(severity__in=options["severity"])
        if options["state"]:
            found = in_state(found, options["state"])
        listed = selectors.as_json(selectors.with_details(found))
        self.emit(listed, map(_line, listed), as_json=options["json"])


def _line(change: dict[str, Any]) -> str:
    who = change["attribution"]
    by = f" — {who['actor']} from {who['ip'] or 'an unknown address'}" if who else ""
    country = f" ({words.country(who['country'])})" if who and who["country"] else ""
    state = "" if change["state"] == State.OPEN else f" [{State(change['state']).label}]"
    return f"{change['id']:>6}  {change['severity']:>13}  {change['summary']}{by}{country}{state}"
