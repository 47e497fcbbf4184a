"""Database triggers that keep history append-only, for PostgreSQL and SQLite. Used by migrations of every
app. Retention and crypto-shredding use `retention_gate()`: a row in a small table that only its own
transaction sees. The ledger records each use.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations import RunPython
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import StateApps

GATE = "lavawall_retention_gate"
MESSAGE = "append-only"


@dataclass(frozen=True)
class Trigger:
    """A trigger and the statements that create it, as stored by the database."""

    name: str
    table: str
    statements: tuple[str, ...]


Triggers = Callable[[str, Sequence[str]], Iterable[Trigger]]
"""Takes the database vendor and the table's columns."""


class Protection(RunPython):
    """Creates or removes the triggers of a table. `faults` derives the expected triggers from the migrations."""

    def __init__(self, table: str, triggers: Triggers, *, installs: bool = True) -> None:
        self.table = table
        self.triggers = triggers
        self.installs = installs
        super().__init__(
            self._install if installs else self._remove, self._remove if installs else self._install
        )

    def wanted(self, database: BaseDatabaseWrapper) -> list[Trigger]:
        with database.cursor() as cursor:
            described = database.introspection.get_table_description(cursor, self.table)
        return list(self.triggers(database.vendor, [column.name for column in described]))

    def _install(self, _apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
        for trigger in self.wanted(editor.connection):
            for statement in trigger.statements:
                editor.execute(statement)

    def _remove(self, _apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
        for trigger in self.wanted(editor.connection):
            drop_trigger(editor, trigger.table, trigger.name)


def create_gate() -> RunPython:
    def forwards(_apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
        editor.execute(f"CREATE TABLE {GATE} (reason varchar(200) NOT NULL)")

    def backwards(_apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
        editor.execute(f"DROP TABLE {GATE}")

    return RunPython(forwards, backwards)


def append_only(table: str, *, mutable: Sequence[str] = ()) -> Protection:
    """Refuses DELETE, and UPDATE of all columns except the `mutable` ones."""
    return Protection(table, _append_only(table, mutable))


def lift_append_only(table: str, *, mutable: Sequence[str] = ()) -> Protection:
    """Removes the triggers, for a migration that alters the table and then calls `append_only` again.
    Triggers know only the columns that existed when they were created, and SQLite drops them when Django
    rebuilds a table.
    """
    return Protection(table, _append_only(table, mutable), installs=False)


def refuse(
    table: str, name: str, *, verb: str, condition: str, message: str, sqlite_condition: str = ""
) -> Protection:
    """A trigger that refuses rows for which the SQL `condition` (over NEW and OLD) is true.

    `verb` is INSERT, UPDATE or DELETE. Pass a separate condition for SQLite if the same SQL does not work in
    both databases.
    """

    def triggers(vendor: str, _columns: Sequence[str]) -> Iterator[Trigger]:
        if vendor == "sqlite":
            statement = (
                f"CREATE TRIGGER {name} BEFORE {verb} ON {table} WHEN ({sqlite_condition or condition}) "
                f"BEGIN SELECT RAISE(ABORT, '{message}'); END"
            )
            yield Trigger(name, table, (statement,))
            return
        body = (
            f"IF ({condition}) THEN RAISE EXCEPTION '{message}' USING ERRCODE = 'check_violation'; END IF; "
            f"RETURN {'OLD' if verb == 'DELETE' else 'NEW'};"
        )
        yield _with_function(name, table, verb, body)

    return Protection(table, triggers)


def faults(database: Any = connection) -> list[str]:
    """Triggers that are missing, altered or not part of the product, and a retention gate that was left open."""
    wanted = {trigger.name: trigger for trigger in _wanted(database)}
    present = {trigger.name: trigger for trigger in _present(database)}
    tables = {trigger.table for trigger in wanted.values()}
    found = [
        f"trigger {name} on {wanted[name].table} is missing"
        for name in sorted(wanted.keys() - present.keys())
    ]
    found += [
        f"trigger {name} on {wanted[name].table} was altered"
        for name in sorted(wanted.keys() & present.keys())
        if wanted[name].statements != present[name].statements
    ]
    found += [
        f"trigger {name} on {present[name].table} is not part of the product"
        for name in sorted(present.keys() - wanted.keys())
        if present[name].table in tables
    ]
    with database.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {GATE}")
        if cursor.fetchone() != (0,):
            found.append("the retention gate is open: history can be altered")
    return found


@contextmanager
def retention_gate(reason: str) -> Iterator[None]:
    """Allows the current transaction to delete history. The caller records the reason in the ledger."""
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


def _append_only(table: str, mutable: Sequence[str]) -> Triggers:
    closed = f"NOT EXISTS (SELECT 1 FROM {GATE})"

    def triggers(vendor: str, columns: Sequence[str]) -> Iterator[Trigger]:
        fixed = [column for column in columns if column not in mutable]
        if vendor == "sqlite":
            changed = " OR ".join(f'OLD."{column}" IS NOT NEW."{column}"' for column in fixed)
            refuse_row = f"BEGIN SELECT RAISE(ABORT, '{MESSAGE}: {table}'); END"
            for verb, condition in (("update", f"({changed}) AND {closed}"), ("delete", closed)):
                name = f"{table}_no_{verb}"
                statement = (
                    f"CREATE TRIGGER {name} BEFORE {verb.upper()} ON {table} WHEN {condition} {refuse_row}"
                )
                yield Trigger(name, table, (statement,))
            return
        changed = " OR ".join(f'OLD."{column}" IS DISTINCT FROM NEW."{column}"' for column in fixed)
        raising = f"RAISE EXCEPTION '{MESSAGE}: {table}' USING ERRCODE = 'check_violation'; END IF;"
        for verb, condition, row in (
            ("update", f"({changed}) AND {closed}", "NEW"),
            ("delete", closed, "OLD"),
            ("truncate", closed, "NULL"),
        ):
            body = f"IF {condition} THEN {raising} RETURN {row};"
            yield _with_function(f"{table}_no_{verb}", table, verb.upper(), body)

    return triggers


def _with_function(name: str, table: str, verb: str, body: str) -> Trigger:
    """Each PostgreSQL trigger calls a function."""
    each = "STATEMENT" if verb == "TRUNCATE" else "ROW"
    return Trigger(
        name,
        table,
        (
            f"CREATE FUNCTION {name}_fn() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} END $$",
            f"CREATE TRIGGER {name} BEFORE {verb} ON {table} FOR EACH {each} EXECUTE FUNCTION {name}_fn()",
        ),
    )


def _wanted(database: BaseDatabaseWrapper) -> Iterator[Trigger]:
    """The triggers that result from all applied migrations."""
    loader = MigrationLoader(database)
    wanted: dict[str, Trigger] = {}
    seen: set[tuple[str, str]] = set()
    for leaf in loader.graph.leaf_nodes():
        for key in loader.graph.forwards_plan(leaf):
            if key in seen or key not in loader.applied_migrations:
                continue
            seen.add(key)
            for operation in loader.graph.nodes[key].operations:
                if isinstance(operation, Protection):
                    each = {trigger.name: trigger for trigger in operation.wanted(database)}
                    wanted = (
                        wanted | each
                        if operation.installs
                        else {name: trigger for name, trigger in wanted.items() if name not in each}
                    )
    return iter(wanted.values())


def _present(database: BaseDatabaseWrapper) -> Iterator[Trigger]:
    """The triggers in the database's catalogue, without disabled ones."""
    with database.cursor() as cursor:
        if database.vendor == "sqlite":
            cursor.execute("SELECT name, tbl_name, sql FROM sqlite_master WHERE type = 'trigger'")
            yield from (Trigger(name, table, (sql,)) for name, table, sql in cursor.fetchall())
            return
        cursor.execute(
            "SELECT t.tgname, c.relname, p.proname, p.prosrc, pg_get_triggerdef(t.oid, true) FROM "
            "pg_trigger t "
            "JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace "
            "JOIN pg_proc p ON p.oid = t.tgfoid "
            "WHERE NOT t.tgisinternal AND t.tgenabled = 'O' AND n.nspname = current_schema()"
        )
        for name, table, function, source, definition in cursor.fetchall():
            made = f"CREATE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS $${source}$$"
            yield Trigger(name, table, (made, definition))
