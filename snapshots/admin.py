"""Snapshots in the admin, read-only. Encrypted contents are not shown here."""

from django.contrib import admin

from snapshots.models import Coverage, Principal, Snapshot, Version
from tenants.access.scoped_admin import ScopedAdmin


@admin.register(Snapshot)
class SnapshotAdmin(ScopedAdmin):
    list_display = ["tenant", "number", "status", "mode", "resource_count", "requested_by", "completed_at"]
    list_filter = ["status", "mode"]
    search_fields = ["tenant__name", "root"]


@admin.register(Coverage)
class CoverageAdmin(ScopedAdmin):
    tenant_path = "snapshot__tenant"
    list_display = ["snapshot", "resource_type", "status", "count", "reason"]
    list_filter = ["status"]
    search_fields = ["resource_type"]


@admin.register(Version)
class VersionAdmin(ScopedAdmin):
    list_display = [
        "tenant",
        "resource_type",
        "display_name",
        "resource_id",
        "first_snapshot",
        "last_snapshot",
    ]
    search_fields = ["resource_type", "resource_id", "display_name"]


@admin.register(Principal)
class PrincipalAdmin(ScopedAdmin):
    list_display = ["tenant", "display_name", "user_principal_name", "kind", "is_guest"]
    list_filter = ["kind", "is_guest"]
    search_fields = ["display_name", "user_principal_name", "object_id"]
