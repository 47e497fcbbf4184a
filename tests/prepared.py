"""Test databases are copies of one that is migrated once per state of the migrations: migrating costs seconds each."""

import hashlib
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from fcntl import LOCK_EX, flock
from pathlib import Path

import django
from django.core.management import call_command
from django.db import connection
from django.db.backends.utils import CursorWrapper

ROOT = Path(__file__).resolve().parents[1]
SHAPES_THE_DATABASE = (
    "*/migrations/*.py",
    "tenants/trust/append_only.py",
    "tenants/access/matrix.py",
    "requirements.txt",
)


@contextmanager
def database(suffix: str) -> Iterator[None]:
    """The default connection leads to a fresh copy of the migrated database, which goes when the tests end."""
    template = f"lavawall_template_{_fingerprint()}"
    prepare = _prepared_sqlite if connection.vendor == "sqlite" else _prepared_postgresql
    with prepare(template, suffix) as name:
        _connect_to(name)
        yield
        connection.close()


def _fingerprint() -> str:
    """Of all that decides what a migrated database looks like."""
    digest = hashlib.sha256(django.__version__.encode())
    for pattern in SHAPES_THE_DATABASE:
        for path in sorted(ROOT.glob(pattern)):
            digest.update(path.relative_to(ROOT).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def _connect_to(name: str) -> None:
    connection.close()
    connection.settings_dict["NAME"] = name


@contextmanager
def _one_at_a_time(template: str) -> Iterator[None]:
    """Workers start together; one migrates, the others wait for it."""
    with Path(tempfile.gettempdir(), f"{template}.lock").open("w") as lock:
        flock(lock, LOCK_EX)
        yield


@contextmanager
def _prepared_sqlite(template: str, suffix: str) -> Iterator[str]:
    stored = Path(tempfile.gettempdir(), f"{template}.sqlite3")
    with _one_at_a_time(template):
        if not stored.exists():
            draft = stored.with_suffix(".draft")
            draft.unlink(missing_ok=True)
            _connect_to(str(draft))
            call_command("migrate", verbosity=0)
            connection.close()
            with closing(sqlite3.connect(draft)) as finished:
                finished.execute("PRAGMA journal_mode=DELETE")
            draft.rename(stored)
    copy = Path(tempfile.mkdtemp(prefix="lavawall-tests-"), f"{suffix}.sqlite3")
    shutil.copyfile(stored, copy)
    try:
        yield str(copy)
    finally:
        shutil.rmtree(copy.parent, ignore_errors=True)


@contextmanager
def _prepared_postgresql(template: str, suffix: str) -> Iterator[str]:
    own = connection.settings_dict["NAME"]
    copy = f"test_{own}_{suffix}"
    with _one_at_a_time(template):
        with _maintenance() as cursor:
            cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [template])
            known = cursor.fetchone() is not None
        if not known:
            draft = f"{template}_draft"
            with _maintenance() as cursor:
                cursor.execute(f'DROP DATABASE IF EXISTS "{draft}" WITH (FORCE)')
                cursor.execute(f'CREATE DATABASE "{draft}"')
            _connect_to(draft)
            call_command("migrate", verbosity=0)
            with _maintenance() as cursor:
                cursor.execute(f'ALTER DATABASE "{draft}" RENAME TO "{template}"')
        with _maintenance() as cursor:
            cursor.execute(f'DROP DATABASE IF EXISTS "{copy}" WITH (FORCE)')
            cursor.execute(f'CREATE DATABASE "{copy}" TEMPLATE "{template}"')
    try:
        yield copy
    finally:
        with _maintenance() as cursor:
            cursor.execute(f'DROP DATABASE IF EXISTS "{copy}" WITH (FORCE)')


@contextmanager
def _maintenance() -> Iterator[CursorWrapper]:
    """A cursor on the server's own database."""
    _connect_to("postgres")
    with connection.cursor() as cursor:
        yield cursor
    connection.close()
