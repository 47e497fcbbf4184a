"""History cannot be changed by anybody's code: the database itself refuses, by ORM and by SQL, on both
databases.
"""

import pytest
from django.apps import apps
from django.db import DatabaseError, IntegrityError, connection, models, transaction
from django.utils import timezone

from changes import services
from changes.models import Attribution, AuditEvent, Change, SignIn
from snapshots.models import Version
from tenants.access.actors import Actor
from tenants.access.matrix import Role
from tenants.models import LedgerEntry, Tenant
from tenants.trust import append_only
from tenants.trust.append_only import GATE, retention_gate
from tests.factories.changes import MFA_POLICY_ID, disabled_mfa, mfa_policy
from tests.factories.snapshots import take
from tests.factories.tenants import TenantFactory, person, role_bound

REFUSALS = (IntegrityError, DatabaseError)
PROTECTED = [
    "tenants_ledgerentry",
    "tenants_controlact",
    "snapshots_snapshot",
    "snapshots_coverage",
    "snapshots_blob",
    "snapshots_version",
    "changes_change",
    "changes_finding",
    "changes_acknowledgement",
    "changes_auditevent",
    "changes_signin",
    "changes_attribution",
]
MODELS = {model._meta.db_table: model for model in apps.get_models()}
MUTABLE = {("snapshots_version", "last_snapshot_id")}
COLUMNS = [
    (table, field.column)
    for table in PROTECTED
    for field in MODELS[table]._meta.concrete_fields
    if (table, field.column) not in MUTABLE
]


@pytest.fixture
def history(db: None) -> Change:
    """A row in every protected table of the three lower rooms."""
    tenant: Tenant = TenantFactory()
    role_bound(tenant)
    change = disabled_mfa(tenant)
    services.acknowledge(Actor.person(person(Role.ENGINEER), "page"), change=change, note="seen")
    now = timezone.now()
    event = AuditEvent.objects.create(
        tenant=tenant,
        event_id="e1",
        activity="Update policy",
        occurred_at=now,
        actor_type="user",
        sealed=b"-",
        received_at=now,
    )
    SignIn.objects.create(tenant=tenant, event_id="s1", principal_id="p1", occurred_at=now)
    Attribution.objects.create(change=change, event=event, confidence="high", score=90, made_at=now)
    return change


def execute(statement: str, *parameters: str | int | bytes) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, parameters)


def altered(field: "models.Field[object, object]", value: object) -> str | int | bytes:
    if isinstance(field, models.BooleanField):
        return not value
    if isinstance(field, models.DateTimeField):
        return "2001-02-03 04:05:06+00:00"
    if isinstance(field, models.JSONField):
        return '["altered"]'
    if isinstance(field, models.BinaryField):
        return b"altered"
    if isinstance(field, (models.IntegerField, models.ForeignKey)):
        return 31_000
    return "zz"


@pytest.mark.parametrize(("table", "column"), COLUMNS, ids=[f"{table}.{column}" for table, column in COLUMNS])
def test_no_column_of_history_can_be_changed(history: Change, table: str, column: str) -> None:
    model = MODELS[table]
    field = next(field for field in model._meta.concrete_fields if field.column == column)
    row = model._default_manager.first()
    assert row is not None, f"the history fixture has no row in {table}"
    value = altered(field, getattr(row, field.attname))
    with pytest.raises(REFUSALS, match="append-only"):
        execute(f'UPDATE {table} SET "{column}" = %s WHERE id = %s', value, row.pk)
    assert getattr(model._default_manager.get(pk=row.pk), field.attname) == getattr(row, field.attname)


@pytest.mark.parametrize("table", PROTECTED)
def test_no_row_of_history_can_be_deleted(history: Change, table: str) -> None:
    before = MODELS[table]._default_manager.count()
    with pytest.raises(REFUSALS, match="append-only"):
        execute(f"DELETE FROM {table}")
    with pytest.raises((*REFUSALS, models.ProtectedError)), transaction.atomic():
        MODELS[table]._default_manager.all().delete()
    assert MODELS[table]._default_manager.count() == before > 0


@pytest.mark.parametrize("table", PROTECTED)
def test_the_orm_cannot_change_history_either(history: Change, table: str) -> None:
    column = [name for each, name in COLUMNS if each == table and name != "id"][-1]
    field = next(field for field in MODELS[table]._meta.concrete_fields if field.column == column)
    row = MODELS[table]._default_manager.first()
    assert row is not None
    current = getattr(row, field.attname)
    value = timezone.now() if isinstance(field, models.DateTimeField) else current
    if value == current:
        value = not current if isinstance(current, bool) else b"x" if isinstance(current, bytes) else "x"
    setattr(row, field.attname, value)
    with pytest.raises((*REFUSALS, ValueError)), transaction.atomic():
        row.save(update_fields=[field.name])


@pytest.mark.parametrize("table", PROTECTED)
def test_no_table_of_history_can_be_emptied_at_once(history: Change, table: str) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has no TRUNCATE")
    execute("SET CONSTRAINTS ALL IMMEDIATE")
    with pytest.raises(REFUSALS, match="append-only"):
        execute(f"TRUNCATE {table} CASCADE")


def test_a_version_ends_with_a_snapshot_and_nothing_else_of_it_may_move(history: Change) -> None:
    tenant = history.tenant
    version = Version.objects.get(tenant=tenant, last_snapshot=None)
    take(tenant, {"conditionalAccessPolicy": {MFA_POLICY_ID: mfa_policy(state="enabled")}})
    assert Version.objects.get(pk=version.pk).last_snapshot_id == history.snapshot_id
    with pytest.raises(REFUSALS, match="append-only"), transaction.atomic():
        Version.objects.filter(pk=version.pk).update(last_snapshot=None, display_name="another")


def test_every_trigger_is_as_the_migrations_made_it(db: None) -> None:
    assert append_only.faults() == []


def _dropped(name: str, table: str) -> None:
    execute(f"DROP TRIGGER {name}" if connection.vendor == "sqlite" else f"DROP TRIGGER {name} ON {table}")


def test_a_missing_trigger_is_found(db: None) -> None:
    _dropped("snapshots_version_no_update", "snapshots_version")
    assert append_only.faults() == ["trigger snapshots_version_no_update on snapshots_version is missing"]


def test_a_trigger_that_was_altered_is_found(db: None) -> None:
    name = "changes_change_no_delete"
    if connection.vendor == "sqlite":
        _dropped(name, "changes_change")
        execute(f"CREATE TRIGGER {name} BEFORE DELETE ON changes_change WHEN 1 = 0 BEGIN SELECT 1; END")
    else:
        execute(
            f"CREATE OR REPLACE FUNCTION {name}_fn() RETURNS trigger LANGUAGE plpgsql "
            "AS $$ BEGIN RETURN OLD; END $$"
        )
    assert append_only.faults() == [f"trigger {name} on changes_change was altered"]


def test_a_trigger_that_was_switched_off_is_found(db: None) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite cannot switch a trigger off")
    execute("ALTER TABLE tenants_ledgerentry DISABLE TRIGGER tenants_ledgerentry_no_update")
    assert append_only.faults() == ["trigger tenants_ledgerentry_no_update on tenants_ledgerentry is missing"]


def test_a_trigger_of_somebody_else_is_found(db: None) -> None:
    if connection.vendor == "sqlite":
        execute("CREATE TRIGGER mine AFTER INSERT ON changes_change BEGIN SELECT 1; END")
    else:
        execute(
            "CREATE TRIGGER mine AFTER INSERT ON changes_change "
            "FOR EACH ROW EXECUTE FUNCTION changes_change_no_update_fn()"
        )
    assert append_only.faults() == ["trigger mine on changes_change is not part of the product"]


def test_a_retention_gate_that_was_left_open_is_found(db: None) -> None:
    execute(f"INSERT INTO {GATE} (reason) VALUES ('mine')")
    assert append_only.faults() == ["the retention gate is open: history can be altered"]


def test_an_update_that_changes_nothing_is_let_through(history: Change) -> None:
    execute("UPDATE changes_change SET severity = severity")


def test_the_gate_opens_history_for_its_own_transaction_only(history: Change) -> None:
    with retention_gate("a test"):
        Attribution.objects.all().delete()
    assert not Attribution.objects.exists()
    with pytest.raises(REFUSALS, match="append-only"):
        execute("DELETE FROM changes_finding")


def test_a_gate_that_fails_is_closed_and_its_work_undone(history: Change) -> None:
    with pytest.raises(ZeroDivisionError), retention_gate("a test"):  # noqa: PT012 - the error must leave the transaction
        Attribution.objects.all().delete()
        raise ZeroDivisionError
    assert Attribution.objects.exists()
    with pytest.raises(REFUSALS, match="append-only"):
        execute("DELETE FROM changes_attribution")
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {GATE}")
        assert cursor.fetchone() == (0,)


def test_inserting_or_replace_does_not_slip_through(history: Change) -> None:
    """SQLite's REPLACE deletes rows, and tells the triggers only where recursive triggers are on."""
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL has no REPLACE")
    entry = LedgerEntry.objects.order_by("sequence").first()
    assert entry is not None
    with pytest.raises(REFUSALS, match="append-only"):
        execute(
            "INSERT OR REPLACE INTO tenants_ledgerentry "
            "(id, sequence, at, actor, via, action, target, detail, previous, digest) "
            "VALUES (%s, %s, '2020-01-01', 'x', 'x', 'x', 'x', '{}', 'x', 'x')",
            entry.pk,
            entry.sequence,
        )
