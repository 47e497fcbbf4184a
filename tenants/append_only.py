"""Database triggers that keep history append-only, for PostgreSQL and SQLite. Used by migrations of every room.

Retention and crypto-shredding pass through `retention_gate()`: a row in a small table that only its own transaction
sees. The gate is for code that means it; the ledger records each use.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from django.db import connection, transaction
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations import RunPython
from django.db.migrations.state import StateApps

GATE = "lavawall_retention_gate"
MESSAGE = "append-only"

Code = Callable[[StateApps, BaseDatabaseSchemaEditor], None]


def create_gate() -> RunPython:
    def forwards(_apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
        editor.execute(f"CREATE TABLE {GATE} (reason varchar(200) NOT NULL)")

    def backwards(_apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
        editor.execute(f"DROP TABLE {GATE}")

    return RunPython(forwards, backwards)


def append_only(table: str, *, mutable: Sequence[str] = ()) -> RunPython:
    """Refuses DELETE, and UPDATE of every column but the `mutable` ones."""
    protect, lift = _protection(table, mutable)
    return RunPython(protect, lift)


def lift_append_only(table: str, *, mutable: Sequence[str] = ()) -> RunPython:
    """Takes the triggers away, for a migration that alters the table and then calls `append_only` anew.

    Triggers know the columns of their day, and SQLite loses them where Django rebuilds a table.
    """
    protect, lift = _protection(table, mutable)
    return RunPython(lift, protect)


def refuse(table: str, name: str, *, verb: str, condition: str, message: str) -> RunPython:
    """A trigger that refuses a row for which the SQL `condition` (over NEW and OLD) holds.

    `verb` is INSERT, UPDATE or DELETE. The condition must read the same in both databases.
    """

    def forwards(_apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
        if editor.connection.vendor == "sqlite":
            editor.execute(
                f"CREATE TRIGGER {name} BEFORE {verb} ON {table} WHEN ({condition}) "
                f"BEGIN SELECT RAISE(ABORT, '{message}'); END"
            )
            return
        body = (
            f"IF ({condition}) THEN RAISE EXCEPTION '{message}' USING ERRCODE = 'check_violation'; END IF; "
        )
        editor.execute(_function(name, body + f"RETURN {'OLD' if verb == 'DELETE' else 'NEW'};"))
        editor.execute(
            f"CREATE TRIGGER {name} BEFORE {verb} ON {table} FOR EACH ROW EXECUTE FUNCTION {name}_fn()"
        )

    def backwards(_apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
        drop_trigger(editor, table, name)

    return RunPython(forwards, backwards)


@contextmanager
def retention_gate(reason: str) -> Iterator[None]:
    """Lets the current transaction delete history. The caller records why in the ledger."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO {GATE} (reason) VALUES (%s)", [reason])
        yield
        cursor.execute(f"DELETE FROM {GATE}")


def drop_trigger(editor: BaseDatabaseSchemaEditor, table: str, name: str) -> None:
    if editor.connection.vendor == "sqlite":
        editor.execute(f"DROP TRIGGER IF EXISTS {name}")
        return
    editor.execute(f"DROP TRIGGER IF EXISTS {name} ON {table}")
    editor.execute(f"DROP FUNCTION IF EXISTS {name}_fn()")


def _protection(table: str, mutable: Sequence[str]) -> tuple[Code, Code]:
    """What makes the triggers, and what takes them away."""

    def protect(_apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
        with editor.connection.cursor() as cursor:
            columns = [
                column.name
                for column in editor.connection.introspection.get_table_description(cursor, table)
                if column.name not in mutable
            ]
        for statement in _statements(editor.connection.vendor, table, columns):
            editor.execute(statement)

    def lift(_apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
        for verb in ("update", "delete", "truncate"):
            drop_trigger(editor, table, f"{table}_no_{verb}")

    return protect, lift


def _statements(vendor: str, table: str, columns: Sequence[str]) -> Iterator[str]:
    closed = f"NOT EXISTS (SELECT 1 FROM {GATE})"
    if vendor == "sqlite":
        changed = " OR ".join(f'OLD."{column}" IS NOT NEW."{column}"' for column in columns)
        refuse_row = f"BEGIN SELECT RAISE(ABORT, '{MESSAGE}: {table}'); END"
        yield (
            f"CREATE TRIGGER {table}_no_update BEFORE UPDATE ON {table} WHEN ({changed}) AND {closed} {refuse_row}"
        )
        yield f"CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} WHEN {closed} {refuse_row}"
        return
    changed = " OR ".join(f'OLD."{column}" IS DISTINCT FROM NEW."{column}"' for column in columns)
    raising = f"RAISE EXCEPTION '{MESSAGE}: {table}' USING ERRCODE = 'check_violation'; END IF;"
    yield _function(f"{table}_no_update", f"IF ({changed}) AND {closed} THEN {raising} RETURN NEW;")
    yield _function(f"{table}_no_delete", f"IF {closed} THEN {raising} RETURN OLD;")
    yield _function(f"{table}_no_truncate", f"IF {closed} THEN {raising} RETURN NULL;")
    for verb in ("update", "delete"):
        yield (
            f"CREATE TRIGGER {table}_no_{verb} BEFORE {verb.upper()} ON {table} "
            f"FOR EACH ROW EXECUTE FUNCTION {table}_no_{verb}_fn()"
        )
    yield (
        f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
        f"FOR EACH STATEMENT EXECUTE FUNCTION {table}_no_truncate_fn()"
    )


def _function(name: str, body: str) -> str:
    return f"CREATE FUNCTION {name}_fn() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} END $$"
