"""Every address of the site: pages, admin and API, assembled from the rooms."""

from django.contrib import admin
from django.contrib.auth.views import LoginView, LogoutView
from django.urls import include, path

from lavawall import views

handler500 = "lavawall.views.server_error"

urlpatterns = [
    path("", views.overview, name="overview"),
    path("sign-in/", LoginView.as_view(redirect_authenticated_user=True), name="login"),
    path("sign-out/", LogoutView.as_view(), name="logout"),
    path("healthz", views.healthz, name="healthz"),
    path("", include("changes.urls")),
    path("", include("snapshots.urls")),
    path("", include("rollbacks.urls")),
    path("", include("tenants.urls")),
    path("api/", include("lavawall.api.urls")),
    path("admin/", admin.site.urls),
]
