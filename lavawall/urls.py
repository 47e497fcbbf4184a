"""URLs of the site: pages, admin and API of all apps."""

from django.contrib import admin
from django.contrib.auth.views import LogoutView
from django.urls import include, path

from lavawall.web import views
from tenants.accounts.sign_in import SignIn

handler500 = "lavawall.web.views.server_error"

urlpatterns = [
    path("", views.overview, name="overview"),
    path("sign-in/", SignIn.as_view(), name="login"),
    path("sign-out/", LogoutView.as_view(), name="logout"),
    path("", include("changes.urls")),
    path("", include("snapshots.urls")),
    path("", include("rollbacks.urls")),
    path("", include("tenants.urls")),
    path("api/", include("lavawall.api.urls")),
    path("admin/", admin.site.urls),
]
