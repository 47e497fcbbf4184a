"""Pages of what a tenant looks like: tenants with their coverage and connections, and snapshots."""

from itertools import groupby
from typing import Any, Literal, cast

from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from snapshots import coverage, recoverability, selectors, services, store
from snapshots.catalog import registry
from snapshots.forms import RestorabilityFilter
from snapshots.models import Coverage, Snapshot
from snapshots.restorability import Verdict
from tenants import access, connections
from tenants.actions import Action
from tenants.models import Connection, Run, Tenant
from tenants.web import PageRequest, actor_of, attempt, integer, page, wants_fragment

SNAPSHOTS_SHOWN = 25
RUNS_SHOWN = 5
RESOURCES_SHOWN = 50
LAST_SHOWN = 10_000_000
"""Beyond it a page number is a mistake, and no offset that every database takes."""


@require_GET
@page
def tenant_list(request: PageRequest) -> HttpResponse:
    tenants = (
        access.visible_tenants(actor_of(request)).select_related("customer").prefetch_related("connections")
    )
    newest = Snapshot.objects.filter(tenant=OuterRef("pk")).order_by("-id")
    tenants = tenants.annotate(newest_id=Subquery(newest.values("pk")[:1]))
    snapshots = Snapshot.objects.in_bulk([tenant.newest_id for tenant in tenants])
    standings = coverage.standings(tenants)
    listed = [
        {
            "tenant": tenant,
            "snapshot": snapshots.get(tenant.newest_id),
            "standing": standings[tenant.pk],
        }
        for tenant in tenants
    ]
    return render(request, "snapshots/tenants.html", {"section": "tenants", "tenants": listed})


@require_GET
@page
def tenant(request: PageRequest, tenant_id: int) -> HttpResponse:
    actor = actor_of(request)
    found = _tenant(request, tenant_id)
    standing = coverage.standing(found)
    context = {
        "section": "tenants",
        "tenant": found,
        "connections": [_connection(row) for row in found.connections.select_related("app_registration")],
        "purposes_missing": _missing_purposes(found),
        "coverage": [_covered(row) for row in standing.rows],
        "standing": standing,
        "snapshots": Snapshot.objects.filter(tenant=found)[:SNAPSHOTS_SHOWN],
        "runs": found.runs.filter(state__in=[Run.State.QUEUED, Run.State.RUNNING]),
        "failed_runs": found.runs.filter(state__in=[Run.State.FAILED, Run.State.QUARANTINED])[:RUNS_SHOWN],
        "may_snapshot": access.can(actor, Action.TAKE_SNAPSHOT, found),
        "may_manage": access.can(actor, Action.MANAGE, found),
    }
    return render(request, "snapshots/tenant.html", context)


@require_GET
@page
def recoverable(request: PageRequest, tenant_id: int) -> HttpResponse:
    """What of the tenant is covered and could be brought back: by type, and resource by resource."""
    found = _tenant(request, tenant_id)
    form = RestorabilityFilter(request.GET)
    start = ((integer(request.GET.get("page")) or 1) - 1) * RESOURCES_SHOWN
    rows = list(form.narrow(found)[start : start + RESOURCES_SHOWN + 1]) if 0 <= start < LAST_SHOWN else []
    number = start // RESOURCES_SHOWN + 1
    context = {
        "section": "tenants",
        "tenant": found,
        "form": form,
        "resources": recoverability.judged(found, rows[:RESOURCES_SHOWN]),
        "next_page": number + 1 if len(rows) > RESOURCES_SHOWN else None,
        "previous_page": number - 1 if number > 1 else None,
    }
    if wants_fragment(request):
        return render(request, "snapshots/_resources.html", context)
    counted = recoverability.counts(found)
    standing = recoverability.obstacles(found)
    context |= {
        "snapshot": store.latest(found),
        "totals": recoverability.total(counted).items(),
        "verdicts": list(Verdict),
        "coverage": sorted(
            (
                {
                    **_covered(row),
                    "counts": counted.get(row.resource_type, {}),
                    "obstacle": standing.get(row.resource_type),
                }
                for row in coverage.coverage_of(found)
            ),
            key=lambda each: each["type"].plural,
        ),
    }
    return render(request, "snapshots/recoverability.html", context)


@require_POST
@page
def take(request: PageRequest, tenant_id: int) -> HttpResponse:
    """Asks for a snapshot; the answer is the run, whose progress the page then follows."""
    actor, found = actor_of(request), _tenant(request, tenant_id)
    run = attempt(
        request, lambda: services.request_snapshot(actor, tenant=found), done="A snapshot was asked for."
    )
    if wants_fragment(request) and run is not None:
        return render(request, "snapshots/_taken.html", {"run": run, "unfinished": True})
    if wants_fragment(request):
        return render(request, "includes/_messages.html")
    return redirect("run", run.pk) if run is not None else redirect("tenant", found.pk)


@require_POST
@page
def check_connection(request: PageRequest, tenant_id: int, purpose: Connection.Purpose) -> HttpResponse:
    actor, found = actor_of(request), _tenant(request, tenant_id)
    attempt(
        request,
        lambda: connections.check_connection(
            actor, tenant=found, purpose=cast("connections.Purpose", purpose.value)
        ),
        done=f"The {purpose.label} signed in.",
    )
    return redirect("tenant", found.pk)


@require_GET
@page
def snapshot(request: PageRequest, snapshot_id: int) -> HttpResponse:
    found = get_object_or_404(selectors.visible_snapshots(actor_of(request)), pk=snapshot_id)
    versions = store.state_at(found).order_by("resource_type", "display_name", "resource_id")
    context = {
        "section": "tenants",
        "snapshot": found,
        "groups": [
            {"type": registry.get(key), "versions": list(group)}
            for key, group in groupby(versions, key=lambda version: version.resource_type)
        ],
        "coverage": [_covered(row) for row in coverage.problems_in(found)],
        "unasked": found.coverage.filter(status=Coverage.Status.NOT_REQUESTED).count(),
        "others": Snapshot.objects.filter(tenant=found.tenant).exclude(pk=found.pk)[:100],
        "previous": Snapshot.objects.filter(tenant=found.tenant, pk__lt=found.pk).first(),
        "newer": Snapshot.objects.filter(tenant=found.tenant, pk__gt=found.pk).order_by("pk").first(),
    }
    return render(request, "snapshots/snapshot.html", context)


def _tenant(request: PageRequest, tenant_id: int) -> Tenant:
    tenants: QuerySet[Tenant] = access.visible_tenants(actor_of(request)).select_related("customer")
    return get_object_or_404(tenants, pk=tenant_id)


def _covered(row: Coverage) -> dict[str, Any]:
    return {"row": row, "type": registry.get(row.resource_type)}


def _connection(connection: Connection) -> dict[str, Any]:
    """What a person may know of a connection: never its credential, only what kind it is and when it ends."""
    purpose: Literal["read", "write"] = "read" if connection.purpose == Connection.Purpose.READER else "write"
    missing = registry.lacking_permissions(purpose, connection.granted)
    return {
        "connection": connection,
        "missing": [(name, [registry.get(key).label for key in uses]) for name, uses in missing.items()],
    }


def _missing_purposes(found: Tenant) -> list[str]:
    present = set(found.connections.values_list("purpose", flat=True))
    return [purpose.label for purpose in Connection.Purpose if purpose.value not in present]
