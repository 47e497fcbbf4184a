"""Long sequences in chunks, so that no statement has too many parameters and no loop holds everything. Pure."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

CHUNK = 500
"""Ids or rows in one statement of the database."""

Item = TypeVar("Item")


def chunked(items: Iterable[Item], size: int = CHUNK) -> Iterator[list[Item]]:
    iterator = iter(items)
    while chunk := list(islice(iterator, size)):
        yield chunk
