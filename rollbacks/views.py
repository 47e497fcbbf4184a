"""Pages of rollbacks: the list, planning, and the page for review, approval, execution and verification."""

from collections import Counter
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from django.contrib import messages
from django.db.models import Count, Q, QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from django_htmx.http import reswap, retarget

from changes import presentation
from changes.diff.structural import FieldChange
from changes.models import Change
from changes.selectors import visible_changes
from rollbacks import selectors, services
from rollbacks.approvals import signatures
from rollbacks.approvals.confirmations import APPROVE, CANCEL, EXECUTE, REJECT, RESUME, Act
from rollbacks.forms import ActorWindow, BackToSnapshot, RollbackFilter
from rollbacks.models import Approval, Execution, Plan, Rollback, Step, StepRecord
from rollbacks.states import OPEN, REPLANNABLE, RESUMABLE, State
from snapshots.catalog import registry
from tenants.access import permissions
from tenants.access.actors import Actor
from tenants.access.matrix import Action
from tenants.errors import InvalidInput
from tenants.models import Tenant
from tenants.web.lists import newest_first
from tenants.web.pages import (
    NOBODY,
    PageRequest,
    actor_of,
    attempt,
    came_from,
    integer,
    page,
    typed,
    wants_fragment,
)

PAGE_SIZE = 50
AWAITING_SHOWN = 10
"""Number of rollbacks waiting for the user's approval, listed first."""
WHOLE_OBJECT = frozenset({Step.Kind.UNDELETE.value, Step.Kind.RECREATE.value, Step.Kind.DELETE.value})
"""Steps whose difference is every field of an object: folded, for the sentence above says it all."""
SETTLED = frozenset({StepRecord.State.DONE.value, StepRecord.State.ALREADY.value})


def awaiting_approval_of(actor: Actor) -> QuerySet[Rollback]:
    """Rollbacks that this user may sign and has not signed yet."""
    return (
        _listed(selectors.visible_rollbacks(actor))
        .filter(tenant__in=permissions.visible_tenants(actor, Action.APPROVE_ROLLBACK))
        .filter(state=State.AWAITING_APPROVAL, plan__expires_at__gt=timezone.now())
        .exclude(requester=actor.user)
        .exclude(plan__approvals__approver=actor.user)
    )


@require_GET
@page
def rollback_list(request: PageRequest) -> HttpResponse:
    actor = actor_of(request)
    form = RollbackFilter(request.GET, tenants=permissions.visible_tenants(actor).select_related("customer"))
    context = {
        "section": "rollbacks",
        "form": form,
        "awaiting": awaiting_approval_of(actor)[:AWAITING_SHOWN],
        "rollbacks": newest_first(
            request, form.narrow(_listed(selectors.visible_rollbacks(actor))), PAGE_SIZE
        ),
        "may_request": permissions.visible_tenants(actor, Action.REQUEST_ROLLBACK).exists(),
    }
    return render(request, "rollbacks/list.html", context)


@require_http_methods(["GET", "POST"])
@page
def plan(request: PageRequest) -> HttpResponse:
    """Asks for a rollback of chosen changes, of what an actor did, or back to a snapshot."""
    actor = actor_of(request)
    requestable = permissions.visible_tenants(actor, Action.REQUEST_ROLLBACK).select_related("customer")
    if request.method == "POST" and request.POST.get("source", "changes") == "changes":
        return _plan_changes(request, actor)
    tenant = (
        get_object_or_404(permissions.visible_tenants(actor), pk=integer(request.GET.get("tenant")))
        if request.GET.get("tenant")
        else None
    )
    if tenant is None and not requestable.exists():
        raise permissions.Refused(
            f"{actor.label} may not request rollbacks. Ask an administrator for the engineer role."
        )
    if tenant is not None:
        permissions.require(actor, Action.REQUEST_ROLLBACK, tenant)
        return _plan_in(request, actor, tenant)
    return render(request, "rollbacks/plan.html", {"section": "rollbacks", "tenants": requestable})


@require_GET
@page
def detail(request: PageRequest, rollback_id: int) -> HttpResponse:
    rollback = _rollback(request, rollback_id)
    return render(request, "rollbacks/detail.html", _context(request, rollback))


@require_GET
@page
def progress(request: PageRequest, rollback_id: int) -> HttpResponse:
    """How the execution stands. When it is over, the whole rollback is rendered again, and polling ends."""
    rollback = _rollback(request, rollback_id)
    if not wants_fragment(request):
        return redirect("rollback", rollback.pk)
    if rollback.state == State.EXECUTING:
        return render(
            request, "rollbacks/_progress.html", {"rollback": rollback, **_execution_of(rollback.plan)}
        )
    response = render(request, "rollbacks/_rollback.html", _context(request, rollback))
    return reswap(retarget(response, "#rollback"), "outerHTML")


@require_http_methods(["GET", "POST"])
@page
def approve(request: PageRequest, rollback_id: int) -> HttpResponse:
    return _confirmed(
        request,
        rollback_id,
        APPROVE,
        lambda actor, rollback: services.approve(
            actor, rollback=rollback, digest=_digest(request), comment=typed(request, "comment")
        ),
    )


@require_http_methods(["GET", "POST"])
@page
def reject(request: PageRequest, rollback_id: int) -> HttpResponse:
    return _confirmed(
        request,
        rollback_id,
        REJECT,
        lambda actor, rollback: services.reject(
            actor, rollback=rollback, digest=_digest(request), reason=typed(request, "reason")
        ),
    )


@require_http_methods(["GET", "POST"])
@page
def execute(request: PageRequest, rollback_id: int) -> HttpResponse:
    resumable = _rollback(request, rollback_id).state in RESUMABLE
    return _confirmed(
        request,
        rollback_id,
        RESUME if resumable else EXECUTE,
        lambda actor, rollback: services.execute(actor, rollback=rollback),
    )


@require_http_methods(["GET", "POST"])
@page
def cancel(request: PageRequest, rollback_id: int) -> HttpResponse:
    return _confirmed(
        request, rollback_id, CANCEL, lambda actor, rollback: services.cancel(actor, rollback=rollback)
    )


@require_POST
@page
def replan(request: PageRequest, rollback_id: int) -> HttpResponse:
    return _act(
        request,
        rollback_id,
        lambda actor, rollback: services.replan(actor, rollback=rollback),
        done="Re-planned against the tenant's current state. Earlier approvals no longer count.",
    )


def _confirmed(
    request: PageRequest, rollback_id: int, act: Act, service: Callable[[Actor, Rollback], object]
) -> HttpResponse:
    """GET says what the act would do, in a dialog or on a page of its own; POST does it."""
    if request.method == "POST":
        return _act(request, rollback_id, service, done=act.done, level=act.level)
    rollback = _rollback(request, rollback_id)
    state = _context(request, rollback)
    plan = rollback.plan
    refusal = ""
    if plan is None or request.GET.get("digest") != plan.digest:
        refusal = "The plan changed after you viewed it. Review the new one first."
    elif not state[act.permission]:
        refusal = f"The rollback is {rollback.get_state_display()}, so this action is not available."
    context = {
        **state,
        "act": act,
        "refusal": refusal,
        "consequence": act.consequence.format(
            tenant=rollback.tenant.name,
            steps=_counted(len(state["steps"]), "step"),
            approvals=f"{state['given'] + 1} of {state['required']}",
        ),
        "kinds": [
            _counted(count, kind) for kind, count in Counter(step["kind"] for step in state["steps"]).items()
        ],
    }
    if wants_fragment(request):
        return render(request, "rollbacks/_confirmation.html", context)
    return render(request, "rollbacks/confirmation.html", context)


def _act(
    request: PageRequest,
    rollback_id: int,
    service: Callable[[Actor, Rollback], object],
    *,
    done: str,
    level: int = messages.SUCCESS,
) -> HttpResponse:
    rollback = _rollback(request, rollback_id)
    attempt(request, lambda: service(actor_of(request), rollback), done=done, level=level)
    return redirect("rollback", rollback.pk)


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _plan_changes(request: PageRequest, actor: Actor) -> HttpResponse:
    """Plans a rollback of the chosen changes, or asks which tenant comes first where they belong to several."""
    wanted = {pk for pk in map(integer, request.POST.getlist("change")) if pk is not None}
    chosen = list(visible_changes(actor).filter(pk__in=wanted).select_related("tenant").order_by("pk"))
    reason = request.POST.get("reason", "").strip()
    if len(chosen) != len(wanted):
        raise permissions.NotVisible("This change does not exist, or you do not have access to it.")
    if not chosen:
        messages.error(request, "Choose at least one change to roll back.")
        return redirect(_back(request))
    groups: dict[Tenant, list[Change]] = {}
    for change in chosen:
        groups.setdefault(change.tenant, []).append(change)
    if len(groups) > 1:
        context = {
            "section": "rollbacks",
            "groups": sorted(groups.items(), key=lambda group: group[0].name),
            "total": len(chosen),
            "reason": reason,
        }
        return render(request, "rollbacks/choose_tenant.html", context)
    (tenant,) = groups
    rollback = _planned(
        request, lambda: services.plan_rollback(actor, tenant=tenant, changes=chosen, reason=reason)
    )
    return redirect("rollback", rollback.pk) if rollback else redirect(_back(request))


def _planned(request: PageRequest, act: Callable[[], Rollback]) -> Rollback | None:
    """Plans, and says how much the plan covers; None where it was refused."""
    return attempt(
        request,
        act,
        done=lambda rollback: (
            f"Planned: the rollback covers {selectors.covered(rollback)}. This is the dry run; nothing "
            "has been written."
        ),
    )


def _plan_in(request: PageRequest, actor: Actor, tenant: Tenant) -> HttpResponse:
    source = request.POST.get("source")
    window = ActorWindow(
        request.POST if source == "actor" else None, initial={"actor_name": request.GET.get("actor")}
    )
    target = BackToSnapshot(
        request.POST if source == "snapshot" else None,
        auto_id="snapshot-%s",
        tenant=tenant,
        initial={name: request.GET.get(name) for name in ("snapshot", "resource_type", "resource_id")},
    )
    if source == "undo":
        return _plan_undo(request, actor, tenant)
    asked = {"actor": window, "snapshot": target}.get(source or "")
    if asked is not None and asked.is_valid():
        given = {name: value for name, value in asked.cleaned_data.items() if value not in ("", None)}
        rollback = _planned(request, lambda: services.plan_rollback(actor, tenant=tenant, **_ids(given)))
        if rollback is not None:
            return redirect("rollback", rollback.pk)
    context = {"section": "rollbacks", "tenant": tenant, "window": window, "target": target}
    return render(request, "rollbacks/plan.html", context)


def _plan_undo(request: PageRequest, actor: Actor, tenant: Tenant) -> HttpResponse:
    undone = integer(request.POST.get("undo"))
    reason = request.POST.get("reason", "").strip() or f"Undo rollback {undone}"
    rollback = _planned(
        request, lambda: services.plan_rollback(actor, tenant=tenant, undo=undone or 0, reason=reason)
    )
    return redirect("rollback", rollback.pk) if rollback else redirect(_back(request))


def _ids(given: dict[str, Any]) -> dict[str, Any]:
    """As the service takes them: a snapshot by its id."""
    return given | ({"snapshot": given["snapshot"].pk} if "snapshot" in given else {})


def _rollback(request: PageRequest, rollback_id: int) -> Rollback:
    rollbacks = selectors.visible_rollbacks(actor_of(request)).select_related(
        "tenant__customer", "requester", "plan__base_snapshot"
    )
    return get_object_or_404(rollbacks, pk=rollback_id)


def _listed(rollbacks: QuerySet[Rollback]) -> QuerySet[Rollback]:
    signatures = Count("plan__approvals", filter=Q(plan__approvals__verdict=Approval.Verdict.APPROVED))
    return (
        rollbacks.select_related("tenant__customer", "requester", "plan")
        .annotate(signed=signatures)
        .order_by("-pk")
    )


def _context(request: PageRequest, rollback: Rollback) -> dict[str, Any]:
    actor, plan, tenant = actor_of(request), rollback.plan, rollback.tenant
    is_requester = rollback.requester_id == request.user.pk
    is_expired = plan is not None and rollback.state in OPEN and plan.expires_at <= timezone.now()
    may_request = permissions.can(actor, Action.REQUEST_ROLLBACK, tenant)
    signatures, execution = _signatures_under(plan), _execution_of(plan)
    has_signed = any(
        signature.approval.approver_id == request.user.pk for signature in signatures["signatures"]
    )
    may_sign = permissions.can(actor, Action.APPROVE_ROLLBACK, tenant) and not (
        is_requester or has_signed or is_expired
    )
    return {
        "section": "rollbacks",
        "rollback": rollback,
        "plan": plan,
        "steps": _steps(rollback),
        "covered": selectors.covered(rollback),
        "earlier_plans": rollback.plans.exclude(pk=rollback.plan_id or NOBODY).prefetch_related(
            "approvals__approver"
        ),
        "is_requester": is_requester,
        "is_expired": is_expired,
        "has_signed": has_signed,
        "may_approve": may_sign and rollback.state == State.AWAITING_APPROVAL,
        "may_reject": may_sign and rollback.state in (State.AWAITING_APPROVAL, State.APPROVED),
        "may_execute": rollback.state == State.APPROVED
        and permissions.can(actor, Action.EXECUTE_ROLLBACK, tenant),
        "may_resume": rollback.state in RESUMABLE
        and execution["execution"] is not None
        and plan is not None
        and plan.expires_at > timezone.now()
        and permissions.can(actor, Action.EXECUTE_ROLLBACK, tenant),
        "may_undo": may_request and rollback.state != State.EXECUTING and selectors.wrote_anything(rollback),
        "may_cancel": rollback.state in OPEN and may_request,
        "may_replan": rollback.state in REPLANNABLE and may_request,
        **signatures,
        **execution,
    }


def _signatures_under(plan: Plan | None) -> dict[str, Any]:
    """Who signed, whose signature counts today and why, and how many are still missing."""
    if plan is None:
        return {"signatures": [], "given": 0, "required": 0, "open_places": range(0)}
    tally = signatures.tally(plan)
    given = len(tally.valid)
    return {
        "signatures": tally.signatures,
        "given": given,
        "required": tally.needed,
        "open_places": range(max(0, tally.needed - given)),
    }


def _steps(rollback: Rollback) -> list[dict[str, Any]]:
    """The plan's steps with their differences, every id named."""
    shown = selectors.as_json(rollback)
    listed, rehearsed = shown["steps"], {step["order"]: step for step in shown["dry_run"].get("steps", ())}
    fields = [[_field(each) for each in step["fields"]] for step in listed]
    names = presentation.names_in(rollback.tenant, [field for of_step in fields for field in of_step])
    return [
        {
            **step,
            "type": registry.get(step["resource_type"]),
            "rows": presentation.rows(of_step, names),
            "rehearsal": rehearsed.get(step["order"]),
            "whole": step["kind"] in WHOLE_OBJECT and of_step,
        }
        for step, of_step in zip(listed, fields, strict=True)
    ]


def _field(data: dict[str, Any]) -> FieldChange:
    return FieldChange(
        data["path"],
        data["kind"],
        data["before"],
        data["after"],
        tuple(data["added"]),
        tuple(data["removed"]),
    )


def _execution_of(plan: Plan | None) -> dict[str, Any]:
    """The execution, and for each step (by its order) where it stands."""
    execution = Execution.objects.filter(plan=plan).select_related("started_by").first()
    if plan is None or execution is None:
        return {"execution": None, "records": {}}
    records: dict[int, StepRecord] = {}
    settled: set[int] = set()
    for record in execution.records.select_related("step"):
        order = record.step.order
        records[order] = record
        if record.closes_step and record.state in SETTLED:
            settled.add(order)
    return {
        "execution": execution,
        "records": records,
        "remappings": execution.remappings.all(),
        "plan_steps": plan.steps.defer("sealed"),
        "finished_steps": len(settled),
        "resumptions": execution.resumptions.select_related("resumed_by"),
    }


def _digest(request: PageRequest) -> str:
    """Of the plan that the person saw: a signature is under that one, or under none."""
    digest = request.POST.get("digest", "")
    if not digest:
        raise InvalidInput("The form does not contain the plan that you viewed. Reload the page.")
    return digest


def _back(request: PageRequest) -> str:
    """Where the person chose the changes: the page that they came from, if it is ours and still has an address."""
    here = came_from(request)
    return here if here and urlsplit(here).path != request.path else reverse("timeline")
