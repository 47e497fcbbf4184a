"""The platform's record of who did what."""

from django.db import models


class LedgerEntry(models.Model):
    """One action, chained to the previous entry. Append-only: database triggers refuse UPDATE and DELETE.
    Names are copied instead of referenced, because the entry must outlive the rows that it mentions.
    """

    sequence = models.PositiveBigIntegerField(unique=True)
    at = models.DateTimeField()
    actor = models.CharField(max_length=200, help_text="User name, or system:<what>.")
    actor_id = models.BigIntegerField(null=True)
    via = models.CharField(max_length=100, help_text="page, admin, api token, command line or task")
    os_account = models.CharField(  # noqa: DJ001 - NULL, because the digest of older entries does not cover it
        max_length=255,
        null=True,
        help_text="Operating-system account that ran the command; null for pages, API and tasks.",
    )
    action = models.CharField(max_length=60, db_index=True)
    target = models.CharField(max_length=200)
    tenant_id = models.BigIntegerField(null=True, db_index=True)
    customer_id = models.BigIntegerField(null=True, db_index=True)
    detail = models.JSONField(default=dict)
    previous = models.CharField(max_length=64)
    digest = models.CharField(max_length=64, unique=True)

    class Meta:
        default_permissions = ()
        ordering = ["-sequence"]
        verbose_name_plural = "ledger entries"

    def __str__(self) -> str:
        return f"{self.sequence} {self.action} {self.target}"


class LedgerHead(models.Model):
    """The length and newest entry of a chain, under a keyed seal, so that entries removed from its end are
    detected.
    """

    class Chain(models.IntegerChoices):
        """Primary keys; one row per chain."""

        LEDGER = 1
        CONTROL = 2

    sequence = models.PositiveBigIntegerField()
    digest = models.CharField(max_length=64)
    seal = models.CharField(max_length=64)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"ledger up to {self.sequence}"
