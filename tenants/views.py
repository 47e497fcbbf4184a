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
from tenants.forms import OwnPasswordForm
from tenants.models import Run
from tenants.web import PageRequest, actor_of, integer, page, wants_fragment

PAGE_SIZE = 100
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
    entries = selectors.readable_entries(actor)
    asked = {name: request.GET.get(name, "").strip() for name in ("actor", "action")}
    if asked["actor"]:
        entries = entries.filter(actor__icontains=asked["actor"])
    if asked["action"]:
        entries = entries.filter(action__startswith=asked["action"])
    older_than = integer(request.GET.get("before"))
    if older_than is not None:
        entries = entries.filter(sequence__lt=older_than)
    found = list(entries.order_by("-sequence")[: PAGE_SIZE + 1])
    names = dict(access.visible_tenants(actor).values_list("pk", "name"))
    context = {
        "section": "ledger",
        "entries": found[:PAGE_SIZE],
        "next_before": found[PAGE_SIZE - 1].sequence if len(found) > PAGE_SIZE else None,
        "names": names,
        "asked": asked,
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
