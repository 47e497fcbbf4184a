"""Reads one resource type completely, or reports why this was not possible. Sends reads only; stores nothing."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from snapshots import naming
from snapshots.canonical.form import canonicalise, resource_id
from snapshots.catalog.spec import Document, Part, ResourceType
from snapshots.collection import masked_secrets, stream_reading
from snapshots.collection.addresses import address, expand_path
from snapshots.collection.answers import Failed, listings
from snapshots.collection.derived import leave_out_of_parts
from snapshots.collection.errors import IncompleteObject
from snapshots.collection.listing import EVERYWHERE, Scope, iter_raw
from snapshots.collection.live import parts_of, read_live
from tenants.errors import DomainError, logged
from tenants.microsoft.client import GraphClient
from tenants.microsoft.errors import InvalidAnswer, LicenceMissing, MicrosoftError, PermissionMissing
from tenants.microsoft.request import Request, UnsafePath

REFUSED = (LicenceMissing, PermissionMissing)
"""A problem that other objects of the type would also have."""


@dataclass(frozen=True)
class Found:
    """One object as it was read."""

    resource_id: str
    display_name: str
    document: Document
    app_roles: Mapping[str, str] = field(default_factory=dict)
    """Names by ID of the roles that it defines: needed to name assignments of these roles."""


def read_type(client: GraphClient, spec: ResourceType, scope: Scope = EVERYWHERE) -> list[Found]:
    """All objects of the type with their parts. If `scope` collects failures, objects with a failure are left
    out. Raises MicrosoftError if nothing could be read or, without `scope.failed`, if any part could not be
    read.
    """
    with as_microsoft_error(spec):
        found = {resource_id(raw, spec): raw for raw in iter_raw(client, spec, scope)}
        _fill_parts(client, spec, found, scope.failed)
        if scope.failed and not found:
            raise scope.failed[0]
        leave_out_of_parts(client, spec, found, scope.companion_listings)
        for key, raw in found.items():
            stream_reading.fill(client, spec, key, raw)
        masked_secrets.fill(client, spec, found)
        return [_found(spec, key, raw) for key, raw in found.items()]


def still_listed(
    client: GraphClient, spec: ResourceType, scope: Scope, missing: Collection[str]
) -> list[Found]:
    """The missing objects that a second complete listing contains, for types whose objects have no URL."""
    return [found for found in read_type(client, spec, scope) if found.resource_id in missing]


def _found(spec: ResourceType, key: str, raw: Document) -> Found:
    """Raises LoggedError, which names the object, if our own code fails on it."""
    try:
        return Found(key, spec.identity.name(raw)[:400], canonicalise(raw, spec), naming.app_roles(spec, raw))
    except DomainError:
        raise
    except Exception as error:
        name = str(raw.get("displayName") or key)
        raise logged(error, f"canonicalising {spec.key} {key}", about=f"{spec.label} {name}") from error


def named(error: MicrosoftError, spec: ResourceType) -> MicrosoftError:
    """The error. A missing Graph permission is reported with the permissions that reading the type needs."""
    if isinstance(error, PermissionMissing) and not spec.on_azure:
        return error.naming(spec.permissions.read)
    return error


@contextmanager
def as_microsoft_error(spec: ResourceType) -> Iterator[None]:
    """Converts refusals and responses without identity into a MicrosoftError with a remedy. Other errors are
    bugs and are returned unchanged.
    """
    try:
        yield
    except PermissionMissing as error:
        raise named(error, spec) from error
    except (IncompleteObject, UnsafePath) as error:
        raise InvalidAnswer(
            f"Microsoft returned an object of type {spec.key} in an unknown format: {error}"
        ) from error


def confirm_missing(client: GraphClient, spec: ResourceType, object_id: str, known: Document) -> Found | None:
    """Reads an object that the list no longer contains at its own URL. None if it no longer exists."""
    with as_microsoft_error(spec):
        live = read_live(client, spec, object_id, known)
        if live.document is None or live.raw is None:
            return None
        return Found(
            object_id, spec.identity.name(live.raw)[:400], live.document, naming.app_roles(spec, live.raw)
        )


def _fill_parts(client: GraphClient, spec: ResourceType, found: dict[str, Document], failed: Failed) -> None:
    """Adds its parts to each object. Objects that were deleted in the meantime or have a failed part are left
    out.
    """
    for part in spec.parts:
        owners = [key for key, raw in found.items() if part in parts_of(spec, raw)]
        paths = [expand_path(part.path, address(spec, owner, found[owner])) for owner in owners]
        for owner, items in zip(owners, _part_of_each(client, spec, part, paths, failed), strict=True):
            if items is None:
                del found[owner]
            else:
                found[owner][part.name] = _complete(spec, part, items)
        for owner in owners:
            if owner in found:
                _fill_inner(client, spec, part, owner, found[owner])


def _part_of_each(
    client: GraphClient, spec: ResourceType, part: Part, paths: Sequence[str], failed: Failed
) -> list[list[Document] | None]:
    """The part of each object; None if the object was deleted or the part failed. A refusal for all objects
    fails the type.
    """
    if failed is None:
        return list(_listings(client, spec, part, paths))
    failures: list[MicrosoftError] = []
    found = list(_listings(client, spec, part, paths, failures))
    if paths and len(failures) == len(paths) and all(isinstance(each, REFUSED) for each in failures):
        raise failures[0]
    failed += failures
    return found


def _fill_inner(client: GraphClient, spec: ResourceType, part: Part, owner: str, raw: Document) -> None:
    """The sub-collections of a part's elements; empty if an element was deleted in the meantime."""
    for inner in part.inner:
        elements: list[Document] = raw[part.name]
        values = address(spec, owner, raw)
        paths = [
            expand_path(inner.path, {**values, "element": str(element[part.named_by])})
            for element in elements
        ]
        for element, items in zip(elements, _listings(client, spec, inner, paths), strict=True):
            element[inner.name] = items or []


def _listings(
    client: GraphClient, spec: ResourceType, part: Part, paths: Sequence[str], failed: Failed = None
) -> Iterator[list[Document] | None]:
    requests = [Request("GET", path, params=part.params, service=spec.read.service) for path in paths]
    return listings(client, requests, failed)


def _complete(spec: ResourceType, part: Part, items: list[Document]) -> list[Document]:
    if part.key is not None and any(part.key not in item for item in items):
        raise InvalidAnswer(f"An element of {part.name} of a {spec.key} has no {part.key}")
    return items
