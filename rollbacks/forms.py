"""What may be asked for on the page that plans a rollback of more than a few chosen changes."""

from typing import Any

from django import forms
from django.db.models import QuerySet

from snapshots.models import Snapshot
from tenants.models import Tenant

MOMENT = {"type": "datetime-local", "step": "1"}


class _OnTenant(forms.Form):
    """Common to both: the tenant among those on which the actor may request rollbacks, and the reason."""

    tenant = forms.ModelChoiceField(queryset=Tenant.objects.none())
    reason = forms.CharField(
        required=False, max_length=1000, widget=forms.Textarea(attrs={"rows": 2}), label="Reason, for the approvers"
    )

    field_order = ("tenant",)

    def __init__(self, data: Any = None, *, tenants: QuerySet[Tenant], **options: Any) -> None:
        super().__init__(data, **options)
        self._choose_from("tenant", tenants)

    def _choose_from(self, name: str, rows: QuerySet[Any]) -> None:
        field = self.fields[name]
        if isinstance(field, forms.ModelChoiceField):
            field.queryset = rows


class ActorWindow(_OnTenant):
    """Everything that one actor did in a period."""

    actor_name = forms.CharField(max_length=400, label="Actor (UPN or application)")
    since = forms.DateTimeField(label="From (UTC)", widget=forms.DateTimeInput(attrs=MOMENT))
    until = forms.DateTimeField(label="To (UTC)", widget=forms.DateTimeInput(attrs=MOMENT))

    field_order = ("tenant", "actor_name", "since", "until", "reason")


class BackToSnapshot(_OnTenant):
    """A tenant, one type of it, or one resource, as a snapshot has it."""

    snapshot = forms.ModelChoiceField(queryset=Snapshot.objects.none())
    resource_type = forms.CharField(required=False, max_length=80)
    resource_id = forms.CharField(required=False, max_length=400)

    field_order = ("tenant", "snapshot", "resource_type", "resource_id", "reason")

    def __init__(self, data: Any = None, *, snapshots: QuerySet[Snapshot], **options: Any) -> None:
        super().__init__(data, **options)
        self._choose_from("snapshot", snapshots)
