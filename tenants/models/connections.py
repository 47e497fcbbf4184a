"""App registrations with their encrypted credentials, and connections."""

from django.db import models


class AppRegistration(models.Model):
    """The application that Lavawall signs in as: the MSP's multi-tenant application, or one per tenant."""

    class Credential(models.TextChoices):
        SECRET = "secret", "client secret"
        CERTIFICATE = "certificate", "certificate"

    name = models.CharField(max_length=200)
    client_id = models.UUIDField()
    tenant = models.ForeignKey(
        "tenants.Tenant",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="app_registrations",
        help_text="Empty for the MSP's multi-tenant app registration.",
    )
    credential_kind = models.CharField(max_length=12, choices=Credential.choices)
    sealed_credential = models.BinaryField(editable=False)
    fingerprint = models.CharField(
        max_length=64,
        editable=False,
        help_text="Keyed fingerprint: distinguishes credentials without revealing them.",
    )
    expires_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        default_permissions = ()
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["client_id", "tenant"], name="one_app_registration_per_tenant"),
            models.UniqueConstraint(
                fields=["client_id"],
                condition=models.Q(tenant__isnull=True),
                name="one_shared_app_registration",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Connection(models.Model):
    """A connection to one tenant for one purpose. Writer and reader use separate app registrations."""

    class Purpose(models.TextChoices):
        READER = "reader", "reader"
        WRITER = "writer", "writer"

    class Cloud(models.TextChoices):
        COMMERCIAL = "commercial", "Commercial"
        GCC_HIGH = "gcc_high", "US Government (GCC High)"
        DOD = "dod", "US Government (DoD)"
        CHINA = "china", "China (21Vianet)"
        CUSTOM = "custom", "Custom endpoints"

    tenant = models.ForeignKey("tenants.Tenant", on_delete=models.PROTECT, related_name="connections")
    purpose = models.CharField(max_length=6, choices=Purpose.choices)
    app_registration = models.ForeignKey(
        AppRegistration, on_delete=models.PROTECT, related_name="connections"
    )
    cloud = models.CharField(max_length=10, choices=Cloud.choices, default=Cloud.COMMERCIAL)
    login_url = models.URLField(blank=True)
    graph_url = models.URLField(blank=True)
    arm_url = models.URLField(blank=True)
    management_url = models.URLField(blank=True)
    tested_at = models.DateTimeField(null=True, blank=True)
    test_error = models.TextField(blank=True)
    granted = models.JSONField(
        default=list, blank=True, help_text="The application permissions in the token."
    )

    class Meta:
        default_permissions = ()
        ordering = ["tenant", "purpose"]
        constraints = [
            models.UniqueConstraint(fields=["tenant", "purpose"], name="one_connection_per_purpose"),
        ]

    def __str__(self) -> str:
        return f"{self.get_purpose_display()} of {self.tenant}"
