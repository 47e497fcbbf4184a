"""Pages of this app: the progress of a run, the ledger, and changing the password."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.views import PasswordChangeView
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse_lazy
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from tenants import selectors
from tenants.access import permissions
from tenants.control import confirmation, record
from tenants.control.presentation import sentence
from tenants.forms import LedgerFilter, OwnPasswordForm
from tenants.models import Run
from tenants.web.lists import newest_first
from tenants.web.pages import PageRequest, actor_of, attempt, page, wants_fragment

PAGE_SIZE = 50
UNFINISHED = frozenset({Run.State.QUEUED.value, Run.State.RUNNING.value})


@require_GET
@page
def run(request: PageRequest, run_id: int) -> HttpResponse:
    """The progress of a run. The page that started it polls every second until the run is finished."""
    runs = Run.objects.filter(tenant__in=permissions.visible_tenants(actor_of(request))).select_related(
        "tenant"
    )
    found = get_object_or_404(runs, pk=run_id)
    context = {"section": "tenants", "run": found, "unfinished": found.state in UNFINISHED}
    return render(request, "tenants/_run.html" if wants_fragment(request) else "tenants/run.html", context)


@require_GET
@page
def ledger(request: PageRequest) -> HttpResponse:
    """The ledger, within the user's scope."""
    actor = actor_of(request)
    selectors.require_ledger(actor)
    tenants = permissions.visible_tenants(actor).select_related("customer")
    form = LedgerFilter(request.GET, tenants=tenants)
    context = {
        "section": "ledger",
        "form": form,
        "entries": newest_first(
            request, form.narrow(selectors.readable_entries(actor)), PAGE_SIZE, key="sequence"
        ),
        "names": dict(tenants.values_list("pk", "name")),
    }
    return render(request, "tenants/ledger.html", context)


class OwnPassword(PasswordChangeView):
    """For all signed-in users, including portal accounts."""

    form_class = OwnPasswordForm
    template_name = "registration/password.html"
    success_url = reverse_lazy("overview")

    def form_valid(self, form: Any) -> HttpResponse:
        messages.success(
            self.request,
            "Your password was changed. Your other sessions were signed out and your API tokens revoked.",
        )
        return super().form_valid(form)


password = never_cache(OwnPassword.as_view())


@require_GET
@page
def confirmations(request: PageRequest) -> HttpResponse:
    """Control actions waiting for a second administrator. Read-only for auditors."""
    actor = actor_of(request)
    selectors.require_ledger(actor)
    log, now = record.load(), timezone.now()
    by_number = {act.number: act for act in log.acts}
    context = {
        "section": "confirmations",
        "acts": [
            {
                "row": row,
                "sentence": sentence(row),
                "may_confirm": confirmation.may_administer(actor, row),
                "obstacle": confirmation.obstacle(request.user, by_number[row.number], log, now),
            }
            for row in confirmation.waiting(actor, now)
        ],
    }
    return render(request, "tenants/confirmations.html", context)


@require_POST
@page
def confirm(request: PageRequest, number: int) -> HttpResponse:
    actor = actor_of(request)
    selectors.require_ledger(actor)
    act = get_object_or_404(confirmation.visible_acts(actor), number=number)
    attempt(
        request,
        lambda: confirmation.confirm(actor, act=act),
        done="Confirmed. The action no longer gives anyone control."
        if act.subject
        else "Confirmed. The new policy is now in force.",
    )
    return redirect("confirmations")
