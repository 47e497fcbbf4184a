"""Plans a rollback with a dry run on the live tenant: of changes, of an actor's changes, to a snapshot, or of
another rollback.
"""

from collections.abc import Iterator
from typing import Any

from django.core.management.base import CommandError, CommandParser

from changes.selectors import visible_changes
from lavawall.cli import ProductCommand, person
from lavawall.management.commands.changes import moment
from rollbacks import selectors, services
from snapshots.catalog import registry
from tenants.access import permissions
from tenants.access.matrix import Action


class Command(ProductCommand):
    help = __doc__ or ""

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("tenant", help="Tenant name or ID.")
        wanted = parser.add_mutually_exclusive_group(required=True)
        wanted.add_argument("--change", action="append", type=int, metavar="ID", help="Repeatable.")
        wanted.add_argument(
            "--actor", metavar="UPN", help="All changes by this actor. Needs --from and --to."
        )
        wanted.add_argument("--to-snapshot", type=int, metavar="N", help="Return to this snapshot (its ID).")
        wanted.add_argument(
            "--undo",
            type=int,
            metavar="ROLLBACK",
            help="Return to the state before this rollback was executed.",
        )
        parser.add_argument("--from", dest="since", type=moment, metavar="T")
        parser.add_argument("--to", dest="until", type=moment, metavar="T")
        parser.add_argument(
            "--type", default="", metavar="T", help="Only this resource type (with --to-snapshot)."
        )
        parser.add_argument("--resource", default="", metavar="ID", help="Only this resource (with --type).")
        parser.add_argument("--reason", default="")
        parser.add_argument("--as", dest="username", required=True, metavar="USER")

    def handle(self, **options: Any) -> None:
        if options["actor"] and not (options["since"] and options["until"]):
            raise CommandError("--actor needs --from and --to.", returncode=2)
        if options["resource"] and not options["type"]:
            raise CommandError("--resource needs --type.", returncode=2)
        if options["actor"] and options["since"] > options["until"]:
            raise CommandError("--from is later than --to.", returncode=2)
        if options["type"]:
            registry.get(options["type"])
        actor = person(options["username"])
        tenant = permissions.tenant_named(actor, options["tenant"], Action.REQUEST_ROLLBACK)
        wanted = options["change"] or []
        chosen = list(visible_changes(actor).filter(tenant=tenant, pk__in=wanted))
        unknown = sorted(set(wanted) - {change.pk for change in chosen})
        if unknown:
            raise CommandError(f"{tenant.name} has no change {', '.join(map(str, unknown))}.")
        rollback = services.plan_rollback(
            actor,
            tenant=tenant,
            changes=chosen,
            actor_name=options["actor"] or "",
            since=options["since"],
            until=options["until"],
            snapshot=options["to_snapshot"],
            resource_type=options["type"],
            resource_id=options["resource"],
            undo=options["undo"],
            reason=options["reason"],
        )
        shown = selectors.as_json(rollback)
        self.emit(shown, _lines(shown), as_json=options["json"])


def _lines(shown: dict[str, Any]) -> Iterator[str]:
    yield f"Rollback {shown['rollback']} of {shown['tenant']}: {len(shown['steps'])} steps, {shown['state']}."
    for step in shown["steps"]:
        yield f"{step['order']:>3}. {step['explanation']}"
        for request in step["requests"]:
            yield f"     {request['method']} {request['path']}"
    for warning in shown["warnings"]:
        yield f"Warning: {warning}"
    yield ""
    yield f"Digest: {shown['digest']}"
    yield f"Needs {shown['required_approvals']} approvals before {shown['expires_at']}."
    yield "Each approver reviews the plan, then runs:"
    yield f"  manage.py approve {shown['rollback']} --digest {shown['digest']} --as USER"
