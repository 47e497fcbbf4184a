from django.db import migrations

from tenants.trust.append_only import GATE, refuse


def at(offset: int) -> str:
    """SQL: the tenant's newest snapshot but `offset`."""
    return (
        "COALESCE((SELECT s.id FROM snapshots_snapshot s WHERE s.tenant_id = OLD.tenant_id "
        f"ORDER BY s.number DESC LIMIT 1 OFFSET {offset}), 0)"
    )


def ends_wrongly(snapshot: str) -> str:
    """SQL. `snapshot`: the id of the snapshot that a ledger entry (l) sealed."""
    sealed = (
        f"COALESCE((SELECT {snapshot} FROM tenants_ledgerentry l WHERE l.tenant_id = OLD.tenant_id "
        "AND l.action = 'snapshot:seal' ORDER BY l.sequence DESC LIMIT 1), 0)"
    )
    return (
        f"NOT EXISTS (SELECT 1 FROM {GATE}) AND ("
        "(OLD.last_snapshot_id IS NOT NULL "
        "AND (NEW.last_snapshot_id IS NULL OR NEW.last_snapshot_id <> OLD.last_snapshot_id)) "
        "OR (OLD.last_snapshot_id IS NULL AND NEW.last_snapshot_id IS NOT NULL "
        f"AND (NEW.last_snapshot_id <> {at(1)} OR NEW.last_snapshot_id < OLD.first_snapshot_id "
        f"OR {sealed} = {at(0)})))"
    )


class Migration(migrations.Migration):
    """A version ends once, while the next snapshot is being sealed, and with the snapshot before that one."""

    dependencies = [("snapshots", "0005_coverage_not_applicable"), ("tenants", "0005_control_acts")]
    operations = [
        refuse(
            "snapshots_version",
            "snapshots_version_ends_once",
            verb="UPDATE",
            condition=ends_wrongly("CAST(l.detail ->> 'snapshot' AS bigint)"),
            sqlite_condition=ends_wrongly("json_extract(l.detail, '$.snapshot')"),
            message="append-only: snapshots_version",
        ),
    ]
