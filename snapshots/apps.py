"""Snapshots: the state of a tenant's configuration at one time."""

from django.apps import AppConfig


class SnapshotsConfig(AppConfig):
    name = "snapshots"
    verbose_name = "Snapshots"
