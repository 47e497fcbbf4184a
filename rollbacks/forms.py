"""What may be asked for on the page that plans a rollback of more than a few chosen changes, in one tenant."""

from typing import Any

from django import forms

from snapshots.catalog import registry
from snapshots.models import Snapshot
from tenants.models import Tenant

MOMENT = {"type": "datetime-local", "step": "1"}


class SnapshotChoice(forms.ModelChoiceField):  # type: ignore[type-arg]
    def label_from_instance(self, obj: Any) -> str:
        return f"{obj.number}: {obj.completed_at:%Y-%m-%d %H:%M} UTC"


def _reason() -> forms.CharField:
    return forms.CharField(
        required=False,
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 2}),
        label="Reason, for the approvers",
    )


class ActorWindow(forms.Form):
    """Everything that one actor did in a period."""

    actor_name = forms.CharField(max_length=400, label="Actor (UPN or application)")
    since = forms.DateTimeField(label="From (UTC)", widget=forms.DateTimeInput(attrs=MOMENT))
    until = forms.DateTimeField(label="To (UTC)", widget=forms.DateTimeInput(attrs=MOMENT))
    reason = _reason()


class BackToSnapshot(forms.Form):
    """The tenant, one type of it, or one resource, as a snapshot has it."""

    snapshot = SnapshotChoice(queryset=Snapshot.objects.none(), empty_label=None)
    resource_type = forms.ChoiceField(required=False, label="Only this type")
    resource_id = forms.CharField(required=False, max_length=400, label="Only this resource (id)")
    reason = _reason()

    def __init__(self, data: Any = None, *, tenant: Tenant, **options: Any) -> None:
        super().__init__(data, **options)
        snapshots, types = self.fields["snapshot"], self.fields["resource_type"]
        if isinstance(snapshots, forms.ModelChoiceField):
            snapshots.queryset = Snapshot.objects.filter(tenant=tenant)
        if isinstance(types, forms.ChoiceField):
            types.choices = [("", "All types"), *((spec.key, spec.plural) for spec in registry.all_types())]
