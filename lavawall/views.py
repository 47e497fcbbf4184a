"""The overview, which alone looks at every room at once, and what needs no sign-in: the health probe."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby

from django.db import connection
from django.db.models import Case, Count, IntegerField, Max, Q, QuerySet, Value, When
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from changes.models import SEVERITIES, Change
from changes.selectors import visible_changes, with_details
from changes.views import listed
from rollbacks.models import Approval, Rollback
from rollbacks.selectors import visible_rollbacks
from snapshots.models import Coverage, Snapshot
from snapshots.selectors import visible_snapshots
from snapshots.views import COVERED
from tenants import access
from tenants.actions import Action
from tenants.actors import Actor
from tenants.models import Tenant
from tenants.web import PageRequest, actor_of, page

PERIODS = {"24h": timedelta(hours=24), "7d": timedelta(days=7), "30d": timedelta(days=30)}
WORST_SHOWN = 8
GRAVE = ("critical", "high")
LATE = 2
"""How many of its intervals a tenant may miss before its snapshot is called late."""

Counts = dict[str, dict[str, int]]
"""Period → severity → number of changes."""


@dataclass
class TenantRow:
    """One tenant on the overview."""

    tenant: Tenant
    snapshot: Snapshot | None = None
    counts: Counts = field(default_factory=lambda: _no_counts())
    problems: list[Coverage] = field(default_factory=list)

    def is_late(self, now: datetime) -> bool:
        if self.snapshot is None:
            return True
        patience = timedelta(minutes=self.tenant.snapshot_interval_minutes * LATE)
        return self.tenant.is_active and now - self.snapshot.completed_at > patience


@require_GET
@page
def overview(request: PageRequest) -> HttpResponse:
    actor, now = actor_of(request), timezone.now()
    rows = _rows(actor, now)
    late = [row for row in rows if row.is_late(now)]
    for row in rows:
        row.late = row in late  # type: ignore[attr-defined]
    context = {
        "section": "overview",
        "customers": [
            (customer, list(group)) for customer, group in groupby(rows, key=lambda row: row.tenant.customer)
        ],
        "periods": list(PERIODS),
        "severities": [value for value, _ in SEVERITIES],
        "totals": _totals(rows),
        "tenant_count": len(rows),
        "late_count": len(late),
        "problem_count": sum(len(row.problems) for row in rows),
        "awaiting": awaiting_approval_of(actor, now),
        "worst": [listed(change) for change in _worst(actor, now)],
    }
    return render(request, "overview.html", context)


@require_GET
@never_cache
def healthz(request: HttpRequest) -> HttpResponse:
    """Whether this process answers and reaches its database."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return JsonResponse({"status": "ok"})
