"""What a release before had in the database is carried on."""

from datetime import UTC, datetime

from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from changes.models import AuditCursor
from tests.factories.tenants import TenantFactory

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def test_the_one_cursor_goes_on_for_the_directory_and_for_the_sign_ins(committed_db: None) -> None:
    tenant = TenantFactory()
    migrations = MigrationExecutor(connection)
    migrations.migrate([("changes", "0002_append_only")])
    try:
        old = migrations.loader.project_state([("changes", "0002_append_only")]).apps
        old.get_model("changes", "AuditCursor").objects.create(tenant_id=tenant.pk, read_until=NOON)
    finally:
        ahead = MigrationExecutor(connection)
        ahead.migrate(ahead.loader.graph.leaf_nodes())
    cursors = AuditCursor.objects.filter(tenant=tenant).values_list("source", "subscription", "read_until")
    assert list(cursors) == [("directoryAudit", "", NOON), ("signIn", "", NOON)]
