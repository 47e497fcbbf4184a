"""Admin for customers, tenants, people and the platform's own records. Every change goes through a service."""

from typing import Any, cast

from django.contrib import admin, messages
from django.db.models import Model, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.views.decorators.debug import sensitive_post_parameters

from tenants.access import permissions
from tenants.access.matrix import Action, Role, TokenScope
from tenants.access.scoped_admin import FormPages, ModelAdmin, ScopedAdmin, actor_of, can_on_any_tenant
from tenants.accounts import administration, user_accounts
from tenants.admin_forms import (
    GroupsForm,
    NewAccountForm,
    PasswordForm,
    RoleBindingForm,
    TokenForm,
    visible_users,
)
from tenants.connections import onboarding
from tenants.errors import DomainError, InternalError
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
from tenants.selectors import readable_entries

SECOND = " Approvals by this account count after a second administrator confirms this (see Confirmations)."


@admin.register(Customer)
class CustomerAdmin(ScopedAdmin):
    list_display = ["name", "created_at"]
    search_fields = ["name"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        visible = permissions.visible_customers(actor_of(request))
        return ModelAdmin.get_queryset(self, request).filter(pk__in=visible.values("pk"))

    def get_list_filter(self, request: HttpRequest) -> list[Any]:  # noqa: ARG002
        return []


@admin.register(Tenant)
class TenantAdmin(ScopedAdmin):
    """Administrators of the tenant can change its policy. Tenants are onboarded on the command line."""

    tenant_path = "pk"
    list_display = [
        "name",
        "customer",
        "directory_id",
        "is_active",
        "required_approvals",
        "plan_lifetime_hours",
    ]
    search_fields = ["name", "directory_id", "customer__name"]
    fields = ["customer", "name", "directory_id", "subscriptions", *administration.POLICY]
    readonly_fields = ["customer", "name", "directory_id", "subscriptions"]

    def get_list_filter(self, request: HttpRequest) -> list[Any]:  # noqa: ARG002
        return []

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        if obj is None:
            return can_on_any_tenant(request, Action.MANAGE)
        return permissions.visible_tenants(actor_of(request), Action.MANAGE).filter(pk=obj.pk).exists()

    def save_model(self, request: HttpRequest, obj: Tenant, form: Any, change: bool) -> None:  # noqa: ARG002
        values = {name: form.cleaned_data[name] for name in form.changed_data}
        current = administration.change_policy(actor_of(request), tenant=obj, **values)
        if any(getattr(current, name) != value for name, value in values.items()):
            text = "A weaker approval policy takes effect after a second administrator confirms it."
            self.message_user(request, text, messages.WARNING)


@admin.register(AppRegistration)
class AppRegistrationAdmin(ScopedAdmin):
    """An app registration, without its credential."""

    list_display = ["name", "client_id", "tenant", "credential_kind", "expires_at"]
    search_fields = ["name", "client_id"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        tenants = permissions.visible_tenants(actor_of(request))
        used = Q(tenant__in=tenants) | Q(tenant__isnull=True, connections__tenant__in=tenants)
        return ModelAdmin.get_queryset(self, request).filter(used).distinct()


@admin.register(Connection)
class ConnectionAdmin(ScopedAdmin):
    list_display = ["tenant", "purpose", "app_registration", "cloud", "tested_at", "test_error"]
    list_filter = ["purpose", "cloud"]
    actions = ["test"]

    @admin.action(description="Test the selected connections", permissions=["test"])
    def test(self, request: HttpRequest, queryset: QuerySet[Connection]) -> None:
        for connection in queryset:
            try:
                onboarding.check_connection(
                    actor_of(request),
                    tenant=connection.tenant,
                    purpose=cast("onboarding.Purpose", connection.purpose),
                )
            except InternalError:
                raise
            except DomainError as error:
                self.message_user(request, f"{connection}: {error}", messages.ERROR)
            else:
                self.message_user(request, f"{connection}: signed in.", messages.SUCCESS)

    def has_test_permission(self, request: HttpRequest) -> bool:
        return can_on_any_tenant(request, Action.MANAGE)


@admin.register(Run)
class RunAdmin(ScopedAdmin):
    list_display = ["id", "tenant", "kind", "state", "attempts", "requested_by", "created_at", "finished_at"]
    list_filter = ["kind", "state"]
    search_fields = ["requested_by", "error"]


@admin.register(LedgerEntry)
class LedgerEntryAdmin(ScopedAdmin):
    needed = Action.VIEW_LEDGER
    list_display = ["sequence", "at", "actor", "via", "os_account", "action", "target", "digest"]
    search_fields = ["actor", "os_account", "action", "target", "digest"]
    ordering = ["-sequence"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        readable = readable_entries(actor_of(request))
        return ModelAdmin.get_queryset(self, request).filter(pk__in=readable.values("pk"))

    def get_list_filter(self, request: HttpRequest) -> list[Any]:  # noqa: ARG002
        return []


@admin.register(RoleBinding)
class RoleBindingAdmin(FormPages, ScopedAdmin):
    """Roles are bound and unbound, never edited. Grants are derived from the bindings."""

    needed = Action.BIND_ROLES
    list_display = ["user", "group", "role", "scope_label", "created_at"]
    list_filter = ["role"]
    search_fields = ["user__username", "group__name"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        actor, rows = actor_of(request), ModelAdmin.get_queryset(self, request)
        if permissions.can_everywhere(actor, Action.BIND_ROLES):
            return rows
        return rows.filter(
            Q(tenant__in=permissions.visible_tenants(actor, Action.BIND_ROLES))
            | Q(customer__in=permissions.whole_customers(actor, Action.BIND_ROLES))
        )

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        if not isinstance(obj, RoleBinding):
            return self.has_view_permission(request)
        return administration.may_bind(
            actor_of(request), user_accounts.Scope(customer=obj.customer, tenant=obj.tenant)
        )

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:  # noqa: ARG002
        actor = actor_of(request)

        form = RoleBindingForm(request.POST or None, actor=actor)

        def bind(given: dict[str, Any]) -> str:
            subject, scope = given["user"] or given["group"], form.chosen_scope()
            user_accounts.bind_role(actor, subject=subject, role=Role(given["role"]), scope=scope)
            return f"{subject} is now {given['role'].replace('_', ' ')} on {scope}.{SECOND}"

        return self.form_page(request, form, "Bind a role", bind)

    def delete_model(self, request: HttpRequest, obj: RoleBinding) -> None:
        user_accounts.unbind_role(actor_of(request), obj)


@admin.register(User)
class UserAdmin(FormPages, ScopedAdmin):
    """Accounts: create, lock, set a new password. Roles are bound elsewhere; grants are never edited."""

    list_display = ["username", "email", "is_active", "is_staff", "is_superuser", "last_login"]
    list_filter = ["is_active", "is_staff"]
    search_fields = ["username", "email"]
    fields = [
        "username",
        "email",
        "is_active",
        "is_staff",
        "is_superuser",
        "last_login",
        "date_joined",
        "password_page",
        "groups_page",
    ]
    readonly_fields = [
        "username",
        "is_staff",
        "is_superuser",
        "last_login",
        "date_joined",
        "password_page",
        "groups_page",
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        visible = visible_users(actor_of(request))
        return ModelAdmin.get_queryset(self, request).filter(pk__in=visible.values("pk"))

    def get_list_filter(self, request: HttpRequest) -> list[Any]:  # noqa: ARG002
        return list(self.list_filter)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        visible = visible_users(actor_of(request))
        return visible.exists() if obj is None else visible.filter(pk=obj.pk).exists()

    def has_add_permission(self, request: HttpRequest) -> bool:
        return permissions.can_everywhere(actor_of(request), Action.BIND_ROLES)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        actor = actor_of(request)
        if obj is None:
            return permissions.can_everywhere(actor, Action.BIND_ROLES)
        return permissions.may_administer(actor, obj)

    def get_urls(self) -> list[URLPattern]:
        password = path(
            "<int:user_id>/password/",
            self.admin_site.admin_view(self.password_view),
            name="tenants_user_password",
        )
        groups = path(
            "<int:user_id>/groups/", self.admin_site.admin_view(self.groups_view), name="tenants_user_groups"
        )
        return [password, groups, *super().get_urls()]

    @admin.display(description="Password")
    def password_page(self, obj: User) -> str:
        return format_html(
            '<a href="{}">Set a new one</a>', reverse("admin:tenants_user_password", args=[obj.pk])
        )

    @admin.display(description="Groups")
    def groups_page(self, obj: User) -> str:
        names = ", ".join(obj.groups.values_list("name", flat=True)) or "none"
        return format_html(
            '{} (<a href="{}">change</a>)', names, reverse("admin:tenants_user_groups", args=[obj.pk])
        )

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:  # noqa: ARG002
        given = form.cleaned_data
        administration.change_account(
            actor_of(request), user=obj, email=given["email"], is_active=given["is_active"]
        )

    @method_decorator(sensitive_post_parameters())
    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:  # noqa: ARG002
        actor = actor_of(request)

        def create(given: dict[str, Any]) -> str:
            user = user_accounts.create_user(actor, **given)
            return f"{user} can now sign in. Bind a role to give the account access.{SECOND}"

        return self.form_page(request, NewAccountForm(request.POST or None), "Add a person", create)

    def groups_view(self, request: HttpRequest, user_id: int) -> HttpResponse:
        user, actor = self._user(request, user_id), actor_of(request)

        def set_groups(given: dict[str, Any]) -> str:
            user_accounts.set_groups(actor, user=user, groups=given["groups"])
            return f"{user} is now in {', '.join(given['groups']) or 'no group'}.{SECOND}"

        form = GroupsForm(
            request.POST or None, initial={"groups": ", ".join(user.groups.values_list("name", flat=True))}
        )
        allowed = permissions.may_administer(actor, user)
        return self.form_page(request, form, f"Groups of {user}", set_groups, allowed=allowed)

    @method_decorator(sensitive_post_parameters())
    def password_view(self, request: HttpRequest, user_id: int) -> HttpResponse:
        user, actor = self._user(request, user_id), actor_of(request)

        def set_password(given: dict[str, Any]) -> str:
            user_accounts.set_password(actor, user=user, password=given["password"])
            return f"{user} has a new password.{SECOND}"

        title = f"A new password for {user}"
        return self.form_page(
            request,
            PasswordForm(request.POST or None),
            title,
            set_password,
            allowed=permissions.may_administer(actor, user),
        )

    def _user(self, request: HttpRequest, user_id: int) -> User:
        user: User | None = self.get_queryset(request).filter(pk=user_id).first()
        if user is None:
            raise Http404("This account does not exist, or you do not have access to it.")
        return user


@admin.register(ApiToken)
class ApiTokenAdmin(FormPages, ScopedAdmin):
    """API tokens: issue (the token is shown once) and revoke, never edit."""

    list_display = [
        "name",
        "prefix",
        "user",
        "scopes",
        "customer",
        "expires_at",
        "revoked_at",
        "last_used_at",
    ]
    search_fields = ["name", "prefix", "user__username"]
    actions = ["revoke"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        actor, rows = actor_of(request), ModelAdmin.get_queryset(self, request)
        return rows if permissions.can_everywhere(actor, Action.BIND_ROLES) else rows.filter(user=actor.user)

    def get_list_filter(self, request: HttpRequest) -> list[Any]:  # noqa: ARG002
        return []

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return obj is None or self.get_queryset(request).filter(pk=obj.pk).exists()

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002
        return True

    def has_revoke_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002
        return True

    @admin.action(description="Revoke the selected tokens", permissions=["revoke"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiToken]) -> None:
        for token in queryset:
            user_accounts.revoke_token(actor_of(request), token)
            self.message_user(request, f"{token} was revoked.", messages.SUCCESS)

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:  # noqa: ARG002
        actor = actor_of(request)
        form = TokenForm(request.POST or None, actor=actor)
        if form.is_valid():
            given = form.cleaned_data
            scopes = frozenset(TokenScope(scope) for scope in given.pop("scopes"))
            try:
                token, text = user_accounts.issue_token(actor, scopes=scopes, **given)
            except InternalError:
                raise
            except DomainError as error:
                form.add_error(None, str(error))
            else:
                context = {**self.admin_site.each_context(request), "title": "Token issued", "token": token}
                return render(request, "admin/token_issued.html", {**context, "text": text})
        return self.render_form(request, form, "Issue an API token")
