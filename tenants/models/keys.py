"""Wrapped data keys."""

from django.db import models
from django.db.models.functions import Coalesce


class DataKey(models.Model):
    """A data key, wrapped by the master key: one for each tenant, and one (tenant null) for the platform."""

    tenant = models.OneToOneField(
        "tenants.Tenant", on_delete=models.PROTECT, null=True, blank=True, related_name="data_key"
    )
    wrapped = models.BinaryField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(Coalesce("tenant", models.Value(0)), name="one_data_key_per_scope")
        ]

    def __str__(self) -> str:
        return f"data key of {self.tenant or 'the platform'}"
