"""Rollbacks in the admin, read-only. They are approved and executed on their page, in the API or by command."""

from django.contrib import admin

from rollbacks.models import Approval, Execution, Plan, Remapping, Resumption, Rollback, Step, StepRecord
from tenants.access.scoped_admin import ScopedAdmin


@admin.register(Rollback)
class RollbackAdmin(ScopedAdmin):
    list_display = ["id", "tenant", "state", "requester", "source", "reason", "created_at"]
    list_filter = ["state", "source"]
    search_fields = ["reason", "requester__username"]


@admin.register(Plan)
class PlanAdmin(ScopedAdmin):
    tenant_path = "rollback__tenant"
    list_display = [
        "rollback",
        "revision",
        "digest",
        "required_approvals",
        "complete",
        "applicable",
        "expires_at",
    ]
    search_fields = ["digest"]


@admin.register(Step)
class StepAdmin(ScopedAdmin):
    tenant_path = "plan__rollback__tenant"
    list_display = ["plan", "order", "kind", "resource_type", "display_name", "explanation"]
    list_filter = ["kind"]
    search_fields = ["display_name", "resource_id"]


@admin.register(Approval)
class ApprovalAdmin(ScopedAdmin):
    tenant_path = "plan__rollback__tenant"
    list_display = ["plan", "approver", "verdict", "requester", "plan_digest", "at"]
    list_filter = ["verdict"]
    search_fields = ["approver__username", "plan_digest"]


@admin.register(Execution)
class ExecutionAdmin(ScopedAdmin):
    tenant_path = "plan__rollback__tenant"
    list_display = ["plan", "started_by", "started_at", "finished_at", "outcome"]


@admin.register(Resumption)
class ResumptionAdmin(ScopedAdmin):
    tenant_path = "execution__plan__rollback__tenant"
    list_display = ["execution", "resumed_by", "at", "outcome", "ended_at"]


@admin.register(StepRecord)
class StepRecordAdmin(ScopedAdmin):
    tenant_path = "execution__plan__rollback__tenant"
    list_display = ["execution", "step", "request_index", "state", "sent_at", "finished_at"]
    list_filter = ["state"]
    search_fields = ["client_request_id"]


@admin.register(Remapping)
class RemappingAdmin(ScopedAdmin):
    tenant_path = "execution__plan__rollback__tenant"
    list_display = ["execution", "resource_type", "display_name", "old_id", "new_id"]
    search_fields = ["old_id", "new_id", "display_name"]
