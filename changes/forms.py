"""Filter forms for the timeline, the audit events and a comparison."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils import timezone

from changes.by_actor import by_actor
from changes.models import SEVERITIES, AuditEvent, Change
from changes.states import State, in_state
from snapshots.catalog import registry
from snapshots.forms import type_choices
from snapshots.selectors import Compared
from tenants.forms import DATETIME, NO_SUCH_TENANT
from tenants.models import Tenant
from tenants.web.lists import ListFilter, choose_from

PERIODS = {
    "24h": ("Last 24 hours", timedelta(hours=24)),
    "7d": ("Last 7 days", timedelta(days=7)),
    "30d": ("Last 30 days", timedelta(days=30)),
    "90d": ("Last 90 days", timedelta(days=90)),
}
USUAL = ("tenant", "actor", "period")
RARE = ("type", "kind", "state", "since", "until")


class ChangeFilter(ListFilter):
    severity = forms.MultipleChoiceField(choices=SEVERITIES, widget=forms.CheckboxSelectMultiple)
    tenant = forms.ModelChoiceField(queryset=Tenant.objects.none(), empty_label="All tenants")
    type = forms.ChoiceField(label="Resource type")
    kind = forms.ChoiceField(choices=[("", "Any kind"), *Change.Kind.choices])
    actor = forms.CharField(
        max_length=200,
        widget=forms.TextInput(attrs={"placeholder": "UPN, app or IP", "autocomplete": "off"}),
    )
    period = forms.ChoiceField(
        choices=[("", "Any time"), *((key, label) for key, (label, _) in PERIODS.items())]
    )
    since = forms.DateTimeField(widget=forms.DateTimeInput(attrs=DATETIME))
    until = forms.DateTimeField(widget=forms.DateTimeInput(attrs=DATETIME))
    state = forms.ChoiceField(
        choices=[("", "Any state"), *((state.value, state.label.capitalize()) for state in State)]
    )

    def __init__(self, data: Any, *, tenants: QuerySet[Tenant]) -> None:
        super().__init__(data)
        choose_from(self.fields["tenant"], tenants, NO_SUCH_TENANT)
        types = self.fields["type"]
        if isinstance(types, forms.ChoiceField):
            types.choices = type_choices(registry.all_types())

    def usual(self) -> list[forms.BoundField]:
        return [self[name] for name in USUAL]

    def rare(self) -> list[forms.BoundField]:
        return [self[name] for name in RARE]

    def has_rare(self) -> bool:
        return any(self.data.get(name) for name in RARE)

    def _narrow(self, changes: QuerySet[Change], asked: dict[str, Any]) -> QuerySet[Change]:
        exact = {
            "severity__in": asked["severity"],
            "tenant": asked["tenant"],
            "resource_type": asked["type"],
            "kind": asked["kind"],
            "detected_at__gte": asked["since"] or _start_of(asked["period"]),
            "detected_at__lte": asked["until"],
        }
        changes = changes.filter(**{lookup: value for lookup, value in exact.items() if value})
        if asked["state"]:
            changes = in_state(changes, asked["state"])
        if asked["actor"]:
            changes = by_actor(changes, asked["actor"].strip())
        return changes


def _start_of(period: str) -> datetime | None:
    return timezone.now() - PERIODS[period][1] if period else None


class AuditEventFilter(ListFilter):
    tenant = forms.ModelChoiceField(queryset=Tenant.objects.none(), empty_label="All tenants")
    actor = forms.CharField(max_length=200)
    activity = forms.CharField(max_length=200)
    since = forms.DateTimeField(widget=forms.DateTimeInput(attrs=DATETIME), label="Since (UTC)")
    until = forms.DateTimeField(widget=forms.DateTimeInput(attrs=DATETIME), label="Until (UTC)")

    def __init__(self, data: Any, *, tenants: QuerySet[Tenant]) -> None:
        super().__init__(data)
        choose_from(self.fields["tenant"], tenants, NO_SUCH_TENANT)

    def _narrow(self, rows: QuerySet[AuditEvent], asked: dict[str, Any]) -> QuerySet[AuditEvent]:
        wanted = {
            "tenant": asked["tenant"],
            "actor_name__icontains": asked["actor"],
            "activity__icontains": asked["activity"],
            "occurred_at__gte": asked["since"],
            "occurred_at__lte": asked["until"],
        }
        return rows.filter(**{lookup: value for lookup, value in wanted.items() if value})


class ComparisonFilter(ListFilter):
    """Filters resources that differ between two snapshots, which are not database rows."""

    base = forms.IntegerField(widget=forms.HiddenInput)
    target = forms.IntegerField(widget=forms.HiddenInput)
    type = forms.ChoiceField(label="Resource type")
    kind = forms.ChoiceField(choices=[("", "Any kind"), *Change.Kind.choices])
    name = forms.CharField(max_length=400, label="Name or ID")

    def __init__(self, data: Any, *, differing: Sequence[Compared]) -> None:
        super().__init__(data)
        types = self.fields["type"]
        if isinstance(types, forms.ChoiceField):
            counts = Counter(each.resource_type for each in differing)
            types.choices = type_choices(map(registry.get, counts), counts)

    def of(self, differing: Sequence[Compared]) -> list[Compared]:
        if not self.is_valid():
            return []
        asked = self.cleaned_data
        text = asked["name"].casefold()
        return [
            each
            for each in differing
            if asked["type"] in ("", each.resource_type)
            and asked["kind"] in ("", each.kind)
            and (text in each.display_name.casefold() or text in each.resource_id.casefold())
        ]
