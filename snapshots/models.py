"""Snapshots, their coverage, and the store of versions: an unchanged resource adds no row to a new snapshot."""

from django.db import models

from tenants.models import Tenant


class Snapshot(models.Model):
    """The state of a tenant's resources at one time. The row is created when the complete snapshot becomes
    visible.
    """

    class Mode(models.TextChoices):
        FULL = "full", "full"
        INCREMENTAL = "incremental", "incremental"

    class Status(models.TextChoices):
        COMPLETE = "complete", "complete"
        PARTIAL = "partial", "partial"

    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="snapshots")
    number = models.PositiveIntegerField(help_text="Counts from 1 within the tenant.")
    run_id = models.BigIntegerField(null=True)
    mode = models.CharField(max_length=12, choices=Mode.choices, default=Mode.FULL)
    """The mode that was used, not the requested one."""
    status = models.CharField(max_length=8, choices=Status.choices)
    requested_by = models.CharField(max_length=200)
    started_at = models.DateTimeField()
    completed_at = models.DateTimeField()
    previous_root = models.CharField(max_length=64, blank=True)
    root = models.CharField(max_length=64)
    resource_count = models.PositiveIntegerField()
    requests = models.PositiveIntegerField(default=0, help_text="Number of HTTP requests of the collection.")

    class Meta:
        default_permissions = ()
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["tenant", "number"], name="snapshot_number_counts_per_tenant")
        ]

    def __str__(self) -> str:
        return f"snapshot {self.number} of {self.tenant}"


class Coverage(models.Model):
    """Whether a snapshot contains a resource type completely and, if not, the reason and the remedy."""

    class Status(models.TextChoices):
        COMPLETE = "complete", "complete"
        PARTIAL = "partial", "partial"
        FORBIDDEN = "forbidden", "forbidden"
        UNLICENSED = "unlicensed", "unlicensed"
        FAILED = "failed", "failed"
        NOT_REQUESTED = "not_requested", "not requested"
        NOT_APPLICABLE = "not_applicable", "not applicable"

    snapshot = models.ForeignKey(Snapshot, on_delete=models.CASCADE, related_name="coverage")
    resource_type = models.CharField(max_length=80)
    status = models.CharField(max_length=14, choices=Status.choices)
    count = models.PositiveIntegerField(default=0)
    reason = models.TextField(blank=True)
    remedy = models.TextField(blank=True)
    beside = models.JSONField(
        default=list, blank=True, help_text="Other listings that were read with this type."
    )

    class Meta:
        default_permissions = ()
        ordering = ["resource_type"]
        verbose_name_plural = "coverage"
        constraints = [
            models.UniqueConstraint(fields=["snapshot", "resource_type"], name="one_coverage_per_type")
        ]

    def __str__(self) -> str:
        return f"{self.resource_type}: {self.status}"


class Blob(models.Model):
    """A content: compressed, encrypted with the tenant's data key, addressed by its keyed digest. A document
    is stored whole or split. If split, the row with its digest is an outline that lists the pieces of its
    long lists; each piece is a row that other versions can share.
    """

    class Kind(models.TextChoices):
        WHOLE = "whole", "whole document"
        SPLIT = "split", "outline of a split document"
        PIECE = "piece", "piece of a long list"

    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="+")
    digest = models.CharField(max_length=64)
    kind = models.CharField(max_length=5, choices=Kind.choices, default=Kind.WHOLE)
    data = models.BinaryField()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["tenant", "digest"], name="blob_is_stored_once_per_tenant")
        ]

    def __str__(self) -> str:
        return self.digest[:12]


class Version(models.Model):
    """One content of one resource, valid from its first snapshot through its last (null: still valid)."""

    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="versions")
    resource_type = models.CharField(max_length=80)
    resource_id = models.CharField(max_length=400)
    digest = models.CharField(max_length=64)
    spec_version = models.PositiveSmallIntegerField(default=1)
    display_name = models.CharField(max_length=400, blank=True)
    first_snapshot = models.ForeignKey(Snapshot, on_delete=models.PROTECT, related_name="+")
    last_snapshot = models.ForeignKey(Snapshot, on_delete=models.PROTECT, related_name="+", null=True)

    class Meta:
        default_permissions = ()
        ordering = ["tenant", "resource_type", "resource_id", "first_snapshot"]
        indexes = [
            models.Index(fields=["tenant", "resource_type", "resource_id", "first_snapshot"]),
            models.Index(fields=["tenant", "last_snapshot", "first_snapshot"]),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "resource_type", "resource_id"],
                condition=models.Q(last_snapshot__isnull=True),
                name="one_current_version",
            )
        ]

    def __str__(self) -> str:
        return f"{self.resource_type} {self.display_name or self.resource_id}"


class Principal(models.Model):
    """The name and kind of a directory object that configuration refers to, for display and grading. Not
    versioned: only the latest facts are stored.
    """

    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="principals")
    object_id = models.CharField(max_length=64)
    kind = models.CharField(max_length=40)
    display_name = models.CharField(max_length=400, blank=True)
    user_principal_name = models.CharField(max_length=400, blank=True)
    is_guest = models.BooleanField(default=False)
    seen_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["tenant", "object_id"], name="one_principal_per_object")
        ]

    def __str__(self) -> str:
        return self.user_principal_name or self.display_name or self.object_id
