"""The overview page, which combines data of all apps."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from django.db.models import Case, Count, IntegerField, Max, Q, QuerySet, Value, When
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils import timezone
from django.views.decorators.http import require_GET

from changes.models import SEVERITIES, Change
from changes.selectors import visible_changes, with_details
from changes.states import open_changes
from changes.views import listed
from rollbacks.views import AWAITING_SHOWN, awaiting_approval_of
from snapshots.catalog.spec import ResourceType
from snapshots.coverage import standings
from snapshots.models import Coverage, Snapshot
from snapshots.selectors import visible_snapshots
from tenants.access import permissions
from tenants.access.actors import Actor
from tenants.errors import logged
from tenants.forms import TenantFilter
from tenants.models import Tenant
from tenants.web.lists import numbered
from tenants.web.pages import PageRequest, actor_of, page

PERIODS = {"24h": timedelta(hours=24), "7d": timedelta(days=7), "30d": timedelta(days=30)}
WORST_SHOWN = 8
TENANTS_SHOWN = 50
GRAVE = ("critical", "high")
LATE = 2
"""The number of missed intervals after which a snapshot counts as late."""

Counts = dict[str, dict[str, int]]
"""Period → severity → number of changes."""


def _no_counts() -> Counts:
    return {period: {severity: 0 for severity, _ in SEVERITIES} for period in PERIODS}


@dataclass
class TenantRow:
    """One tenant on the overview."""

    tenant: Tenant
    snapshot: Snapshot | None = None
    counts: Counts = field(default_factory=_no_counts)
    problems: Sequence[Coverage] = ()
    unread: Sequence[ResourceType] = ()
    late: bool = True


@require_GET
@page
def overview(request: PageRequest) -> HttpResponse:
    actor, now = actor_of(request), timezone.now()
    rows, awaiting = _rows(actor, now), awaiting_approval_of(actor)
    totals = _totals(rows)
    form = TenantFilter(request.GET, actor=actor)
    asked = set(form.narrow(permissions.visible_tenants(actor)).values_list("pk", flat=True))
    listed_rows = numbered(request, [row for row in rows if row.tenant.pk in asked], TENANTS_SHOWN)
    context = {
        "section": "overview",
        "form": form,
        "list": listed_rows,
        "customers": [
            (customer, list(group))
            for customer, group in groupby(listed_rows.rows, key=lambda row: row.tenant.customer)
        ],
        "periods": list(PERIODS),
        "severities": [value for value, _ in SEVERITIES],
        "totals": totals,
        "critical_now": totals["24h"]["critical"],
        "tenant_count": len(rows),
        "late_count": sum(row.late for row in rows),
        "problem_count": sum(len(row.problems) for row in rows),
        "unread_count": sum(len(row.unread) for row in rows),
        "awaiting_count": awaiting.count(),
        "awaiting": awaiting[:AWAITING_SHOWN],
        "worst": [listed(change) for change in _worst(actor, now)],
    }
    return render(request, "overview.html", context)


def server_error(request: HttpRequest) -> HttpResponse:
    """Django's handler for uncaught exceptions: logs the traceback and shows the reference ID."""
    internal = logged(sys.exc_info()[1], f"{request.method} {request.path}")
    is_fragment = "HX-Request" in request.headers and "HX-Boosted" not in request.headers
    template = "includes/_internal_error.html" if is_fragment else "500.html"
    return HttpResponse(render_to_string(template, {"error": internal}), status=500)


def _rows(actor: Actor, now: datetime) -> list[TenantRow]:
    """All tenants in scope, in a constant number of queries."""
    tenants = permissions.visible_tenants(actor).select_related("customer").order_by("customer__name", "name")
    rows = {tenant.pk: TenantRow(tenant) for tenant in tenants}
    newest = visible_snapshots(actor).order_by().values("tenant").annotate(newest=Max("pk")).values("newest")
    for snapshot in Snapshot.objects.filter(pk__in=newest):
        row = rows[snapshot.tenant_id]
        patience = timedelta(minutes=row.tenant.snapshot_interval_minutes * LATE)
        row.snapshot = snapshot
        row.late = row.tenant.is_active and now - snapshot.completed_at > patience
    for pk, standing in standings(row.tenant for row in rows.values()).items():
        rows[pk].problems, rows[pk].unread = standing.problems, standing.unread
    for counted in _counted(actor, now):
        for period in PERIODS:
            rows[counted["tenant"]].counts[period][counted["severity"]] = counted[f"in_{period}"]
    return list(rows.values())


def _counted(actor: Actor, now: datetime) -> QuerySet[Change, Any]:
    periods = {
        f"in_{period}": Count("pk", filter=Q(detected_at__gte=now - length))
        for period, length in PERIODS.items()
    }
    recent = open_changes(visible_changes(actor)).filter(detected_at__gte=now - max(PERIODS.values()))
    return recent.order_by().values("tenant", "severity").annotate(**periods)


def _totals(rows: list[TenantRow]) -> Counts:
    totals = _no_counts()
    for row in rows:
        for period, by_severity in row.counts.items():
            for severity, count in by_severity.items():
                totals[period][severity] += count
    return totals


def _worst(actor: Actor, now: datetime) -> list[Change]:
    """Open critical and high changes of the last week, most severe and newest first."""
    rank = Case(
        *(When(severity=severity, then=Value(rank)) for rank, severity in enumerate(GRAVE)),
        output_field=IntegerField(),
    )
    grave = open_changes(visible_changes(actor)).filter(
        severity__in=GRAVE, detected_at__gte=now - PERIODS["7d"]
    )
    return list(with_details(grave).order_by(rank, "-pk")[:WORST_SHOWN])
