"""Reading one resource type completely, or saying why it could not be. Sends reads only; stores nothing."""

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
from snapshots.collection.listing import EVERYWHERE, Scope, raws
from snapshots.collection.live import parts_of, read_live
from tenants.errors import DomainError, logged
from tenants.microsoft.client import GraphClient
from tenants.microsoft.errors import InvalidAnswer, LicenceMissing, MicrosoftError, PermissionMissing
from tenants.microsoft.request import Request, UnsafePath

REFUSED = (LicenceMissing, PermissionMissing)
"""What no other object of the type would change."""


@dataclass(frozen=True)
class Found:
    """One object as it was read."""

    resource_id: str
    display_name: str
    document: Document
    app_roles: Mapping[str, str] = field(default_factory=dict)
    """Names by id of the roles that it defines for others: needed to name those who hold them."""


def read_type(client: GraphClient, spec: ResourceType, scope: Scope = EVERYWHERE) -> list[Found]:
    """Every object of the type with its parts; without those of which something failed, where `scope` takes failures.

    Raises MicrosoftError where nothing could be read, or, without `scope.failed`, where any of it could not.
    """
    with as_microsoft_error(spec):
        found = {resource_id(raw, spec): raw for raw in raws(client, spec, scope)}
        _fill_parts(client, spec, found, scope.failed)
        if scope.failed and not found:
            raise scope.failed[0]
        leave_out_of_parts(client, spec, found, scope.beside)
        for key, raw in found.items():
            stream_reading.fill(client, spec, key, raw)
        masked_secrets.fill(client, spec, found)
        return [_found(spec, key, raw) for key, raw in found.items()]


def still_listed(
    client: GraphClient, spec: ResourceType, scope: Scope, missing: Collection[str]
) -> list[Found]:
    """Those of the missing objects that a second complete listing has: for types whose objects have no address."""
    return [found for found in read_type(client, spec, scope) if found.resource_id in missing]


def _found(spec: ResourceType, key: str, raw: Document) -> Found:
    """Raises LoggedError, which names the object, where our own code stumbles over it."""
    try:
        return Found(key, spec.name(raw)[:400], canonicalise(raw, spec), naming.app_roles(spec, raw))
    except DomainError:
        raise
    except Exception as error:
        name = str(raw.get("displayName") or key)
        raise logged(error, f"canonicalising {spec.key} {key}", about=f"{spec.label} {name}") from error


def named(error: MicrosoftError, spec: ResourceType) -> MicrosoftError:
    """The error; a missing permission of Graph with the names of those that reading the type needs."""
    if isinstance(error, PermissionMissing) and not spec.on_azure:
        return error.naming(spec.permissions.read)
    return error


@contextmanager
def as_microsoft_error(spec: ResourceType) -> Iterator[None]:
    """What Microsoft refused, or answered without what identifies an object, as a MicrosoftError that says what helps.

    Any other error is a bug of ours, and left as it is.
    """
    try:
        yield
    except PermissionMissing as error:
        raise named(error, spec) from error
    except (IncompleteObject, UnsafePath) as error:
        raise InvalidAnswer(
            f"Microsoft answered with an object of type {spec.key} in an unknown form: {error}"
        ) from error


def confirm_missing(client: GraphClient, spec: ResourceType, object_id: str, known: Document) -> Found | None:
    """An object that the list no longer had, read at its own address: None where it is really gone."""
    with as_microsoft_error(spec):
        live = read_live(client, spec, object_id, known)
        if live.document is None or live.raw is None:
            return None
        return Found(object_id, spec.name(live.raw)[:400], live.document, naming.app_roles(spec, live.raw))


def _fill_parts(client: GraphClient, spec: ResourceType, found: dict[str, Document], failed: Failed) -> None:
    """Puts into each object its parts. An object that vanished meanwhile, or a part of which failed, is left out."""
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
    """The part of each object; None where it is gone or failed. What is refused for all of them fails the type."""
    if failed is None:
        return list(_listings(client, spec, part, paths))
    failures: list[MicrosoftError] = []
    found = list(_listings(client, spec, part, paths, failures))
    if paths and len(failures) == len(paths) and all(isinstance(each, REFUSED) for each in failures):
        raise failures[0]
    failed += failures
    return found


def _fill_inner(client: GraphClient, spec: ResourceType, part: Part, owner: str, raw: Document) -> None:
    """The sub-collections of a part's elements; an element that vanished meanwhile leaves them empty."""
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
        raise InvalidAnswer(f"An element of {part.name} of a {spec.key} came without its {part.key}")
    return items
