"""Generates docs/audit-logs.md from the declared logs. The checked-in page must match."""

from collections.abc import Iterator
from typing import Any

from changes.audit.sources import SIGN_INS, SOURCES, UNREAD, Source
from snapshots.catalog.registry import all_types

_HEAD = """\
# Audit logs used for attribution

This page is written from `changes/audit/sources.py` and the catalogue. Each log has its own cursor and is read
repeatedly, because records arrive late. A log that cannot be read does not affect other logs or snapshots; changes
recorded in it show the reason. Lavawall keeps all records, encrypted, after Microsoft has deleted them.

| log | read at | the reader needs | Microsoft keeps | first read goes back |
|---|---|---|---|---|
"""
_TYPES = """
## Logs by resource type

| log | types |
|---|---|
"""


def markdown() -> str:
    return _HEAD + "".join(_sources()) + _TYPES + "".join(_types())


def _sources() -> Iterator[str]:
    sources: tuple[Source[Any], ...] = (*SOURCES, SIGN_INS)
    for source in sources:
        yield (
            f"| {source.title} | `{source.log.path}` | {source.needs} | {source.retained.days} days "
            f"| {source.first.days} days |\n"
        )


def _types() -> Iterator[str]:
    read = [(source.key, source.title) for source in SOURCES]
    for key, title in [*read, *UNREAD.items()]:
        types = [spec.plural for spec in all_types() if spec.audit_log == key]
        yield f"| {title} | {', '.join(sorted(types))} |\n"
