"""The docs page of the audit logs, written from their declarations; the checked-in page must equal it."""

from collections.abc import Iterator
from typing import Any

from changes.audit.sources import SIGN_INS, SOURCES, UNREAD, Source
from snapshots.catalog.registry import all_types

_HEAD = """\
# Who changed it: the audit logs

This page is written from `changes/audit/sources.py` and the catalogue. Every log is read by a cursor of its own, again
and again, for records come late; one that cannot be read stops no other and no snapshot, and the changes that stand in
it say so. What Microsoft deletes after a while stays here, sealed.

| log | read at | the reader needs | read back at most | the first read looks back |
|---|---|---|---|---|
"""
_TYPES = """
## Which log tells who changed what

| log | types |
|---|---|
"""


def markdown() -> str:
    return _HEAD + "".join(_sources()) + _TYPES + "".join(_types())


def _sources() -> Iterator[str]:
    sources: tuple[Source[Any], ...] = (*SOURCES, SIGN_INS)
    for source in sources:
        yield (
            f"| {source.title} | `{source.log.path}` | {source.needs} | {source.kept.days} days "
            f"| {source.first.days} days |\n"
        )


def _types() -> Iterator[str]:
    read = [(source.key, source.title) for source in SOURCES]
    for key, title in [*read, *UNREAD.items()]:
        types = [spec.plural for spec in all_types() if spec.audit_log == key]
        yield f"| {title} | {', '.join(sorted(types))} |\n"
