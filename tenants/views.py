"""Pages of the platform itself: a run's progress, the ledger, and one's own password."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.views import PasswordChangeView
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from tenants import access, selectors
from tenants.forms import LedgerFilter, OwnPasswordForm
from tenants.lists import newest_first
from tenants.models import Run
from tenants.web import PageRequest, actor_of, page, wants_fragment

PAGE_SIZE = 50
UNFINISHED = frozenset({Run.State.QUEUED.value, Run.State.RUNNING.value})


@require_GET
@page
def run(request: PageRequest, run_id: int) -> HttpResponse:
    """How a run stands; asked again every second by the page that started it, until it is finished."""
    runs = Run.objects.filter(tenant__in=access.visible_tenants(actor_of(request))).select_related("tenant")
    found = get_object_or_404(runs, pk=run_id)
    context = {"section": "tenants", "run": found, "unfinished": found.state in UNFINISHED}
    return render(request, "tenants/_run.html" if wants_fragment(request) else "tenants/run.html", context)


@require_GET
@page
def ledger(request: PageRequest) -> HttpResponse:
    """Who did what in this product, within the reader's scope."""
    actor = actor_of(request)
    if not selectors.may_read_ledger(actor):
        raise access.Refused(
            f"{actor.label} may not read the ledger. Ask an administrator for the auditor's role."
        )
    tenants = access.visible_tenants(actor).select_related("customer")
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
    """For everybody who is signed in, portal accounts included."""

    form_class = OwnPasswordForm
    template_name = "registration/password.html"
    success_url = reverse_lazy("overview")

    def form_valid(self, form: Any) -> HttpResponse:
        messages.success(
            self.request, "Your password is changed. Your other sessions and your API tokens have ended."
        )
        return super().form_valid(form)


password = never_cache(OwnPassword.as_view())
