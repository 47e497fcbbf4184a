"""Durable work: the queue only carries a hint; the row is authoritative."""

from django.db import models


class Run(models.Model):
    """A collection, attribution pass or execution, with its attempts, lease and fencing token."""

    class Kind(models.TextChoices):
        COLLECT = "collect", "collection"
        ATTRIBUTE = "attribute", "attribution"
        EXECUTE = "execute", "execution"

    class State(models.TextChoices):
        QUEUED = "queued", "queued"
        RUNNING = "running", "running"
        SUCCEEDED = "succeeded", "succeeded"
        FAILED = "failed", "failed"
        QUARANTINED = "quarantined", "quarantined"

    tenant = models.ForeignKey("tenants.Tenant", on_delete=models.PROTECT, related_name="runs")
    kind = models.CharField(max_length=12, choices=Kind.choices)
    state = models.CharField(max_length=12, choices=State.choices, default=State.QUEUED)
    parameters = models.JSONField(default=dict)
    requested_by = models.CharField(max_length=200)
    attempts = models.PositiveSmallIntegerField(default=0)
    fencing_token = models.PositiveIntegerField(default=0)
    lease_until = models.DateTimeField(null=True)
    owner = models.CharField(max_length=255, blank=True, help_text="The process that holds the lease.")
    heartbeat_at = models.DateTimeField(null=True)
    error = models.TextField(blank=True)
    result = models.JSONField(default=dict)
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["tenant", "kind", "-id"]),
            models.Index(fields=["state", "lease_until"]),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "kind"],
                condition=models.Q(state="running"),
                name="one_running_run_per_tenant_and_kind",
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.pk} of {self.tenant}"
