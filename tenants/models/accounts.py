"""People, the roles bound to them, and API tokens."""

from typing import Any

from django.contrib.auth.models import AbstractUser, Group
from django.db import models, transaction
from django.db.models.functions import Coalesce
from django.utils import timezone
from guardian.mixins import GuardianUserMixin
from guardian.models import GroupObjectPermissionBase, UserObjectPermissionBase

from tenants.access.matrix import Role, TokenScope
from tenants.models.tenants import Customer, Tenant


class User(GuardianUserMixin, AbstractUser):
    """A person of the MSP, or the account of a customer portal."""

    class Meta(AbstractUser.Meta):
        default_permissions = ()

    _password: str | None

    def save(self, *args: Any, **kwargs: Any) -> None:
        """A new password revokes the API tokens, even if it is set by Django's own pages and commands."""
        has_new_password = self.pk is not None and self._password is not None
        with transaction.atomic():
            super().save(*args, **kwargs)
            if has_new_password:
                self.api_tokens.filter(revoked_at__isnull=True).update(revoked_at=timezone.now())


class TenantUserObjectPermission(UserObjectPermissionBase):
    id = models.BigAutoField(primary_key=True)
    content_object = models.ForeignKey(Tenant, on_delete=models.CASCADE)

    class Meta(UserObjectPermissionBase.Meta):
        default_permissions = ()


class TenantGroupObjectPermission(GroupObjectPermissionBase):
    id = models.BigAutoField(primary_key=True)
    content_object = models.ForeignKey(Tenant, on_delete=models.CASCADE)

    class Meta(GroupObjectPermissionBase.Meta):
        default_permissions = ()


class CustomerUserObjectPermission(UserObjectPermissionBase):
    id = models.BigAutoField(primary_key=True)
    content_object = models.ForeignKey(Customer, on_delete=models.CASCADE)

    class Meta(UserObjectPermissionBase.Meta):
        default_permissions = ()


class CustomerGroupObjectPermission(GroupObjectPermissionBase):
    id = models.BigAutoField(primary_key=True)
    content_object = models.ForeignKey(Customer, on_delete=models.CASCADE)

    class Meta(GroupObjectPermissionBase.Meta):
        default_permissions = ()


class RoleBinding(models.Model):
    """A role of a user or a group on a scope: neither customer nor tenant set means the whole MSP.

    The row is authoritative; guardian grants are derived from it (tenants.access.permissions.sync_grants).
    """

    user = models.ForeignKey(
        User, on_delete=models.CASCADE, null=True, blank=True, related_name="role_bindings"
    )
    group = models.ForeignKey(
        Group, on_delete=models.CASCADE, null=True, blank=True, related_name="role_bindings"
    )
    role = models.CharField(
        max_length=20, choices=[(role.value, role.value.replace("_", " ")) for role in Role]
    )
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        default_permissions = ()
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(user__isnull=False, group__isnull=True)
                | models.Q(user__isnull=True, group__isnull=False),
                name="role_is_bound_to_a_user_or_a_group",
            ),
            models.CheckConstraint(
                condition=models.Q(customer__isnull=True) | models.Q(tenant__isnull=True),
                name="role_has_one_scope",
            ),
            models.UniqueConstraint(
                *(Coalesce(field, models.Value(0)) for field in ("user", "group", "customer", "tenant")),
                "role",
                name="role_is_bound_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user or self.group}: {self.role} on {self.scope_label}"

    @property
    def scope_label(self) -> str:
        if self.tenant is not None:
            return f"tenant {self.tenant.name}"
        return f"customer {self.customer.name}" if self.customer is not None else "the whole MSP"


class ApiToken(models.Model):
    """A bearer token. Only its hash is stored. It allows what its user may do, restricted to its scopes."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=100)
    prefix = models.CharField(max_length=12, unique=True)
    token_hash = models.CharField(max_length=64, unique=True, editable=False)
    scopes = models.JSONField(
        default=list, help_text="Any of: " + ", ".join(scope.value for scope in TokenScope)
    )
    customer = models.ForeignKey(
        Customer,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="+",
        help_text="Limits the token to this customer's tenants.",
    )
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        default_permissions = ()
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"
