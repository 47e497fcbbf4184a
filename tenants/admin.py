"""Customers, tenants, people and the platform's own records in the admin. What can be changed goes through services."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.core.exceptions import ValidationError
from django.db.models import ForeignKey, Model, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from tenants import access, accounts, administration, connections
from tenants.actions import Action, Role, TokenScope
from tenants.admin_forms import AccountForm, NewAccountForm, PasswordForm, RoleBindingForm, TokenForm, visible_users
from tenants.models import (
    ApiToken,
    AppRegistration,
    Connection,
    Customer,
    LedgerEntry,
    RoleBinding,
    Run,
    Tenant,
    User,
)
from tenants.scoped_admin import ScopedAdmin, actor_of
from tenants.web import EXPECTED


@admin.register(Customer)
class CustomerAdmin(ScopedAdmin):
    list_display = ["name", "created_at"]
    search_fields = ["name"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        visible = access.visible_customers(actor_of(request))
        return admin.ModelAdmin.get_queryset(self, request).filter(pk__in=visible.values("pk"))

    def get_list_filter(self, request: HttpRequest) -> list[Any]:  # noqa: ARG002
        return []


@admin.register(Tenant)
class TenantAdmin(ScopedAdmin):
    """The policy can be changed by administrators of the tenant; onboarding is a command of its own."""

    tenant_path = "pk"
    list_display = ["name", "customer", "directory_id", "is_active", "required_approvals", "plan_lifetime_hours"]
    search_fields = ["name", "directory_id", "customer__name"]
    fields = ["customer", "name", "directory_id", "subscriptions", *administration.POLICY]
    readonly_fields = ["customer", "name", "directory_id", "subscriptions"]

    def get_list_filter(self, request: HttpRequest) -> list[Any]:  # noqa: ARG002
        return []

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        manageable = access.visible_tenants(actor_of(request), Action.MANAGE)
        return manageable.exists() if obj is None else manageable.filter(pk=obj.pk).exists()

    def save_model(self, request: HttpRequest, obj: Tenant, form: Any, change: bool) -> None:  # noqa: ARG002, FBT001
        values = {name: form.cleaned_data[name] for name in form.changed_data}
        administration.change_policy(actor_of(request), tenant=obj, **values)


@admin.register(AppRegistration)
class AppRegistrationAdmin(ScopedAdmin):
    """What is known of an app registration without its credential."""

    list_display = ["name", "client_id", "tenant", "credential_kind", "expires_at"]
    search_fields = ["name", "client_id"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        tenants = access.visible_tenants(actor_of(request))
        used = Q(tenant__in=tenants) | Q(tenant__isnull=True, connections__tenant__in=tenants)
        return admin.ModelAdmin.get_queryset(self, request).filter(used).distinct()


@admin.register(Connection)
class ConnectionAdmin(ScopedAdmin):
    list_display = ["tenant", "purpose", "app_registration", "cloud", "tested_at", "test_error"]
    list_filter = ["purpose", "cloud"]
    actions = ["test"]

    @admin.action(description="Test the selected connections", permissions=["test"])
    def test(self, request: HttpRequest, queryset: QuerySet[Connection]) -> None:
        for connection in queryset:
            try:
                connections.check_connection(
                    actor_of(request), tenant=connection.tenant, purpose=Connection.Purpose(connection.purpose).value
                )
            except EXPECTED as error:
                self.message_user(request, f"{connection}: {error}", messages.ERROR)
            else:
                self.message_user(request, f"{connection}: signed in.", messages.SUCCESS)

    def has_test_permission(self, request: HttpRequest) -> bool:
        return access.visible_tenants(actor_of(request), Action.MANAGE).exists()


@admin.register(Run)
class RunAdmin(ScopedAdmin):
    list_display = ["id", "tenant", "kind", "state", "attempts", "requested_by", "created_at", "finished_at"]
    list_filter = ["kind", "state"]
    search_fields = ["requested_by", "error"]


@admin.register(LedgerEntry)
class LedgerEntryAdmin(ScopedAdmin):
    needed = Action.VIEW_LEDGER
    list_display = ["sequence", "at", "actor", "via", "action", "target", "digest"]
    search_fields = ["actor", "action", "target", "digest"]
    ordering = ["-sequence"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return admin.ModelAdmin.get_queryset(self, request).filter(
            pk__in=readable_entries(actor_of(request)).values("pk")
        )

    def get_list_filter(self, request: HttpRequest) -> list[Any]:  # noqa: ARG002
        return []


@admin.register(RoleBinding)
class RoleBindingAdmin(ScopedAdmin):
    """Roles are bound and unbound here, never edited: the grants are derived from the rows."""

    form = RoleBindingForm
    needed = Action.BIND_ROLES
    list_display = ["user", "group", "role", "scope_label", "created_at"]
    list_filter = ["role"]
    search_fields = ["user__username", "group__name"]
    fields = ["user", "group", "role", "customer", "tenant"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        actor, rows = actor_of(request), admin.ModelAdmin.get_queryset(self, request)
        if access.can_everywhere(actor, Action.BIND_ROLES):
            return rows
        return rows.filter(
            Q(tenant__in=access.visible_tenants(actor, Action.BIND_ROLES))
            | Q(customer__in=access.visible_customers(actor, Action.BIND_ROLES))
        )

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self.has_view_permission(request, obj)

    def get_form(self, request: HttpRequest, obj: Model | None = None, change: bool = False, **kwargs: Any) -> Any:  # noqa: FBT001, FBT002
        form = super().get_form(request, obj, change, **kwargs)
        return type("BoundForm", (form,), {"actor": actor_of(request)})

    def formfield_for_foreignkey(
        self, db_field: ForeignKey[Any, Any], request: HttpRequest, **kwargs: Any
    ) -> forms.ModelChoiceField[Any] | None:
        actor = actor_of(request)
        choices: dict[str, QuerySet[Any]] = {
            "tenant": access.visible_tenants(actor, Action.BIND_ROLES),
            "customer": access.visible_customers(actor, Action.BIND_ROLES),
            "user": visible_users(actor),
        }
        if db_field.name in choices:
            kwargs["queryset"] = choices[db_field.name]
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def save_model(self, request: HttpRequest, obj: RoleBinding, form: Any, change: bool) -> None:  # noqa: ARG002, FBT001
        binding = accounts.bind_role(
            actor_of(request),
            subject=form.subject(),
            role=Role(obj.role),
            scope=accounts.Scope(customer=obj.customer, tenant=obj.tenant),
        )
        obj.pk = binding.pk

    def delete_model(self, request: HttpRequest, obj: RoleBinding) -> None:
        accounts.unbind_role(actor_of(request), obj)


@admin.register(User)
class UserAdmin(DjangoUserAdmin):
    """Accounts: created, locked, given a new password. Roles are bound elsewhere; grants are never edited."""

    form = AccountForm
    add_form = NewAccountForm
    change_password_form = PasswordForm
    actions = None
    list_display = ["username", "email", "is_active", "is_staff", "is_superuser", "last_login"]
    list_filter = ["is_active", "is_staff"]
    search_fields = ["username", "email"]
    filter_horizontal = []
    readonly_fields = ["username", "is_staff", "is_superuser", "last_login", "date_joined"]
    fieldsets = [(None, {"fields": ["username", "email", "is_active", *readonly_fields[1:]]})]
    add_fieldsets = [(None, {"fields": ["username", "email", "password1", "password2"]})]

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        visible = visible_users(actor_of(request))
        return super().get_queryset(request).filter(pk__in=visible.values("pk"))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:  # noqa: ARG002
        return list(self.readonly_fields) if obj is not None else []

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:  # noqa: FBT001, FBT002
        form = super().get_form(request, obj, change, **kwargs)
        return type("BoundForm", (form,), {"actor": actor_of(request)})

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        visible = visible_users(actor_of(request))
        return visible.exists() if obj is None else visible.filter(pk=obj.pk).exists()

    def has_add_permission(self, request: HttpRequest) -> bool:
        return access.can_everywhere(actor_of(request), Action.BIND_ROLES)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        actor = actor_of(request)
        if obj is None:
            return access.can_everywhere(actor, Action.BIND_ROLES)
        return administration.may_administer(actor, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        return False

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:  # noqa: FBT001
        actor, given = actor_of(request), form.cleaned_data
        if change:
            administration.change_account(actor, user=obj, email=given["email"], is_active=given["is_active"])
            return
        created = accounts.create_user(
            actor, username=given["username"], password=given["password1"], email=given["email"]
        )
        obj.pk = created.pk

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:  # noqa: A002
        bound = type("BoundForm", (PasswordForm,), {"actor": actor_of(request)})
        return type(self)._with_form(self, bound).__class__.__mro__ and super().user_change_password(request, id, form_url)


@admin.register(ApiToken)
class ApiTokenAdmin(ScopedAdmin):
    """Tokens: issued (the text is shown once) and revoked, never edited."""

    list_display = ["name", "prefix", "user", "scopes", "customer", "expires_at", "revoked_at", "last_used_at"]
    search_fields = ["name", "prefix", "user__username"]
    actions = ["revoke"]
