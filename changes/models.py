"""Changes with their findings (facts, fixed at detection), audit events, and attributions (which may come late)."""

from django.db import models

from snapshots.models import Snapshot
from tenants.models import Tenant, User

SEVERITIES = [
    ("critical", "critical"),
    ("high", "high"),
    ("medium", "medium"),
    ("low", "low"),
    ("informational", "informational"),
]


class Change(models.Model):
    """A difference of one resource between two consecutive states. Append-only. Both contents are in the
    store under their digests; the JSON Patch is computed from them.
    """

    class Kind(models.TextChoices):
        CREATED = "created", "created"
        UPDATED = "updated", "updated"
        DELETED = "deleted", "deleted"

    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="changes")
    snapshot = models.ForeignKey(Snapshot, on_delete=models.PROTECT, related_name="changes")
    previous_snapshot = models.ForeignKey(Snapshot, on_delete=models.PROTECT, related_name="+")
    resource_type = models.CharField(max_length=80)
    resource_id = models.CharField(max_length=400)
    display_name = models.CharField(max_length=400, blank=True)
    kind = models.CharField(max_length=8, choices=Kind.choices)
    before_digest = models.CharField(max_length=64, blank=True)
    after_digest = models.CharField(max_length=64, blank=True)
    severity = models.CharField(max_length=13, choices=SEVERITIES)
    direction = models.CharField(max_length=12)
    summary = models.CharField(max_length=500, help_text="The reason of the most severe finding.")
    earliest_at = models.DateTimeField(
        help_text="The earliest possible time: when the previous state was read."
    )
    detected_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["tenant", "-id"]),
            models.Index(fields=["tenant", "severity", "-id"]),
            models.Index(fields=["tenant", "-detected_at"]),
            models.Index(fields=["tenant", "resource_type", "resource_id", "-id"]),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["snapshot", "resource_type", "resource_id"], name="a_change_is_recorded_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.resource_type} {self.display_name or self.resource_id} {self.kind}"

    @property
    def resolution(self) -> "Resolution | None":
        """How one of our rollbacks relates to this change; None if there is none or a later one reopened the
        change. Uses the rows prefetched by `with_details`.
        """
        newest = max(self.resolutions.all(), key=lambda resolution: resolution.pk, default=None)
        return None if newest is None or newest.kind == Resolution.Kind.REOPENED else newest


class Finding(models.Model):
    """One rule's verdict on a change. Append-only."""

    change = models.ForeignKey(Change, on_delete=models.PROTECT, related_name="findings")
    rule = models.CharField(max_length=80)
    severity = models.CharField(max_length=13, choices=SEVERITIES)
    direction = models.CharField(max_length=12)
    reason = models.CharField(max_length=500)
    technique = models.CharField(max_length=16, blank=True, help_text="MITRE ATT&CK ID.")

    class Meta:
        default_permissions = ()
        ordering = ["id"]

    def __str__(self) -> str:
        return self.rule


class Acknowledgement(models.Model):
    """A user acknowledged the change. Stored separately, because the change itself is immutable."""

    change = models.OneToOneField(Change, on_delete=models.PROTECT, related_name="acknowledgement")
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    note = models.TextField(blank=True)
    batch = models.CharField(max_length=32, editable=False, help_text="Its proof in the ledger.")

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"acknowledged by {self.by}"


class Resolution(models.Model):
    """How one of our rollbacks relates to a change: it undid it, made it, or reopened it by undoing an
    earlier rollback. Append-only; the latest row counts.
    """

    class Kind(models.TextChoices):
        ROLLED_BACK = "rolled_back", "rolled back"
        EXPECTED = "expected", "expected"
        REOPENED = "reopened", "reopened"

    change = models.ForeignKey(Change, on_delete=models.PROTECT, related_name="resolutions")
    kind = models.CharField(max_length=11, choices=Kind.choices)
    rollback = models.PositiveBigIntegerField(help_text="Number of the rollback.")
    verified = models.BooleanField(help_text="The rollback was verified.")
    at = models.DateTimeField()
    batch = models.CharField(max_length=32, editable=False, help_text="Its proof in the ledger.")

    class Meta:
        default_permissions = ()
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["change", "kind", "rollback", "verified"], name="a_rollback_resolves_a_change_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.change}: {self.get_kind_display()} by rollback {self.rollback}"


class AuditEvent(models.Model):
    """A record of one of Microsoft's audit logs, stored longer than Microsoft keeps it. Append-only. `sealed`
    is the original record, encrypted with the tenant's data key.
    """

    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="audit_events")
    event_id = models.CharField(max_length=200)
    source = models.CharField(max_length=20, default="directoryAudit")
    activity = models.CharField(max_length=300)
    category = models.CharField(max_length=100, blank=True)
    service = models.CharField(max_length=100, blank=True)
    result = models.CharField(max_length=20, blank=True)
    occurred_at = models.DateTimeField()
    correlation_id = models.CharField(max_length=100, blank=True)
    actor_type = models.CharField(max_length=20, help_text="user, application or unknown")
    actor_id = models.CharField(max_length=64, blank=True)
    actor_name = models.CharField(max_length=400, blank=True, help_text="UPN, or the application's name.")
    actor_app_id = models.CharField(max_length=64, blank=True)
    ip = models.CharField(max_length=64, blank=True)
    targets = models.JSONField(default=list, help_text="[{id, name, type, properties: [names]}]")
    sealed = models.BinaryField(editable=False)
    received_at = models.DateTimeField()
    batch = models.CharField(max_length=32, editable=False, help_text="Its proof in the ledger.")

    class Meta:
        default_permissions = ()
        ordering = ["-occurred_at"]
        indexes = [
            models.Index(fields=["tenant", "-occurred_at"]),
            models.Index(fields=["tenant", "actor_name"]),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "source", "event_id"], name="an_audit_event_is_kept_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.activity} by {self.actor_name or 'unknown'}"


class SignIn(models.Model):
    """A sign-in record, used to find the country of an audit event's IP address."""

    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="+")
    event_id = models.CharField(max_length=200)
    principal_id = models.CharField(max_length=64)
    user_principal_name = models.CharField(max_length=400, blank=True)
    app_id = models.CharField(max_length=64, blank=True)
    ip = models.CharField(max_length=64, blank=True)
    country = models.CharField(max_length=2, blank=True)
    city = models.CharField(max_length=200, blank=True)
    occurred_at = models.DateTimeField()
    batch = models.CharField(max_length=32, editable=False, help_text="Its proof in the ledger.")

    class Meta:
        default_permissions = ()
        ordering = ["-occurred_at"]
        indexes = [models.Index(fields=["tenant", "principal_id", "-occurred_at"])]
        constraints = [models.UniqueConstraint(fields=["tenant", "event_id"], name="a_sign_in_is_kept_once")]

    def __str__(self) -> str:
        return f"{self.user_principal_name or self.principal_id} from {self.ip}"


class Attribution(models.Model):
    """The link of a change to an audit event, with confidence and how it was found. Append-only."""

    class Confidence(models.TextChoices):
        HIGH = "high", "high"
        MEDIUM = "medium", "medium"
        LOW = "low", "low"

    class CountrySource(models.TextChoices):
        SIGN_IN = "sign-in", "sign-in log"
        GEOIP = "geoip", "GeoIP file"
        NONE = "", "unknown"

    LIKELIEST_FIRST = ("-score", "-event__occurred_at", "-pk")
    """Orders the attributions of one change."""

    change = models.ForeignKey(Change, on_delete=models.PROTECT, related_name="attributions")
    event = models.ForeignKey(AuditEvent, on_delete=models.PROTECT, related_name="attributions")
    confidence = models.CharField(max_length=6, choices=Confidence.choices)
    score = models.PositiveSmallIntegerField(help_text="0 to 100")
    why = models.JSONField(default=list, help_text="Why this event was matched.")
    country = models.CharField(max_length=2, blank=True)
    country_source = models.CharField(max_length=8, choices=CountrySource.choices, blank=True)
    ours = models.BooleanField(default=False, help_text="The change was made by a rollback.")
    made_at = models.DateTimeField()
    batch = models.CharField(max_length=32, editable=False, help_text="Its proof in the ledger.")

    class Meta:
        default_permissions = ()
        ordering = ["-score", "-event__occurred_at", "id"]
        constraints = [
            models.UniqueConstraint(fields=["change", "event"], name="an_event_is_attributed_once")
        ]

    def __str__(self) -> str:
        return f"{self.change} ← {self.event}"


class AuditCursor(models.Model):
    """How far one of a tenant's logs has been read; the next read overlaps. Azure has one cursor per
    subscription.
    """

    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="audit_cursors")
    source = models.CharField(max_length=20, default="directoryAudit")
    subscription = models.CharField(max_length=64, blank=True, help_text="For Azure logs only.")
    read_until = models.DateTimeField()
    error = models.TextField(blank=True)

    class Meta:
        default_permissions = ()
        ordering = ["tenant", "source", "subscription"]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "source", "subscription"], name="a_log_is_read_by_one_cursor"
            )
        ]

    def __str__(self) -> str:
        return f"{self.source} of {self.tenant} until {self.read_until:%Y-%m-%d %H:%M}"
