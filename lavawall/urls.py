"""Every address of the site: pages, admin and API, assembled from the rooms."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("api/", include("lavawall.api.urls")),
    path("admin/", admin.site.urls),
]
