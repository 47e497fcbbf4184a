from django.db import migrations

from tenants.append_only import append_only, refuse

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
    ]
