"""The admin site: the apps' models with their own permissions, and the product's sign-in page."""

from typing import Any

from django.contrib.admin import AdminSite
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from tenants.models import User

ROOMS = frozenset({"tenants", "snapshots", "changes", "rollbacks"})


class LavawallAdminSite(AdminSite):
    """Registers only the apps' models. Library models (schedules, groups) would bypass the permission checks."""

    site_header = "Lavawall administration"
    site_title = "Lavawall"
    index_title = "Administration"
    site_url = "/"
    enable_nav_sidebar = True

    def register(self, model_or_iterable: Any, admin_class: Any = None, **options: Any) -> None:
        models = [model_or_iterable] if isinstance(model_or_iterable, type) else list(model_or_iterable)
        ours = [model for model in models if model.__module__.partition(".")[0] in ROOMS]
        if ours:
            super().register(ours, admin_class, **options)

    def password_change(  # type: ignore[override]
        self,
        request: HttpRequest,  # noqa: ARG002
        extra_context: dict[str, Any] | None = None,  # noqa: ARG002
    ) -> HttpResponse:
        """Redirects to the product's own page for all users."""
        return redirect("password")

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:  # noqa: ARG002
        """Redirects to the product's sign-in page, or refuses users without a staff role."""
        if isinstance(request.user, User) and not self.has_permission(request):
            raise PermissionDenied("The administration site is for the MSP's staff only.")
        if self.has_permission(request):
            return redirect(f"{self.name}:index")
        return redirect_to_login(request.GET.get("next") or reverse(f"{self.name}:index"))
