"""Locks that the database itself holds until the transaction ends."""

from django.db import connection


def one_at_a_time(key: int) -> None:
    """Lets one transaction at a time past this line. SQLite's IMMEDIATE transactions already are one at a time."""
    if not connection.in_atomic_block:
        raise RuntimeError("one_at_a_time must run inside the transaction that it guards.")
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [key])
