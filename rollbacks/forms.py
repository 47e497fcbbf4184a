"""Forms for planning a rollback of a tenant, and for filtering the list of rollbacks."""

from typing import Any

from django import forms
from django.db.models import QuerySet

from rollbacks.models import Rollback
from rollbacks.states import State
from snapshots.catalog import registry
from snapshots.models import Snapshot
from tenants.forms import NO_SUCH_TENANT
from tenants.models import Tenant
from tenants.web.lists import ListFilter, choose_from

MOMENT = {"type": "datetime-local", "step": "1"}
GROUPS: dict[str, tuple[str, tuple[State, ...]]] = {
    "open": ("Open", (State.DRAFT, State.AWAITING_APPROVAL, State.APPROVED, State.EXECUTING)),
    "executed": ("Executed", (State.VERIFIED, State.DIFFERS)),
    "stopped": ("Stopped", (State.STALE, State.FAILED, State.PARTLY)),
    "closed": ("Not executed", (State.REJECTED, State.EXPIRED, State.CANCELLED)),
}
"""Groups of states for filtering."""


class RollbackFilter(ListFilter):
    state = forms.ChoiceField(
        choices=[
            ("", "Any state"),
            ("Groups", [(key, label) for key, (label, _) in GROUPS.items()]),
            ("States", [(value, label.capitalize()) for value, label in State.choices]),
        ]
    )
    tenant = forms.ModelChoiceField(queryset=Tenant.objects.none(), empty_label="All tenants")
    requester = forms.CharField(max_length=150, label="Requested by")
    reason = forms.CharField(max_length=200)

    def __init__(self, data: Any, *, tenants: QuerySet[Tenant]) -> None:
        super().__init__(data)
        choose_from(self.fields["tenant"], tenants, NO_SUCH_TENANT)

    def _narrow(self, rows: QuerySet[Rollback], asked: dict[str, Any]) -> QuerySet[Rollback]:
        state = asked["state"]
        wanted = {
            "state__in": GROUPS[state][1] if state in GROUPS else (state,) if state else (),
            "tenant": asked["tenant"],
            "requester__username__icontains": asked["requester"],
            "reason__icontains": asked["reason"],
        }
        return rows.filter(**{lookup: value for lookup, value in wanted.items() if value})


class SnapshotChoice(forms.ModelChoiceField):  # type: ignore[type-arg]
    def label_from_instance(self, obj: Any) -> str:
        return f"{obj.number}: {obj.completed_at:%Y-%m-%d %H:%M} UTC"


def _reason() -> forms.CharField:
    return forms.CharField(
        required=False,
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 2}),
        label="Reason (shown to approvers)",
    )


class ActorWindow(forms.Form):
    """All changes by one actor in a period."""

    actor_name = forms.CharField(max_length=400, label="Actor (UPN or application)")
    since = forms.DateTimeField(label="From (UTC)", widget=forms.DateTimeInput(attrs=MOMENT))
    until = forms.DateTimeField(label="To (UTC)", widget=forms.DateTimeInput(attrs=MOMENT))
    reason = _reason()


class BackToSnapshot(forms.Form):
    """The state of the tenant, of one type or of one resource in a snapshot."""

    snapshot = SnapshotChoice(queryset=Snapshot.objects.none(), empty_label=None)
    resource_type = forms.ChoiceField(required=False, label="Only this type")
    resource_id = forms.CharField(required=False, max_length=400, label="Only this resource (ID)")
    reason = _reason()

    def __init__(self, data: Any = None, *, tenant: Tenant, **options: Any) -> None:
        super().__init__(data, **options)
        snapshots, types = self.fields["snapshot"], self.fields["resource_type"]
        if isinstance(snapshots, forms.ModelChoiceField):
            snapshots.queryset = Snapshot.objects.filter(tenant=tenant)
        if isinstance(types, forms.ChoiceField):
            types.choices = [("", "All types"), *((spec.key, spec.plural) for spec in registry.all_types())]
