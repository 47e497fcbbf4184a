from django.db import migrations

from tenants.trust.append_only import append_only, refuse

SIGNATURES = (
    "(SELECT COUNT(DISTINCT a.approver_id) FROM rollbacks_approval a JOIN rollbacks_plan p ON p.id = a.plan_id "
    "WHERE p.id = NEW.plan_id AND a.plan_digest = p.digest AND a.verdict = 'approved' "
    "AND a.approver_id <> (SELECT r.requester_id FROM rollbacks_rollback r WHERE r.id = p.rollback_id))"
)


class Migration(migrations.Migration):
    dependencies = [("rollbacks", "0001_initial"), ("tenants", "0002_append_only")]
    operations = [
        append_only("rollbacks_plan"),
        append_only("rollbacks_step"),
        append_only("rollbacks_approval"),
        append_only("rollbacks_remapping"),
        append_only(
            "rollbacks_execution",
            mutable=["finished_at", "outcome", "message", "verification", "verified_snapshot_id"],
        ),
        append_only("rollbacks_rollback", mutable=["state", "plan_id", "closed_at"]),
        refuse(
            "rollbacks_approval",
            "rollbacks_approval_not_by_requester",
            verb="INSERT",
            condition=(
                "NEW.approver_id = (SELECT r.requester_id FROM rollbacks_rollback r "
                "JOIN rollbacks_plan p ON p.rollback_id = r.id WHERE p.id = NEW.plan_id)"
            ),
            message="the requester of a rollback cannot approve it",
        ),
        refuse(
            "rollbacks_execution",
            "rollbacks_execution_needs_approvals",
            verb="INSERT",
            condition=(
                f"{SIGNATURES} < (SELECT p.required_approvals FROM rollbacks_plan p WHERE p.id = NEW.plan_id)"
            ),
            message="a rollback runs only with all its approvals",
        ),
        refuse(
            "rollbacks_execution",
            "rollbacks_execution_of_current_plan",
            verb="INSERT",
            condition=(
                "NOT EXISTS (SELECT 1 FROM rollbacks_plan p JOIN rollbacks_rollback r ON r.plan_id = p.id "
                "WHERE p.id = NEW.plan_id AND p.applicable AND p.expires_at > NEW.started_at "
                "AND NOT EXISTS (SELECT 1 FROM rollbacks_approval a "
                "WHERE a.plan_id = p.id AND a.verdict = 'rejected'))"
            ),
            message="only the current, applicable, unexpired plan of a rollback that nobody rejected runs",
        ),
    ]
