"""Failed sign-ins that the ledger does not have yet."""

from django.db import models


class FailedSignIns(models.Model):
    """How often signing in failed within one hour, for one name from one address.

    A counter, no history: when the hour is over, the ledger gets the sum and the rows go.
    """

    hour = models.DateTimeField(help_text="When the hour began.")
    name = models.CharField(
        max_length=150, help_text="An account's user name, or a digest of what was typed."
    )
    is_account = models.BooleanField()
    address = models.CharField(max_length=45)
    failures = models.PositiveIntegerField(default=0, help_text="Wrong passwords.")
    refusals = models.PositiveIntegerField(default=0, help_text="Attempts while locked out, not looked at.")
    is_locked_out = models.BooleanField(default=False, help_text="Was locked out at some time in this hour.")

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["hour", "name", "address"], name="failed_sign_ins_are_counted_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.failures} failed sign-ins from {self.address}"
