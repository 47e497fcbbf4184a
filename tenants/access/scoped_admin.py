"""Base classes for the admin of every app: rows out of scope are hidden, and history is read-only for
everyone.

Permissions come from tenants.access.permissions alone; Django's own model permissions play no part.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from tenants.access import permissions
from tenants.access.actors import Actor
from tenants.access.matrix import Action
from tenants.errors import DomainError, InternalError
from tenants.web import pages
from tenants.web.input_limits import NUL, integer

if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin[Any]
else:
    ModelAdmin = admin.ModelAdmin


def actor_of(request: HttpRequest) -> Actor:
    return pages.actor_of(request, via="admin")


def can_on_any_tenant(request: HttpRequest, action: Action) -> bool:
    """Whether the user may do this on any tenant. Cached per request, because every model in the menu checks
    it.
    """
    answers: dict[Action, bool] = request.__dict__.setdefault("can_on_any_tenant", {})
    if action not in answers:
        answers[action] = permissions.visible_tenants(actor_of(request), action).exists()
    return answers[action]


class TenantFilter(admin.SimpleListFilter):
    """Filters by tenant and offers only tenants in scope."""

    title = "tenant"
    parameter_name = "in_tenant"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:  # noqa: ARG002
        tenants = permissions.visible_tenants(actor_of(request))
        return [(str(pk), name) for pk, name in tenants.values_list("pk", "name")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:  # noqa: ARG002
        value = self.value()
        if value is None:
            return queryset
        path, tenant = getattr(self, "path", "tenant"), integer(value)
        return queryset.filter(**{path: tenant}) if tenant is not None else queryset.none()


def tenant_filter(path: str) -> type[TenantFilter]:
    return type("TenantFilter", (TenantFilter,), {"path": path})


class ScopedAdmin(ModelAdmin):
    """Shows rows whose tenant (at the end of `tenant_path`) is visible to the user. Read-only."""

    tenant_path: ClassVar[str] = "tenant"
    needed: ClassVar[Action] = Action.VIEW
    actions: Any = None
    list_select_related = True
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        tenants = permissions.visible_tenants(actor_of(request), self.needed)
        return super().get_queryset(request).filter(**{f"{self.tenant_path}__in": tenants})

    def get_list_filter(self, request: HttpRequest) -> Any:
        return [tenant_filter(self.tenant_path), *super().get_list_filter(request)]

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Allows only the declared filters: free lookups would let a user guess hidden column values letter
        by letter.
        """
        return NUL not in value and lookup in set(_lookups(self.get_list_filter(request)))

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        if obj is None:
            return can_on_any_tenant(request, self.needed)
        return self.get_queryset(request).filter(pk=obj.pk).exists()

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:  # noqa: ARG002
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:  # noqa: ARG002
        return False


def _lookups(filters: Iterable[Any]) -> Iterator[str]:
    """The query parameters of Django's filters for these fields and of our own filters."""
    for each in filters:
        if isinstance(each, str):
            yield from (each, f"{each}__exact", f"{each}__isnull")
        else:
            yield each.parameter_name


class FormPages:
    """A page with one form whose fields are passed to a service. A refusal is shown above the form."""

    opts: Any
    admin_site: Any

    def form_page(
        self,
        request: HttpRequest,
        form: forms.Form,
        title: str,
        act: Callable[[dict[str, Any]], str],
        *,
        allowed: bool | None = None,
    ) -> HttpResponse:
        """`act` takes the cleaned fields and returns a success message. `allowed` defaults to the add
        permission.
        """
        if not (self.has_add_permission(request) if allowed is None else allowed):  # type: ignore[attr-defined]
            raise PermissionDenied("Your role does not allow this.")
        if form.is_valid():
            try:
                done = act(form.cleaned_data)
            except InternalError:
                raise
            except DomainError as error:
                form.add_error(None, str(error))
            except ValidationError as error:
                form.add_error(None, error.messages)
            else:
                messages.success(request, done)
                return redirect(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist")
        return self.render_form(request, form, title)

    def render_form(self, request: HttpRequest, form: forms.Form, title: str) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": title,
            "form": form,
            "opts": self.opts,
        }
        return render(request, "admin/one_form.html", context)
