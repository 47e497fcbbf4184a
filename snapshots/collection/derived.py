"""Leaves out objects that only repeat what another listing contains in full, so that each fact is stored
once. If the other listing cannot be read (permission or licence), nothing is left out, unless it could be
read before: then the repeated objects would look new. Sends reads only.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from snapshots.catalog.spec import DerivedFrom, Document, Part, ResourceType
from snapshots.collection.addresses import address, expand_params
from snapshots.collection.answers import listings
from tenants.microsoft.client import GraphClient
from tenants.microsoft.errors import LicenceMissing, PermissionMissing
from tenants.microsoft.request import Request

Source = tuple[str, tuple[tuple[str, str], ...]]
"""Path and parameters of the other listing."""


@dataclass(frozen=True)
class CompanionListings:
    """The other listings that are read with a type: in its last complete snapshot, and now (added while it is
    read).
    """

    before: frozenset[str] = frozenset()
    now: set[str] = field(default_factory=set)


def leave_out(
    client: GraphClient,
    spec: ResourceType,
    raw_objects: Iterable[Document],
    companion_listings: CompanionListings | None = None,
) -> list[Document]:
    """The objects of a type that are not derived from another listing; `companion_listings` records which were read.

    Raises PermissionMissing or LicenceMissing where such a listing cannot be read now.
    """
    found = list(raw_objects)
    derived_from = spec.read.derived_from
    if derived_from is None or not found:
        return found
    (listed,) = _listed(client, spec, _source(derived_from), [{}], companion_listings)
    derived = {_marks(raw, derived_from.by) for raw in listed if derived_from.is_source(raw)}
    return [raw for raw in found if _marks(raw, derived_from.by) not in derived]


def leave_out_of_parts(
    client: GraphClient,
    spec: ResourceType,
    raw_objects: Mapping[str, Document],
    companion_listings: CompanionListings | None = None,
) -> None:
    """Removes repeated elements from the parts of each object, by its ID. One listing serves all parts.
    Raises the same errors as `leave_out`.
    """
    parts_of: dict[Source, list[tuple[Part, DerivedFrom]]] = {}
    for part in spec.parts:
        if part.derived_from is not None:
            parts_of.setdefault(_source(part.derived_from), []).append((part, part.derived_from))
    for source, parts in parts_of.items():
        owners = [key for key, raw in raw_objects.items() if any(raw.get(part.name) for part, _ in parts)]
        values = [address(spec, owner, raw_objects[owner]) for owner in owners]
        for owner, listed in zip(
            owners, _listed(client, spec, source, values, companion_listings), strict=True
        ):
            for part, derived_from in parts:
                _take_out(raw_objects[owner], part, derived_from, listed)


def _take_out(raw: Document, part: Part, derived_from: DerivedFrom, listed: Sequence[Document]) -> None:
    derived = {_marks(each, derived_from.by) for each in listed if derived_from.is_source(each)}
    if part.name in raw:
        raw[part.name] = [
            element for element in raw[part.name] if _marks(element, (part.named_by,)) not in derived
        ]


def _source(derived_from: DerivedFrom) -> Source:
    return derived_from.path, tuple(sorted(derived_from.params.items()))


def _listed(
    client: GraphClient,
    spec: ResourceType,
    source: Source,
    values: Sequence[Mapping[str, str]],
    companion_listings: CompanionListings | None,
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
        if companion_listings is not None and path in companion_listings.before:
            raise
        return [[] for _ in requests]
    if companion_listings is not None:
        companion_listings.now.add(path)
    return found


def _marks(raw: Document, by: Sequence[str]) -> tuple[str, ...]:
    return tuple(str(raw.get(name) or "").lower() for name in by)
