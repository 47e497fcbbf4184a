"""Rollbacks: the request, its plan (data, digest-bound), approvals, executions with a write-ahead record."""

from datetime import datetime

from django.db import models

from changes.models import Change
from snapshots.models import Snapshot
from tenants.models import Tenant, User
from tenants.trust.proof import SealedRow


class Rollback(models.Model):
    """A request to restore resources to an earlier version. Only rollbacks.states changes `state`."""

    class State(models.TextChoices):
        DRAFT = "draft", "draft"
        AWAITING_APPROVAL = "awaiting_approval", "awaiting approval"
        APPROVED = "approved", "approved"
        EXECUTING = "executing", "executing"
        VERIFIED = "verified", "verified"
        PARTLY = "partly", "partly executed"
        DIFFERS = "differs", "executed, but differs"
        STALE = "stale", "stale"
        FAILED = "failed", "failed"
        REJECTED = "rejected", "rejected"
        EXPIRED = "expired", "expired"
        CANCELLED = "cancelled", "cancelled"

    class Source(models.TextChoices):
        CHANGES = "changes", "chosen changes"
        ACTOR = "actor", "all changes by an actor"
        SNAPSHOT = "snapshot", "return to a snapshot"
        UNDO = "undo", "undoing a rollback"

    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="rollbacks")
    requester = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    reason = models.TextField(blank=True)
    source = models.CharField(max_length=8, choices=Source.choices)
    parameters = models.JSONField(default=dict, help_text="The original request, used for re-planning.")
    state = models.CharField(max_length=18, choices=State.choices, default=State.DRAFT)
    plan = models.OneToOneField(
        "rollbacks.Plan", on_delete=models.PROTECT, null=True, related_name="current_of", editable=False
    )
    created_at = models.DateTimeField(auto_now_add=True)
    closed_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        ordering = ["-id"]
        indexes = [models.Index(fields=["tenant", "-id"])]

    def __str__(self) -> str:
        return f"rollback {self.pk} of {self.tenant}"


class Plan(models.Model):
    """One revision of a rollback's plan. Immutable: re-planning creates a new row without approvals."""

    rollback = models.ForeignKey(Rollback, on_delete=models.PROTECT, related_name="plans")
    revision = models.PositiveSmallIntegerField()
    base_snapshot = models.ForeignKey(
        Snapshot,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="The latest snapshot when it was planned.",
    )
    digest = models.CharField(
        max_length=64, help_text="Digest of tenant, steps and their preconditions, policy and expiry."
    )
    required_approvals = models.PositiveSmallIntegerField()
    complete = models.BooleanField(help_text="The steps include everything that was requested.")
    applicable = models.BooleanField(help_text="It may be approved and executed.")
    warnings = models.JSONField(default=list)
    losses = models.JSONField(null=True, help_text="The announced losses.")
    dry_run = models.JSONField(default=dict, help_text="The result of the dry run, as shown to approvers.")
    planned_at = models.DateTimeField()
    expires_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        ordering = ["-revision"]
        constraints = [
            models.UniqueConstraint(
                fields=["rollback", "revision"], name="plan_revisions_count_per_rollback"
            ),
            models.CheckConstraint(
                condition=models.Q(required_approvals__gte=1), name="plan_needs_an_approval"
            ),
        ]

    def __str__(self) -> str:
        return f"plan {self.revision} of {self.rollback}"


class Step(models.Model):
    """One step of a plan: what is written, and the required state of the live object. Append-only. Contents
    (requests, wanted and expected documents) are encrypted with the tenant's data key in `sealed`.
    """

    class Kind(models.TextChoices):
        UNDELETE = "undelete", "undelete"
        UPDATE = "update", "update"
        RECREATE = "recreate", "recreate"
        DELETE = "delete", "delete"
        ENFORCE = "enforce", "enforce"

    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="steps")
    order = models.PositiveSmallIntegerField()
    kind = models.CharField(max_length=8, choices=Kind.choices)
    resource_type = models.CharField(max_length=80)
    resource_id = models.CharField(max_length=400)
    display_name = models.CharField(max_length=400, blank=True)
    explanation = models.TextField(help_text="What this step does, in one sentence.")
    expected_digest = models.CharField(
        max_length=64, blank=True, help_text="Digest of the live object; empty if it does not exist."
    )
    target_digest = models.CharField(
        max_length=64, blank=True, help_text="Digest of the wanted object; empty if it must not exist."
    )
    changes = models.ManyToManyField(Change, related_name="steps", blank=True)
    sealed = models.BinaryField(editable=False)

    class Meta:
        default_permissions = ()
        ordering = ["order"]
        constraints = [models.UniqueConstraint(fields=["plan", "order"], name="steps_count_per_plan")]

    def __str__(self) -> str:
        return f"{self.order}. {self.kind} {self.resource_type} {self.display_name or self.resource_id}"


class Approval(models.Model):
    """One person's approval or rejection of a plan's digest. Append-only.

    `requester` is copied from the rollback so that the database itself can refuse a requester's own signature.
    """

    class Verdict(models.TextChoices):
        APPROVED = "approved", "approved"
        REJECTED = "rejected", "rejected"

    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="approvals")
    plan_digest = models.CharField(max_length=64)
    approver = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    requester = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    verdict = models.CharField(max_length=8, choices=Verdict.choices)
    comment = models.TextField(blank=True)
    at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["plan", "approver"], name="one_signature_per_person_and_plan"),
            models.CheckConstraint(
                condition=~models.Q(approver=models.F("requester")), name="nobody_signs_their_own_request"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.approver}: {self.verdict}"


class Execution(models.Model):
    """The execution of an approved plan. The unique constraint allows only one per plan."""

    plan = models.OneToOneField(Plan, on_delete=models.PROTECT, related_name="execution")
    started_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    run_id = models.BigIntegerField(null=True)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=18, blank=True)
    message = models.TextField(blank=True)
    verification = models.JSONField(default=dict)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"execution of {self.plan}"

    @property
    def present_run(self) -> int:
        """ID of the run of the current or last attempt."""
        last = self.resumptions.last()
        return last.run_id if last is not None else self.run_id or 0

    def attempts(self) -> list[tuple[datetime, datetime | None]]:
        """Start and end of each attempt; None while it is running."""
        began, found = self.started_at, []
        for resumption in self.resumptions.all():
            found.append((began, resumption.ended_at))
            began = resumption.at
        return [*found, (began, self.finished_at)]


class Resumption(SealedRow):
    """The resumption of an execution under the same plan and signatures. Append-only. Stores how the previous
    attempt ended, because the execution's own columns then describe the new attempt.
    """

    execution = models.ForeignKey(Execution, on_delete=models.PROTECT, related_name="resumptions")
    run_id = models.BigIntegerField()
    resumed_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    ended_at = models.DateTimeField(help_text="End of the previous attempt.")
    outcome = models.CharField(max_length=18, help_text="Of the previous attempt.")
    message = models.TextField(blank=True)

    class Meta:
        default_permissions = ()
        ordering = ["id"]

    def __str__(self) -> str:
        return f"resumption of {self.execution}"


class StepRecord(SealedRow):
    """The write-ahead record of one request of one step: committed as `sending` before the request leaves."""

    class State(models.TextChoices):
        PENDING = "pending", "pending"
        SENDING = "sending", "sending"
        DONE = "done", "done"
        ALREADY = "already", "already matches"
        STALE = "stale", "stale"
        UNKNOWN = "unknown", "unknown"
        FAILED = "failed", "refused"
        SKIPPED = "skipped", "skipped"

    execution = models.ForeignKey(Execution, on_delete=models.PROTECT, related_name="records")
    step = models.ForeignKey(Step, on_delete=models.PROTECT, related_name="records")
    request_index = models.PositiveSmallIntegerField(default=0)
    state = models.CharField(max_length=8, choices=State.choices, default=State.PENDING)
    sent_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    client_request_id = models.CharField(max_length=64, blank=True)
    new_keys = models.JSONField(default=dict, help_text="The IDs that Graph assigned to a created object.")
    attempts = models.PositiveSmallIntegerField(
        default=0, help_text="How often the request was sent without being refused."
    )
    before_digest = models.CharField(
        max_length=64, blank=True, help_text="Digest of the object before the request."
    )
    lookalikes = models.JSONField(
        default=list, help_text="IDs of existing objects that must not be confused with the created one."
    )
    closes_step = models.BooleanField(default=False, help_text="The step is done.")
    left_digest = models.CharField(
        max_length=64, blank=True, help_text="Digest of the object after the request."
    )
    message = models.TextField(blank=True)

    class Meta:
        default_permissions = ()
        ordering = ["step__order", "request_index"]
        constraints = [
            models.UniqueConstraint(
                fields=["execution", "step", "request_index"], name="a_request_is_sent_once_per_execution"
            )
        ]

    def __str__(self) -> str:
        return f"{self.step}: {self.state}"


class Remapping(SealedRow):
    """An ID that changed: the resource was restored under a new one. Append-only."""

    execution = models.ForeignKey(Execution, on_delete=models.PROTECT, related_name="remappings")
    resource_type = models.CharField(max_length=80)
    display_name = models.CharField(max_length=400, blank=True)
    old_id = models.CharField(max_length=400)
    new_id = models.CharField(max_length=400)

    class Meta:
        default_permissions = ()
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.old_id} → {self.new_id}"
