"""Checks which referenced objects exist in the live tenant. Looks up each object once, in batches. Never
writes.
"""

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby

from snapshots.canonical.references import Mention
from snapshots.catalog import registry
from snapshots.catalog.elsewhere import DIRECTORY_KINDS, KINDS
from snapshots.catalog.spec import GUID, ResourceType
from snapshots.collection import principals
from snapshots.collection.addresses import address, at, expand_path
from tenants.microsoft.client import GraphClient
from tenants.microsoft.errors import NotFound, PermissionMissing
from tenants.microsoft.pacing import service_limit
from tenants.microsoft.request import Request

_DIRECTORY = frozenset({*DIRECTORY_KINDS, "administrativeUnit", "application", "group", "servicePrincipal"})
"""Kinds returned by `directoryObjects/getByIds`."""
_ALTERNATE_KEYS = frozenset({("application", "appId"), ("servicePrincipal", "appId")})

Named = tuple[str, str, str]
"""Kind, property and value of a mention."""


class Presence:
    """`known`: resources (type and ID) that were already read, and whether they exist."""

    def __init__(self, client: GraphClient, known: Mapping[tuple[str, str], bool] | None = None) -> None:
        self._client = client
        self._found: dict[Named, bool | None] = {}
        self.tell(known or {})

    def tell(self, known: Mapping[tuple[str, str], bool]) -> None:
        self._found.update({(kind, "id", value): there for (kind, value), there in known.items()})

    def ask(self, mentions: Iterable[Mention]) -> None:
        """Looks up everything that is not known yet. Raises MicrosoftError."""
        waiting = sorted({_named(mention) for mention in mentions} - self._found.keys())
        for (kind, by), group in groupby(waiting, lambda each: each[:2]):
            values = [value for *_, value in group]
            self._found.update({(kind, by, value): there for value, there in self._asked(kind, by, values)})

    def of(self, mention: Mention) -> bool | None:
        """Whether the referenced object exists; None if this is unknown: it has no URL or is not readable."""
        named = _named(mention)
        if named not in self._found:
            self.ask([mention])
        return self._found[named]

    def _asked(self, kind: str, by: str, values: list[str]) -> Iterator[tuple[str, bool | None]]:
        if kind in _DIRECTORY and by == "id":
            yield from self._in_directory(values)
        elif kind in KINDS:
            yield from self._elsewhere(kind, values)
        else:
            yield from self._of_type(registry.get(kind), by, values)

    def _in_directory(self, values: list[str]) -> Iterator[tuple[str, bool | None]]:
        """Anything that is not a GUID is an unknown special word of Microsoft and cannot be looked up."""
        ids = {value for value in values if GUID.fullmatch(value)}
        there = principals.existing(self._client, ids) if ids else set()
        for value in values:
            yield value, value.lower() in there if value in ids else None

    def _elsewhere(self, kind: str, values: list[str]) -> Iterator[tuple[str, bool | None]]:
        facts = KINDS[kind]
        if facts.item_path is None:
            yield from ((value, None) for value in values)
            return
        paths = {value: expand_path(facts.item_path, {"id": value}) for value in values}
        yield from self._read(paths, facts.params, facts.service)

    def _of_type(self, spec: ResourceType, by: str, values: list[str]) -> Iterator[tuple[str, bool | None]]:
        read = spec.read
        if (spec.key, by) in _ALTERNATE_KEYS:
            paths = {value: f"{read.path}({by}='{value}')" for value in values if GUID.fullmatch(value)}
            yield from self._read(paths, {}, read.service)
            yield from ((value, None) for value in values if value not in paths)
        elif by == "id" and read.item_path is not None and (spec.on_azure or _is_batched(spec)):
            paths = {
                value: expand_path(
                    read.item_path, {spec.identity.properties[0]: value, **address(spec, value)}
                )
                for value in values
            }
            yield from self._read(paths, read.item_params, read.service)
        else:
            yield from self._listed(spec, by, values)

    def _read(
        self, paths: Mapping[str, str], params: Mapping[str, str], service: str
    ) -> Iterator[tuple[str, bool | None]]:
        requests = [Request("GET", path, params=params, service=service) for path in paths.values()]
        for value, answer in zip(paths, self._client.batch(requests), strict=True):
            yield value, True if answer.ok else False if answer.status == NOT_FOUND else None

    def _listed(self, spec: ResourceType, by: str, values: list[str]) -> Iterator[tuple[str, bool | None]]:
        """Reads the whole listing if that is faster than one request per object."""
        read = spec.read
        try:
            raw_objects = self._client.items(
                read.path, params=read.params, headers=read.headers, service=read.service
            )
            there = {at(raw, by) for raw in raw_objects}
        except (NotFound, PermissionMissing):
            yield from ((value, None) for value in values)
            return
        yield from ((value, value in there) for value in values)


NOT_FOUND = 404


def _is_batched(spec: ResourceType) -> bool:
    return service_limit(spec.read.service).batched


def _named(mention: Mention) -> Named:
    """The identifying property is the ID, whatever its name."""
    spec = None if mention.to in {*KINDS, *DIRECTORY_KINDS} else registry.get(mention.to)
    own = spec is not None and spec.identity.properties == (mention.by,)
    return mention.to, "id" if own else mention.by, mention.value
