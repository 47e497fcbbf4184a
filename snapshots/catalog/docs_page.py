"""Generates docs/resource-types.md from the declarations. The checked-in page must match.

`python -m snapshots.catalog.docs_page > docs/resource-types.md` writes it. It adds nothing of its own.
"""

import sys
from collections.abc import Iterable, Iterator
from itertools import groupby

from snapshots.catalog.places import ALWAYS_VOLATILE
from snapshots.catalog.registry import all_types
from snapshots.catalog.spec import (
    EVERYTHING,
    OnlyWhen,
    Part,
    Reference,
    ResourceType,
    Restore,
    Undelete,
)
from snapshots.recoverability.verdicts import can_be_written, keeps_same_id, names_an_id

_HEAD = """\
# Resource types

This page is generated from the catalogue (`snapshots/catalog/`). To change it, edit the declarations and run
`make docs`.

Never part of a document: the object's own id, annotations of the protocol, and {bookkeeping}.

| type | key | read | write | restored |
|---|---|---|---|---|
"""


def markdown(specs: Iterable[ResourceType] | None = None) -> str:
    """The whole page."""
    declared = sorted(all_types() if specs is None else specs, key=lambda spec: (spec.area, spec.label))
    lines = [_HEAD.format(bookkeeping=_code(sorted(ALWAYS_VOLATILE))).rstrip("\n")]
    lines.extend(
        f"| {spec.label} | `{spec.key}` | {_needed(spec, spec.permissions.read)} "
        f"| {_needed(spec, spec.permissions.write)} "
        f"| {_restorability(spec)} |"
        for spec in declared
    )
    for area, types in groupby(declared, key=lambda spec: spec.area):
        lines.extend(["", f"## {area}"])
        for spec in types:
            lines.extend(["", f"### {spec.label}", "", *_facts(spec)])
    return "\n".join(lines) + "\n"


def _facts(spec: ResourceType) -> Iterator[str]:
    for title, text in (
        ("Key", f"`{spec.key}`"),
        ("Read from", _endpoint(spec)),
        ("Needs", spec.licence),
        ("Also readable with", _code(spec.permissions.read_also)),
        ("Also writable with", _code(spec.permissions.write_also)),
        ("Recognised after a recreate by", _code(spec.identity.natural_key)),
        ("Not state", _code((*spec.comparison.volatile, *spec.comparison.computed))),
        (
            "Only part of the state",
            "; ".join(f"{_code(fields)} of `{at}`" for at, fields in spec.comparison.nested_fields.items()),
        ),
        ("Sub-collections", "; ".join(_part(part) for part in spec.parts)),
        ("Streams", "; ".join(f"`{stream.name}` from `{stream.path}`" for stream in spec.streams)),
        ("Refers to", "; ".join(_reference(reference) for reference in spec.references)),
        (
            "Looks like an ID but is not a reference",
            "; ".join(f"`{path}`: {what}" for path, what in spec.not_references.items()),
        ),
        ("Written by update", _writable(spec.restore)),
        ("Written at creation only", _code(spec.restore.create.only)),
        ("Written by an action", _code(action.property for action in spec.restore.update.actions)),
        ("Removed element by element", _code(removal.property for removal in spec.restore.update.removals)),
        ("Restored", _restorability(spec)),
        ("Under a new id", spec.restore.create.new_id_note),
        ("Cannot be brought back", "; ".join(f"`{loss.path}`: {loss.what}" for loss in spec.restore.losses)),
        (
            "Neither read nor restored",
            "; ".join(f"`{path}`: {why}" for path, why in spec.comparison.unread.items()),
        ),
    ):
        if text:
            yield f"- {title}: {text}"
    yield from (f"- {note}" for note in spec.notes)


def _needed(spec: ResourceType, names: Iterable[str]) -> str:
    return f"{'Azure role ' if spec.on_azure else ''}{_code(names)}"


def _endpoint(spec: ResourceType) -> str:
    query = "&".join(f"{name}={value}" for name, value in spec.read.params.items())
    inside = f", in `{spec.read.items_at}`" if spec.read.items_at is not None else ""
    below = f", once for each `{spec.read.parent}`" if spec.read.parent is not None else ""
    return f"`GET {spec.read.path}{'?' if query else ''}{query}`{inside}{below}"


def _part(part: Part) -> str:
    sometimes = " (where the object has it)" if part.quirk(OnlyWhen) is not None else ""
    return f"`{part.name}` from `{part.path}`{sometimes}"


def _reference(reference: Reference) -> str:
    by = f" by `{reference.by}`" if reference.by != "id" else ""
    words = f", or {_code(sorted(reference.words))}" if reference.words else ""
    inside = ", inside its text" if reference.within is not None else ""
    return f"`{reference.path}`{inside} → `{reference.to}`{by}{words}"


def _restorability(spec: ResourceType) -> str:
    restore = spec.restore
    identity_note = "under its old id" if keeps_same_id(spec) else "under a new id"
    ways = [
        "in place" if can_be_written(spec) else "",
        _undelete(restore.undelete) if restore.undelete is not None else "",
        f"by creation, {identity_note}" if restore.create.path is not None else "",
    ]
    possible = "; ".join(way for way in ways if way) or "no"
    lossy = any(not names_an_id(loss) for loss in restore.losses)
    return possible + (" (partly)" if lossy else "")


def _undelete(undelete: Undelete) -> str:
    days = f" for {undelete.days} days" if undelete.days is not None else ""
    return f"by undelete{days}, under its old id" + (", where it is kept" if undelete.doubt else "")


def _writable(restore: Restore) -> str:
    return "whatever the object holds" if restore.writable == EVERYTHING else _code(restore.writable)


def _code(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


if __name__ == "__main__":
    sys.stdout.write(markdown())
