"""Customers and their tenants."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from tenants.access.matrix import PERMISSIONS


class Customer(models.Model):
    """An organisation that the MSP serves."""

    name = models.CharField(max_length=200, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]
        default_permissions = ()
        permissions = PERMISSIONS

    def __str__(self) -> str:
        return self.name


class Tenant(models.Model):
    """One Microsoft Entra directory, with the Azure subscriptions under it and the customer's policy for it."""

    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="tenants")
    name = models.CharField(max_length=200, unique=True)
    directory_id = models.UUIDField(unique=True, help_text="The directory (tenant) ID in Microsoft Entra.")
    subscriptions = models.JSONField(default=list, blank=True, help_text="Azure subscription IDs.")
    is_active = models.BooleanField(
        default=True, help_text="No scheduled snapshots are taken of inactive tenants."
    )
    snapshot_interval_minutes = models.PositiveIntegerField(
        default=60, validators=[MinValueValidator(5)], help_text="How often a snapshot is taken."
    )
    required_approvals = models.PositiveSmallIntegerField(
        default=2,
        validators=[MinValueValidator(1), MaxValueValidator(10)],
        help_text="How many other people must approve a rollback.",
    )
    required_approvals_critical = models.PositiveSmallIntegerField(
        default=2,
        validators=[MinValueValidator(1), MaxValueValidator(10)],
        help_text="The same, if the rollback involves a critical change.",
    )
    plan_lifetime_hours = models.PositiveSmallIntegerField(
        default=24, validators=[MinValueValidator(1), MaxValueValidator(168)]
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["customer__name", "name"]
        default_permissions = ()
        permissions = PERMISSIONS
        constraints = [
            models.CheckConstraint(
                condition=models.Q(required_approvals__gte=1), name="tenant_needs_an_approval"
            ),
            models.CheckConstraint(
                condition=models.Q(required_approvals_critical__gte=models.F("required_approvals")),
                name="tenant_critical_needs_no_fewer_approvals",
            ),
        ]

    def __str__(self) -> str:
        return self.name
