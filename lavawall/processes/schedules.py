"""Schedules collections: a django-q2 task runs every minute and enqueues due tenants."""

from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import Exists, F, OuterRef, QuerySet, Subquery
from django.utils import timezone
from django_q.models import Schedule

from changes.models import Change
from tenants.locks import one_at_a_time
from tenants.models import Run, Tenant
from tenants.runs import leases

TICK = "lavawall.tasks.tick"
LOCK_KEY = 0x71C4
"""Lock for installing the schedule."""
LATE_EVENTS = timedelta(minutes=5)
"""How often recent changes are matched again: Microsoft's audit events are 5 to 15 minutes late."""
FRESH = timedelta(hours=2)


@transaction.atomic
def install() -> None:
    """Ensures that the schedule table contains our task exactly once, even if several workers start at the
    same time.
    """
    one_at_a_time(LOCK_KEY)
    ticks = Schedule.objects.filter(func=TICK)
    first = ticks.order_by("pk").first() or Schedule(func=TICK)
    ticks.exclude(pk=first.pk).delete()
    first.name, first.schedule_type, first.minutes, first.repeats = "tick", Schedule.MINUTES, 1, -1
    first.save()


def enqueue_due() -> list[int]:
    """Enqueues a collection for each tenant whose interval has passed, least recently collected first."""
    now = timezone.now()
    enqueued = []
    for tenant in _idle(Run.Kind.COLLECT).order_by(F("last_run_at").asc(nulls_first=True)):
        due_at = tenant.last_run_at and tenant.last_run_at + timedelta(
            minutes=tenant.snapshot_interval_minutes
        )
        if due_at is None or due_at <= now:
            enqueued.append(leases.enqueue(tenant, Run.Kind.COLLECT, requested_by="schedule").pk)
    for tenant in _idle(Run.Kind.ATTRIBUTE):
        waiting = Change.objects.filter(tenant=tenant, detected_at__gt=now - FRESH, attributions__isnull=True)
        if waiting.exists() and (tenant.last_run_at is None or tenant.last_run_at <= now - LATE_EVENTS):
            enqueued.append(leases.enqueue(tenant, Run.Kind.ATTRIBUTE, requested_by="schedule").pk)
    return enqueued


def _idle(kind: Run.Kind) -> QuerySet[Any]:
    of_kind = Run.objects.filter(tenant=OuterRef("pk"), kind=kind)
    unfinished = of_kind.filter(state__in=[Run.State.QUEUED, Run.State.RUNNING])
    return (
        Tenant.objects.filter(is_active=True, connections__purpose="reader")
        .exclude(Exists(unfinished))
        .annotate(last_run_at=Subquery(of_kind.order_by("-id").values("created_at")[:1]))
    )
