"""Changes, audit events and attributions in the admin, read-only."""

from django.contrib import admin

from changes.models import Acknowledgement, Attribution, AuditCursor, AuditEvent, Change, Finding, SignIn
from tenants.access.scoped_admin import ScopedAdmin


@admin.register(Change)
class ChangeAdmin(ScopedAdmin):
    list_display = ["tenant", "severity", "kind", "resource_type", "display_name", "summary", "detected_at"]
    list_filter = ["severity", "kind"]
    search_fields = ["display_name", "resource_id", "summary"]


@admin.register(Finding)
class FindingAdmin(ScopedAdmin):
    tenant_path = "change__tenant"
    list_display = ["change", "rule", "severity", "direction", "technique", "reason"]
    list_filter = ["severity", "direction"]
    search_fields = ["rule", "reason", "technique"]


@admin.register(Acknowledgement)
class AcknowledgementAdmin(ScopedAdmin):
    tenant_path = "change__tenant"
    list_display = ["change", "by", "at", "note"]
    search_fields = ["note"]


@admin.register(AuditEvent)
class AuditEventAdmin(ScopedAdmin):
    list_display = ["tenant", "occurred_at", "activity", "actor_name", "ip", "result"]
    list_filter = ["actor_type", "result"]
    search_fields = ["activity", "actor_name", "ip", "event_id", "correlation_id"]


@admin.register(SignIn)
class SignInAdmin(ScopedAdmin):
    list_display = ["tenant", "occurred_at", "user_principal_name", "ip", "country", "city"]
    search_fields = ["user_principal_name", "ip", "principal_id"]


@admin.register(Attribution)
class AttributionAdmin(ScopedAdmin):
    tenant_path = "change__tenant"
    list_display = ["change", "event", "confidence", "score", "country", "ours"]
    list_filter = ["confidence", "ours"]
    search_fields = ["event__actor_name", "event__event_id"]


@admin.register(AuditCursor)
class AuditCursorAdmin(ScopedAdmin):
    list_display = ["tenant", "source", "subscription", "read_until", "error"]
    list_filter = ["source"]
