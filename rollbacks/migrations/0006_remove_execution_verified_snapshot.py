"""Removes a column that was never set. SQLite rebuilds the table for it and loses its triggers: they are made anew."""

from importlib import import_module

from django.db import migrations
from django.db.migrations import RunPython

from tenants.trust.append_only import append_only, lift_append_only

TABLE = "rollbacks_execution"
END = ["finished_at", "outcome", "message", "verification"]
needs_approvals, of_current_plan = import_module("rollbacks.migrations.0002_append_only").Migration.operations[-2:]
needs_free_approvers = import_module("rollbacks.migrations.0003_signers_under_control").Migration.operations[-1]
GUARDS: tuple[RunPython, ...] = (needs_approvals, of_current_plan, needs_free_approvers)


class Migration(migrations.Migration):
    dependencies = [("rollbacks", "0005_plan_losses")]
    operations = [
        *(RunPython(guard.reverse_code, guard.code) for guard in GUARDS),
        lift_append_only(TABLE, mutable=[*END, "verified_snapshot_id"]),
        migrations.RemoveField("execution", "verified_snapshot"),
        append_only(TABLE, mutable=END),
        *(RunPython(guard.code, guard.reverse_code) for guard in GUARDS),
    ]
