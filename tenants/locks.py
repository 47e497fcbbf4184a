"""Database locks that last until the end of the transaction."""

from django.db import connection


def one_at_a_time(key: int) -> None:
    """Serialises transactions from this line on. SQLite's IMMEDIATE transactions are already serialised."""
    if not connection.in_atomic_block:
        raise RuntimeError("one_at_a_time must be called inside the transaction that it guards.")
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [key])
