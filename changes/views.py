"""Pages of changes: the timeline, a change, a comparison of two snapshots, a resource, the audit events."""

from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET, require_POST

from changes import presentation, selectors, services
from changes.audit import records
from changes.diff.structural import shown_diff
from changes.forms import AuditEventFilter, ChangeFilter, ComparisonFilter
from changes.models import AuditEvent, Change
from changes.states import state_of
from snapshots.catalog import registry
from snapshots.catalog.stream_values import shown
from snapshots.models import Version
from snapshots.recoverability import summary
from snapshots.selectors import Compared, NotComparable, compare, visible_snapshots, visible_versions
from snapshots.store import content_store
from tenants.access import permissions
from tenants.access.matrix import Action
from tenants.models import Tenant
from tenants.web.lists import newest_first, numbered
from tenants.web.pages import NOBODY, PageRequest, actor_of, attempt, integer, page, typed, wants_fragment

PAGE_SIZE = 50
HISTORY_SIZE = 10
VERSIONS_SIZE = 20
COMPARED_SIZE = 25
"""Number of resources per page of a comparison."""


@require_GET
@page
def timeline(request: PageRequest) -> HttpResponse:
    actor = actor_of(request)
    tenants = permissions.visible_tenants(actor).select_related("customer")
    form = ChangeFilter(request.GET, tenants=tenants)
    changes = form.narrow(selectors.visible_changes(actor))
    shown = newest_first(request, selectors.with_details(changes), PAGE_SIZE)
    is_continuation = shown.previous is not None
    requestable = set(
        permissions.visible_tenants(actor, Action.REQUEST_ROLLBACK).values_list("pk", flat=True)
    )
    context = {
        "section": "timeline",
        "form": form,
        "changes": [listed(change) for change in shown.rows],
        "next_before": shown.next,
        "is_continuation": is_continuation,
        "requestable": requestable,
    }
    if wants_fragment(request):
        fragment = "changes/_rows.html" if is_continuation else "changes/_timeline.html"
        return render(request, fragment, context)
    return render(request, "changes/timeline.html", context)


@require_GET
@page
def detail(request: PageRequest, change_id: int) -> HttpResponse:
    actor = actor_of(request)
    change = get_object_or_404(selectors.with_details(selectors.visible_changes(actor)), pk=change_id)
    before, after = selectors.documents_of(change)
    spec = registry.get(change.resource_type)
    difference = shown_diff(before, after, spec)
    history = (
        selectors.visible_changes(actor)
        .filter(tenant=change.tenant, resource_type=change.resource_type, resource_id=change.resource_id)
        .order_by("-pk")
    )
    context = {
        "section": "timeline",
        "change": change,
        "type": spec,
        "rows": presentation.rows(difference.fields, presentation.names_in(change.tenant, difference.fields)),
        "patch": difference.patch,
        "before": shown(before, spec),
        "after": shown(after, spec),
        "attribution": selectors.best_attribution(change),
        "unattributed_reason": selectors.unattributed_reason(change),
        "history": history[:HISTORY_SIZE],
        "acknowledgement": getattr(change, "acknowledgement", None),
        "state": state_of(change),
        "resolution": change.resolution,
        "may_triage": permissions.can(actor, Action.TRIAGE, change.tenant),
        "may_request": permissions.can(actor, Action.REQUEST_ROLLBACK, change.tenant),
    }
    return render(request, "changes/detail.html", context)


@require_POST
@page
def acknowledge(request: PageRequest, change_id: int) -> HttpResponse:
    actor = actor_of(request)
    change = get_object_or_404(selectors.visible_changes(actor), pk=change_id)
    attempt(
        request,
        lambda: services.acknowledge(actor, change=change, note=typed(request, "note")),
        done="Acknowledged.",
    )
    back = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(back, allowed_hosts={request.get_host()}):
        back = reverse("change", args=[change.pk])
    return redirect(back)


@require_GET
@page
def comparison(request: PageRequest) -> HttpResponse:
    """The differences between two snapshots of a tenant."""
    snapshots = visible_snapshots(actor_of(request))
    base = get_object_or_404(snapshots, pk=integer(request.GET.get("base")) or NOBODY)
    target = get_object_or_404(snapshots, pk=integer(request.GET.get("target")) or NOBODY)
    problem, differing = "", []
    try:
        differing = compare(base, target)
    except NotComparable as error:
        problem = str(error)
    form = ComparisonFilter(request.GET, differing=differing)
    shown = numbered(request, form.of(differing), COMPARED_SIZE)
    context = {
        "section": "tenants",
        "base": base,
        "target": target,
        "problem": problem,
        "total": len(differing),
        "form": form,
        "list": shown,
        "reset": reverse("compare", query={"base": base.pk, "target": target.pk}),
        "sections": _with_fields(base.tenant, shown.rows),
        "snapshots": snapshots.filter(tenant=base.tenant)[:100],
    }
    return render(request, "changes/comparison.html", context)


@require_GET
@page
def resource(request: PageRequest, tenant_id: int, resource_type: str, resource_id: str) -> HttpResponse:
    """Every version of one resource, the content of one of them, and its changes."""
    actor = actor_of(request)
    tenant = get_object_or_404(permissions.visible_tenants(actor).select_related("customer"), pk=tenant_id)
    versions = list(
        content_store.history(tenant, resource_type, resource_id).filter(
            pk__in=visible_versions(actor).values("pk")
        )
    )
    if not versions:
        raise Http404("This resource does not exist, or you do not have access to it.")
    chosen = _chosen(versions, integer(request.GET.get("version")))
    spec = registry.get(resource_type)
    context = {
        "section": "tenants",
        "tenant": tenant,
        "type": spec,
        "resource_id": resource_id,
        "versions": versions,
        "version_list": numbered(request, versions, VERSIONS_SIZE, parameter="versions-page"),
        "chosen": chosen,
        "document": shown(content_store.document(tenant, chosen.digest), spec),
        "judged": summary.judged(tenant, [chosen])[0],
        "changes": selectors.visible_changes(actor)
        .filter(tenant=tenant, resource_type=resource_type, resource_id=resource_id)
        .order_by("-pk")[:HISTORY_SIZE],
    }
    return render(request, "changes/resource.html", context)


@require_GET
@page
def audit_events(request: PageRequest) -> HttpResponse:
    """The stored audit events, and the changes that they explain."""
    tenants = permissions.visible_tenants(actor_of(request)).select_related("customer")
    form = AuditEventFilter(request.GET, tenants=tenants)
    events = form.narrow(AuditEvent.objects.filter(tenant__in=tenants).select_related("tenant"))
    context = {
        "section": "audit-events",
        "form": form,
        "events": newest_first(request, events.prefetch_related("attributions__change"), PAGE_SIZE),
    }
    return render(request, "changes/audit_events.html", context)


@require_GET
@page
def audit_event(request: PageRequest, event_id: int) -> HttpResponse:
    """The original record from Microsoft."""
    visible = AuditEvent.objects.filter(tenant__in=permissions.visible_tenants(actor_of(request)))
    event = get_object_or_404(visible.select_related("tenant__customer"), pk=event_id)
    context = {
        "section": "audit-events",
        "event": event,
        "record": records.as_received(event),
        "attributions": event.attributions.select_related("change"),
    }
    return render(request, "changes/audit_event.html", context)


def listed(change: Change) -> dict[str, Any]:
    """A change as a row of a list. Needs a queryset from `with_details`."""
    return {
        "change": change,
        "type": registry.get(change.resource_type),
        "attribution": selectors.best_attribution(change),
        "acknowledgement": getattr(change, "acknowledgement", None),
        "state": state_of(change),
        "resolution": change.resolution,
    }


def _with_fields(tenant: Tenant, differing: list[Compared]) -> list[dict[str, Any]]:
    digests = {
        version.digest for item in differing for version in (item.before, item.after) if version is not None
    }
    contents = content_store.documents(tenant, digests)
    compared = [
        (
            item,
            registry.get(item.resource_type),
            shown_diff(
                _content(item.before, contents),
                _content(item.after, contents),
                registry.get(item.resource_type),
            ),
        )
        for item in differing
    ]
    names = presentation.names_in(
        tenant, [field for _, _, difference in compared for field in difference.fields]
    )
    return [
        {"item": item, "type": spec, "rows": presentation.rows(difference.fields, names)}
        for item, spec, difference in compared
    ]


def _content(version: Version | None, contents: dict[str, Any]) -> Any:
    return contents[version.digest] if version is not None else None


def _chosen(versions: list[Version], wanted: int | None) -> Version:
    if wanted is None:
        return versions[0]
    for version in versions:
        if version.pk == wanted:
            return version
    raise Http404("This version does not exist, or you do not have access to it.")
