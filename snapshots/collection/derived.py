"""Leaves out objects that only repeat what another listing contains in full, so that each fact is stored
once. If the other listing cannot be read (permission or licence), nothing is left out, unless it could be
read before: then the repeated objects would look new. Sends reads only.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from snapshots.catalog.spec import Document, Part, ResourceType, Shadows
from snapshots.collection.addresses import address, expand_params
from snapshots.collection.answers import listings
from tenants.microsoft.client import GraphClient
from tenants.microsoft.errors import LicenceMissing, PermissionMissing
from tenants.microsoft.request import Request

Source = tuple[str, tuple[tuple[str, str], ...]]
"""Path and parameters of the other listing."""


@dataclass(frozen=True)
class Beside:
    """The listings that are read beside a type: in its last complete snapshot, and now (added while it is
    read).
    """

    before: frozenset[str] = frozenset()
    now: set[str] = field(default_factory=set)


def leave_out(
    client: GraphClient, spec: ResourceType, raws: Iterable[Document], beside: Beside | None = None
) -> list[Document]:
    """The objects of a type that are no shadows; `beside` is told which other listings were read.

    Raises PermissionMissing or LicenceMissing where such a listing cannot be read now.
    """
    found = list(raws)
    shadows = spec.read.shadows
    if shadows is None or not found:
        return found
    (listed,) = _listed(client, spec, _source(shadows), [{}], beside)
    cast = {_marks(raw, shadows.by) for raw in listed if shadows.casts(raw)}
    return [raw for raw in found if _marks(raw, shadows.by) not in cast]


def leave_out_of_parts(
    client: GraphClient,
    spec: ResourceType,
    raws: Mapping[str, Document],
    beside: Beside | None = None,
) -> None:
    """Removes repeated elements from the parts of each object, by its ID. One listing serves all parts.
    Raises the same errors as `leave_out`.
    """
    parts_of: dict[Source, list[tuple[Part, Shadows]]] = {}
    for part in spec.parts:
        if part.shadows is not None:
            parts_of.setdefault(_source(part.shadows), []).append((part, part.shadows))
    for source, parts in parts_of.items():
        owners = [key for key, raw in raws.items() if any(raw.get(part.name) for part, _ in parts)]
        values = [address(spec, owner, raws[owner]) for owner in owners]
        for owner, listed in zip(owners, _listed(client, spec, source, values, beside), strict=True):
            for part, shadows in parts:
                _take_out(raws[owner], part, shadows, listed)


def _take_out(raw: Document, part: Part, shadows: Shadows, listed: Sequence[Document]) -> None:
    cast = {_marks(each, shadows.by) for each in listed if shadows.casts(each)}
    if part.name in raw:
        raw[part.name] = [
            element for element in raw[part.name] if _marks(element, (part.named_by,)) not in cast
        ]


def _source(shadows: Shadows) -> Source:
    return shadows.path, tuple(sorted(shadows.params.items()))


def _listed(
    client: GraphClient,
    spec: ResourceType,
    source: Source,
    values: Sequence[Mapping[str, str]],
    beside: Beside | None,
) -> list[list[Document]]:
    """The listing, filtered by each of the values."""
    path, params = source
    requests = [
        Request("GET", path, params=expand_params(dict(params), each), service=spec.read.service)
        for each in values
    ]
    try:
        found = [items or [] for items in listings(client, requests)]
    except (LicenceMissing, PermissionMissing):
        if beside is not None and path in beside.before:
            raise
        return [[] for _ in requests]
    if beside is not None:
        beside.now.add(path)
    return found


def _marks(raw: Document, by: Sequence[str]) -> tuple[str, ...]:
    return tuple(str(raw.get(name) or "").lower() for name in by)
