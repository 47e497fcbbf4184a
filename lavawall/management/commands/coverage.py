"""Shows the coverage of a tenant, and what could be restored after an incident."""

from collections.abc import Iterator, Mapping
from typing import Any

from django.core.management.base import CommandParser

from lavawall.cli import ProductCommand, operator
from snapshots import coverage
from snapshots.catalog import registry
from snapshots.models import Coverage
from snapshots.recoverability import summary
from snapshots.recoverability.verdicts import Verdict
from snapshots.store import content_store
from tenants.access import permissions
from tenants.models import Tenant


class Command(ProductCommand):
    help = __doc__ or ""

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("tenant", help="Tenant name or ID.")
        parser.add_argument("--resources", action="store_true", help="Include the verdict on every resource.")
        parser.add_argument("--type", metavar="T", help="Only the resources of this type.")
        parser.add_argument(
            "--verdict",
            choices=[verdict.value for verdict in Verdict],
            help="Only resources with this verdict.",
        )

    def handle(self, **options: Any) -> None:
        tenant = permissions.tenant_named(operator(), options["tenant"])
        snapshot = content_store.latest(tenant)
        counted = summary.counts(tenant)
        standing = coverage.standing(tenant)
        data: dict[str, Any] = {
            "tenant": tenant.name,
            "snapshot": snapshot.pk if snapshot else None,
            "coverage": {row.resource_type: _covered(row, counted) for row in standing.rows},
            "problems": [row.resource_type for row in standing.problems],
            "not_read": [spec.key for spec in standing.unread],
            "recoverability": summary.counts_as_json(summary.total(counted)),
        }
        wanted = options["resources"] or options["type"] or options["verdict"]
        resources = list(_resources(tenant, options["type"], options["verdict"])) if wanted else []
        if wanted:
            data["resources"] = resources
        self.emit(data, _lines(data, resources), as_json=options["json"])


def _covered(row: Coverage, counted: summary.Counts) -> dict[str, Any]:
    return {
        "status": row.status,
        "count": row.count,
        "reason": row.reason,
        "remedy": row.remedy,
        "recoverability": summary.counts_as_json(counted.get(row.resource_type, {})),
    }


def _resources(tenant: Tenant, resource_type: str | None, verdict: str | None) -> Iterator[dict[str, Any]]:
    found = summary.current(tenant).order_by("resource_type", "display_name", "pk")
    if resource_type:
        found = found.filter(resource_type=registry.get(resource_type).key)
    if verdict:
        found = summary.with_verdict(tenant, found, Verdict(verdict))
    return map(summary.as_json, summary.judged(tenant, list(found)))


def _lines(data: dict[str, Any], resources: list[dict[str, Any]]) -> Iterator[str]:
    if data["snapshot"] is None:
        yield f'{data["tenant"]} has no snapshot yet. Take one: manage.py snapshot "{data["tenant"]}"'
        return
    for key, row in data["coverage"].items():
        why = " ".join(text for text in (row["reason"], row["remedy"]) if text)
        counts = _counts(row["recoverability"])
        breakdown = f": {counts}" if counts else ""
        yield f"{key}: {row['status']}, {row['count']}{breakdown}{'. ' if why else ''}{why}"
    for number, what in (
        (len(data["problems"]), "not covered (requested, but not read completely)"),
        (len(data["not_read"]), "not read yet (no snapshot has requested them)"),
    ):
        if number:
            yield f"{number} type{'' if number == 1 else 's'} {what}."
    yield f"All of {data['tenant']}: {_counts(data['recoverability'])}."
    for each in resources:
        yield f"{each['resource_type']} {each['display_name'] or each['resource_id']}: {_resource(each)}"


def _resource(each: dict[str, Any]) -> str:
    lost = "".join(
        f" Lost: {loss['path']}, {'; '.join(loss['items']) or loss['what']}." for loss in each["losses"]
    )
    named = ", ".join(f"{other['resource_type']} {other['display_name']}" for other in each["remapped"])
    repointed = f" References updated to the new ID: {named}." if named else ""
    verdict = Verdict(each["verdict"]).label
    return f"{verdict}. {each['reason']}{lost}{repointed} {each['remedy']}".rstrip()


def _counts(counted: Mapping[str, int]) -> str:
    return ", ".join(
        f"{counted[verdict.value]} {verdict.label}" for verdict in Verdict if counted.get(verdict.value)
    )
