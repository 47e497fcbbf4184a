from django.db import migrations

from tenants.trust.append_only import refuse


def under_control(approver: str, moment: str) -> str:
    """SQL: somebody holds unconfirmed control over this account on the tenant of NEW's plan."""
    return (
        "EXISTS (SELECT 1 FROM tenants_controlact c "
        "JOIN rollbacks_plan p ON p.id = NEW.plan_id JOIN rollbacks_rollback r ON r.id = p.rollback_id "
        "JOIN tenants_tenant t ON t.id = r.tenant_id "
        f"WHERE c.subject_id = {approver} "
        "AND c.kind IN ('create', 'password', 'activate', 'email', 'role', 'group', 'token') "
        "AND (c.tenant_id IS NULL OR c.tenant_id = t.id) "
        "AND (c.customer_id IS NULL OR c.customer_id = t.customer_id) "
        f"AND (c.cools_off_at IS NULL OR c.cools_off_at > {moment}) "
        "AND NOT EXISTS (SELECT 1 FROM tenants_controlact e WHERE e.confirms_id = c.id))"
    )


SIGNATURES = (
    "(SELECT COUNT(DISTINCT a.approver_id) FROM rollbacks_approval a JOIN rollbacks_plan q ON q.id = a.plan_id "
    "WHERE q.id = NEW.plan_id AND a.plan_digest = q.digest AND a.verdict = 'approved' "
    f"AND NOT {under_control('a.approver_id', 'NEW.started_at')})"
)


class Migration(migrations.Migration):
    dependencies = [("rollbacks", "0002_append_only"), ("tenants", "0005_control_acts")]
    operations = [
        refuse(
            "rollbacks_approval",
            "rollbacks_approval_not_under_control",
            verb="INSERT",
            condition=f"NEW.verdict = 'approved' AND {under_control('NEW.approver_id', 'NEW.at')}",
            message="an account under unconfirmed control cannot approve",
        ),
        refuse(
            "rollbacks_execution",
            "rollbacks_execution_needs_free_approvers",
            verb="INSERT",
            condition=(
                f"{SIGNATURES} < (SELECT q.required_approvals FROM rollbacks_plan q WHERE q.id = NEW.plan_id)"
            ),
            message="a rollback runs only with all its approvals, by accounts under nobody''s unconfirmed control",
        ),
    ]
