"""What moved between two snapshots, how bad it is, and by whom."""

from django.apps import AppConfig


class ChangesConfig(AppConfig):
    name = "changes"
    verbose_name = "Changes"
