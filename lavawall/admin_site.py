"""The admin site."""

from django.contrib.admin import AdminSite


class LavawallAdminSite(AdminSite):
    site_header = "Lavawall"
    site_title = "Lavawall"
    index_title = "Administration"
