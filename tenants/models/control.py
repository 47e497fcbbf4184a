"""The record of control actions."""

from django.conf import settings
from django.db import models

from tenants.control.graph import LABELS, Kind


class ControlAct(models.Model):
    """An action by which a person gained control over another account or over the approval policy, or its
    confirmation. Append-only and chained by keyed digests, like the ledger. Each action belongs to a ledger
    entry. Neither customer nor tenant set means the whole MSP. No actor means the operator.
    """

    number = models.PositiveBigIntegerField(unique=True)
    kind = models.CharField(max_length=10, choices=[(kind.value, LABELS[kind]) for kind in Kind])
    at = models.DateTimeField()
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="acts_of_control"
    )
    subject = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="acts_upon"
    )
    customer = models.ForeignKey("tenants.Customer", on_delete=models.PROTECT, null=True, related_name="+")
    tenant = models.ForeignKey("tenants.Tenant", on_delete=models.PROTECT, null=True, related_name="+")
    promotes = models.BooleanField(default=False, help_text="The action made someone an administrator.")
    cools_off_at = models.DateTimeField(null=True, help_text="When the hold ends without confirmation.")
    confirms = models.OneToOneField("self", on_delete=models.PROTECT, null=True, related_name="confirmation")
    detail = models.JSONField(default=dict)
    entry = models.PositiveBigIntegerField(help_text="Sequence number of the ledger entry.")
    previous = models.CharField(max_length=64)
    digest = models.CharField(max_length=64, unique=True)

    class Meta:
        default_permissions = ()
        ordering = ["number"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(kind="confirm", confirms__isnull=False)
                | (~models.Q(kind="confirm") & models.Q(confirms__isnull=True)),
                name="a_confirmation_confirms_an_act",
            ),
            models.CheckConstraint(
                condition=models.Q(actor__isnull=True)
                | models.Q(subject__isnull=True)
                | ~models.Q(actor=models.F("subject")),
                name="nobody_controls_or_confirms_themselves",
            ),
        ]

    def __str__(self) -> str:
        return f"action {self.number}: {self.get_kind_display()}"
