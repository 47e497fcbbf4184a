"""Every address of the site: pages, admin and API, assembled from the rooms."""

from django.contrib import admin
from django.urls import path

urlpatterns = [path("admin/", admin.site.urls)]
