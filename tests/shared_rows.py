"""Rows that all tests of a module see. What a test changes is undone after it, the rows themselves after the module."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import transaction
from pytest_django import DjangoDbBlocker


@contextmanager
def undone(blocker: DjangoDbBlocker) -> Iterator[None]:
    """The database may be used inside; afterwards it is as before."""
    with blocker.unblock(), transaction.atomic():
        yield
        transaction.set_rollback(True)
