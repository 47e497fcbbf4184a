"""What may be asked of the timeline, and how it narrows the changes that the actor sees."""

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.db.models import Q, QuerySet
from django.utils import timezone

from changes.models import SEVERITIES, Change
from snapshots.catalog import registry
from tenants.models import Tenant

PERIODS = {
    "24h": ("Last 24 hours", timedelta(hours=24)),
    "7d": ("Last 7 days", timedelta(days=7)),
    "30d": ("Last 30 days", timedelta(days=30)),
    "90d": ("Last 90 days", timedelta(days=90)),
}
USUAL = ("tenant", "actor", "period")
RARE = ("type", "kind", "state", "since", "until")
DATETIME = {"type": "datetime-local"}


class ChangeFilter(forms.Form):
    """Every field is optional; what does not parse narrows to nothing and says so."""

    severity = forms.MultipleChoiceField(
        choices=SEVERITIES, required=False, widget=forms.CheckboxSelectMultiple
    )
    tenant = forms.ModelChoiceField(queryset=Tenant.objects.none(), required=False, empty_label="All tenants")
    type = forms.ChoiceField(required=False, label="Resource type")
    kind = forms.ChoiceField(choices=[("", "Any kind"), *Change.Kind.choices], required=False)
    actor = forms.CharField(
        required=False,
        max_length=200,
        widget=forms.TextInput(attrs={"placeholder": "UPN, app or IP", "autocomplete": "off"}),
    )
    period = forms.ChoiceField(
        choices=[("", "Any time"), *((key, label) for key, (label, _) in PERIODS.items())], required=False
    )
    since = forms.DateTimeField(required=False, widget=forms.DateTimeInput(attrs=DATETIME))
    until = forms.DateTimeField(required=False, widget=forms.DateTimeInput(attrs=DATETIME))
    state = forms.ChoiceField(
        choices=[("", "All"), ("open", "Not acknowledged"), ("acknowledged", "Acknowledged")],
        required=False,
        label="Triage",
    )

    def __init__(self, data: Any, *, tenants: QuerySet[Tenant]) -> None:
        super().__init__(data, prefix=None, auto_id="filter-%s")
        field = self.fields["tenant"]
        if isinstance(field, forms.ModelChoiceField):
            field.queryset = tenants
            field.error_messages["invalid_choice"] = "There is no such tenant, or you cannot see it."
        types = self.fields["type"]
        if isinstance(types, forms.ChoiceField):
            types.choices = [("", "All types"), *((spec.key, spec.plural) for spec in _by_label())]

    def usual(self) -> list[forms.BoundField]:
        return [self[name] for name in USUAL]

    def rare(self) -> list[forms.BoundField]:
        return [self[name] for name in RARE]

    def has_rare(self) -> bool:
        return any(self.data.get(name) for name in RARE)

    def narrow(self, changes: QuerySet[Change]) -> QuerySet[Change]:
        if not self.is_valid():
            return changes.none()
        asked = self.cleaned_data
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
            changes = changes.filter(acknowledgement__isnull=asked["state"] == "open")
        if asked["actor"]:
            changes = changes.filter(pk__in=_by_actor(changes, asked["actor"].strip()))
        return changes


def _by_actor(changes: QuerySet[Change], text: str) -> QuerySet[Change, Any]:
    matches = Q(attributions__event__actor_name__icontains=text) | Q(attributions__event__ip=text)
    return changes.filter(matches).values("pk")


def _start_of(period: str) -> datetime | None:
    return timezone.now() - PERIODS[period][1] if period else None


def _by_label() -> list[Any]:
    return sorted(registry.all_types(), key=lambda spec: spec.plural.lower())
