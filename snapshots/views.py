"""Pages of tenants, with their coverage and connections, and of snapshots."""

from collections.abc import Iterable
from itertools import groupby
from typing import Any, Literal, cast

from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from snapshots import coverage, selectors, services
from snapshots.catalog import registry
from snapshots.forms import ContentFilter, CoverageFilter, RestorabilityFilter, SnapshotFilter
from snapshots.models import Coverage, Snapshot
from snapshots.recoverability import summary
from snapshots.recoverability.verdicts import Verdict
from snapshots.store import content_store
from tenants.access import permissions
from tenants.access.matrix import Action
from tenants.connections import onboarding
from tenants.forms import TenantFilter
from tenants.models import Connection, Run, Tenant
from tenants.web.lists import newest_first, numbered
from tenants.web.pages import PageRequest, actor_of, attempt, page, wants_fragment

TENANTS_SHOWN = 50
SNAPSHOTS_SHOWN = 25
TYPES_SHOWN = 25
RUNS_SHOWN = 5
RESOURCES_SHOWN = 50
OTHERS_OFFERED = 100
"""Number of latest snapshots offered for comparison."""


@require_GET
@page
def tenant_list(request: PageRequest) -> HttpResponse:
    actor = actor_of(request)
    form = TenantFilter(request.GET, actor=actor)
    newest = Snapshot.objects.filter(tenant=OuterRef("pk")).order_by("-id")
    tenants = (
        form.narrow(permissions.visible_tenants(actor))
        .select_related("customer")
        .prefetch_related("connections")
        .annotate(newest_id=Subquery(newest.values("pk")[:1]))
    )
    listed = numbered(request, tenants, TENANTS_SHOWN)
    snapshots = Snapshot.objects.in_bulk([tenant.newest_id for tenant in listed.rows])
    standings = coverage.standings(listed.rows)
    context = {
        "section": "tenants",
        "form": form,
        "list": listed,
        "tenants": [
            {
                "tenant": tenant,
                "snapshot": snapshots.get(tenant.newest_id),
                "standing": standings[tenant.pk],
            }
            for tenant in listed.rows
        ],
    }
    return render(request, "snapshots/tenants.html", context)


@require_GET
@page
def tenant(request: PageRequest, tenant_id: int) -> HttpResponse:
    actor = actor_of(request)
    found = _tenant(request, tenant_id)
    standing = coverage.standing(found)
    coverage_form = CoverageFilter(request.GET, prefix="coverage")
    snapshot_form = SnapshotFilter(request.GET, prefix="snapshot")
    covered = numbered(
        request,
        _by_type(coverage_form.narrow(coverage.coverage_of(found))),
        TYPES_SHOWN,
        parameter="coverage-page",
    )
    context = {
        "section": "tenants",
        "tenant": found,
        "connections": [_connection(row) for row in found.connections.select_related("app_registration")],
        "purposes_missing": _missing_purposes(found),
        "coverage_form": coverage_form,
        "coverage_list": covered,
        "coverage": covered.rows,
        "standing": standing,
        "snapshot_form": snapshot_form,
        "snapshots": newest_first(
            request, snapshot_form.narrow(Snapshot.objects.filter(tenant=found)), SNAPSHOTS_SHOWN
        ),
        "runs": found.runs.filter(state__in=[Run.State.QUEUED, Run.State.RUNNING]),
        "failed_runs": found.runs.filter(state__in=[Run.State.FAILED, Run.State.QUARANTINED])[:RUNS_SHOWN],
        "may_snapshot": permissions.can(actor, Action.TAKE_SNAPSHOT, found),
        "may_manage": permissions.can(actor, Action.MANAGE, found),
    }
    return render(request, "snapshots/tenant.html", context)


@require_GET
@page
def recoverable(request: PageRequest, tenant_id: int) -> HttpResponse:
    """Coverage and recoverability of a tenant, by type and by resource."""
    found = _tenant(request, tenant_id)
    form = RestorabilityFilter(request.GET, tenant=found)
    counted = summary.counts(found)
    listed = numbered(
        request,
        selectors.by_label(form.narrow(summary.current(found)), counted),
        RESOURCES_SHOWN,
    )
    standing = summary.obstacles(found)
    types = numbered(
        request,
        _by_type(coverage.coverage_of(found)),
        TYPES_SHOWN,
        parameter="types-page",
    )
    context = {
        "section": "tenants",
        "tenant": found,
        "form": form,
        "list": listed,
        "resources": summary.judged(found, listed.rows),
        "snapshot": content_store.latest(found),
        "totals": summary.total(counted).items(),
        "verdicts": list(Verdict),
        "types": types,
        "coverage": [
            {
                **each,
                "counts": counted.get(each["type"].key, {}),
                "obstacle": standing.get(each["type"].key),
            }
            for each in types.rows
        ],
    }
    return render(request, "snapshots/recoverability.html", context)


@require_POST
@page
def take(request: PageRequest, tenant_id: int) -> HttpResponse:
    """Requests a snapshot. Responds with the run, whose progress the page polls."""
    actor, found = actor_of(request), _tenant(request, tenant_id)
    run = attempt(request, lambda: services.request_snapshot(actor, tenant=found), done="Snapshot requested.")
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
        lambda: onboarding.check_connection(
            actor, tenant=found, purpose=cast("onboarding.Purpose", purpose.value)
        ),
        done=f"The {purpose.label} signed in successfully.",
    )
    return redirect("tenant", found.pk)


@require_GET
@page
def snapshot(request: PageRequest, snapshot_id: int) -> HttpResponse:
    found = get_object_or_404(selectors.visible_snapshots(actor_of(request)), pk=snapshot_id)
    state = content_store.state_at(found)
    counts = dict(state.order_by().values_list("resource_type").annotate(Count("pk")))
    form = ContentFilter(request.GET, counts=counts)
    listed = numbered(
        request,
        selectors.by_label(form.narrow(state), counts),
        RESOURCES_SHOWN,
    )
    uncovered = numbered(
        request,
        _by_type(coverage.problems_in(found)),
        TYPES_SHOWN,
        parameter="coverage-page",
    )
    context = {
        "section": "tenants",
        "snapshot": found,
        "form": form,
        "list": listed,
        "groups": [
            {"type": registry.get(key), "count": counts[key], "versions": list(group)}
            for key, group in groupby(listed.rows, key=lambda version: version.resource_type)
        ],
        "coverage_list": uncovered,
        "coverage": uncovered.rows,
        "unasked": found.coverage.filter(status=Coverage.Status.NOT_REQUESTED).count(),
        "others": Snapshot.objects.filter(tenant=found.tenant).exclude(pk=found.pk)[:OTHERS_OFFERED],
        "previous": Snapshot.objects.filter(tenant=found.tenant, pk__lt=found.pk).first(),
        "newer": Snapshot.objects.filter(tenant=found.tenant, pk__gt=found.pk).order_by("pk").first(),
    }
    return render(request, "snapshots/snapshot.html", context)


def _tenant(request: PageRequest, tenant_id: int) -> Tenant:
    tenants: QuerySet[Tenant] = permissions.visible_tenants(actor_of(request)).select_related("customer")
    return get_object_or_404(tenants, pk=tenant_id)


def _by_type(rows: Iterable[Coverage]) -> list[dict[str, Any]]:
    """With the label of each type, in that order."""
    found = [{"row": row, "type": registry.get(row.resource_type)} for row in rows]
    return sorted(found, key=lambda each: each["type"].plural.casefold())


def _connection(connection: Connection) -> dict[str, Any]:
    """Displayable facts about a connection: never its credential, only its kind and expiry."""
    purpose: Literal["read", "write"] = "read" if connection.purpose == Connection.Purpose.READER else "write"
    missing = registry.lacking_permissions(purpose, connection.granted)
    return {
        "connection": connection,
        "missing": [(name, [registry.get(key).label for key in uses]) for name, uses in missing.items()],
    }


def _missing_purposes(found: Tenant) -> list[str]:
    present = set(found.connections.values_list("purpose", flat=True))
    return [purpose.label for purpose in Connection.Purpose if purpose.value not in present]
