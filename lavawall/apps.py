"""The site's own app (demo, emulator, schedules) and its admin site."""

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig


class LavawallConfig(AppConfig):
    name = "lavawall"
    verbose_name = "Lavawall"

    def ready(self) -> None:
        from lavawall import checks  # noqa: F401 - registers the system checks


class LavawallAdminConfig(AdminConfig):
    default_site = "lavawall.web.admin_site.LavawallAdminSite"
