"""What may be asked of a tenant's recoverability, and how it narrows the resources."""

from typing import Any

from django import forms
from django.db.models import QuerySet

from snapshots import recoverability
from snapshots.catalog import registry
from snapshots.models import Version
from snapshots.restorability import Verdict
from tenants.models import Tenant


class RestorabilityFilter(forms.Form):
    """Every field is optional; what does not parse narrows to nothing and says so."""

    type = forms.ChoiceField(required=False, label="Resource type")
    verdict = forms.ChoiceField(
        choices=[("", "Any verdict"), *((verdict.value, verdict.label) for verdict in Verdict)],
        required=False,
    )
    name = forms.CharField(required=False, max_length=200)

    def __init__(self, data: Any) -> None:
        super().__init__(data, auto_id="filter-%s")
        types = self.fields["type"]
        if isinstance(types, forms.ChoiceField):
            known = sorted(registry.all_types(), key=lambda spec: spec.plural.lower())
            types.choices = [("", "All types"), *((spec.key, spec.plural) for spec in known)]

    def narrow(self, tenant: Tenant) -> QuerySet[Version]:
        """The tenant's current versions that were asked for, in the order of the page."""
        found = recoverability.current(tenant).order_by("resource_type", "display_name", "pk")
        if not self.is_valid():
            return found.none()
        asked = self.cleaned_data
        if asked["type"]:
            found = found.filter(resource_type=asked["type"])
        if asked["name"]:
            found = found.filter(display_name__icontains=asked["name"])
        if asked["verdict"]:
            found = recoverability.with_verdict(tenant, found, Verdict(asked["verdict"]))
        return found
