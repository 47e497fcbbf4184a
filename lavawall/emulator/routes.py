"""The routing table of Graph: every declared type yields its usual routes, and its own actions beside them."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from lavawall.emulator import entities, recycle
from lavawall.emulator.errors import GraphError, bad_request, resource_not_found
from lavawall.emulator.model import BETA, VERSIONS, EntityType, Guard, Licence, Link, Permissions
from lavawall.emulator.odata import Query, listing, parse_query
from lavawall.emulator.presentation import present
from lavawall.emulator.requests import Answer, Call
from lavawall.emulator.store import Json, Record

Handler = Callable[[Call], Answer]
GUID = re.compile(r"^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$")
PLACEHOLDER = re.compile(r"\\\{(\w+)\\\}")


def _group(placeholder: re.Match[str]) -> str:
    """{key} is an alternate key in brackets, quoted or not; any other name is one segment of the path."""
    name = placeholder.group(1)
    return "'?(?P<id>[^')]+)'?" if name == "key" else f"(?P<{name}>[^/]+)"


@dataclass(frozen=True)
class Route:
    """One method on one path pattern."""

    method: str
    path: str
    handler: Handler
    permissions: Permissions
    service: str
    versions: frozenset[str] = VERSIONS
    licence: Licence | None = None
    guards: Mapping[str, Guard] = field(default_factory=dict)
    pattern: re.Pattern[str] = field(init=False)

    def __post_init__(self) -> None:
        parts = [PLACEHOLDER.sub(_group, re.escape(part)) for part in self.path.strip("/").split("/")]
        object.__setattr__(self, "pattern", re.compile("^/" + "/".join(parts) + "/?$", re.IGNORECASE))

    @property
    def writes(self) -> bool:
        return self.method != "GET" and not self.path.endswith("/getByIds")

    def needed(self, call: Call) -> list[Permissions]:
        """The permissions of this request: of each list of alternatives the caller must hold one."""
        if not self.guards:
            return [self.permissions]
        if not self.writes:
            selected = call.query.get("$select", "").split(",")
            return [self.permissions, *(self.guards[name].read for name in selected if name in self.guards)]
        body = call.json()
        names = set(body) if isinstance(body, dict) else set()
        guarded = [guard.write for name, guard in self.guards.items() if name in names]
        return guarded if guarded and names <= set(self.guards) else [self.permissions, *guarded]


class Routes:
    """All routes, found by method and path as Graph does: segments in any letter case, ids as they are."""

    def __init__(self, routes: Iterator[Route]) -> None:
        self._routes: dict[int, list[Route]] = {}
        for route in routes:
            self._routes.setdefault(route.path.strip("/").count("/"), []).append(route)

    def match(self, method: str, path: str, version: str) -> tuple[Route, dict[str, str]]:
        allowed = False
        for route in self._routes.get(path.strip("/").count("/"), ()):
            found = route.pattern.match(path)
            if found is None or version not in route.versions:
                continue
            if route.method == method:
                return route, {name: _normal(value) for name, value in found.groupdict().items()}
            allowed = True
        if allowed:
            raise GraphError(
                405, "Request_BadRequest", f"Specified HTTP method '{method}' is not allowed here."
            )
        segment = path.strip("/").split("/")[-1]
        raise bad_request(f"Resource not found for the segment '{segment}'.", "BadRequest")


def _normal(value: str) -> str:
    return value.lower() if GUID.match(value) else value


def _parent(call: Call, kind: EntityType) -> str:
    if not kind.parent:
        return ""
    parent_id = call.parameter("parent")
    if call.session.directory.get(kind.parent, parent_id) is None:
        raise resource_not_found(parent_id)
    return parent_id


def _identifier(call: Call, kind: EntityType, parent_id: str) -> str:
    return kind.singleton.format(parent=parent_id) if kind.singleton else call.parameter("id")


def _locate(call: Call, kind: EntityType, key: str = "id") -> Record:
    if key == "id":
        parent_id = _parent(call, kind)
        return entities.find(call.session, kind, _identifier(call, kind, parent_id), parent_id=parent_id)
    record = _by_key(call, kind, key)
    if record is None:
        raise resource_not_found(call.parameter("id"))
    return record


def _by_key(call: Call, kind: EntityType, key: str) -> Record | None:
    identifier, parent_id = call.parameter("id"), _parent(call, kind)
    found = (each for each in call.session.directory.all(kind.name) if each.body.get(key) == identifier)
    return next((each for each in found if each.parent_id == parent_id), None)


def _shown(call: Call, kind: EntityType, record: Record, query: Query | None = None) -> Json:
    query = query or Query()
    body = present(call.session, kind, record, select=query.select, expand=query.expand, single=True)
    return {"@odata.context": f"{call.root}/$metadata#{kind.path.strip('/')}/$entity", **body}


class Verbs:
    """The usual verbs of one type."""

    def __init__(self, kind: EntityType) -> None:
        self.kind = kind

    def list(self, call: Call) -> Answer:
        kind, parent_id = self.kind, _parent(call, self.kind)
        records = [each for each in call.session.directory.all(kind.name) if each.parent_id == parent_id]
        if kind.visible is not None:
            records = [each for each in records if kind.visible(call.session, each)]
        return Answer(200, listing(call, kind, records))

    def get(self, call: Call) -> Answer:
        return Answer(200, _shown(call, self.kind, _locate(call, self.kind), parse_query(call, self.kind)))

    def get_by(self, key: str) -> Handler:
        kind = self.kind
        return lambda call: Answer(200, _shown(call, kind, _locate(call, kind, key), parse_query(call, kind)))

    def update_by(self, key: str) -> Handler:
        """An update by alternate key, which creates what is missing when the client prefers that."""

        def update(call: Call) -> Answer:
            kind, body, record = self.kind, call.json(), _by_key(call, self.kind, key)
            if record is not None:
                entities.update(call.session, kind, record, body)
                return Answer(204)
            if "create-if-missing" not in call.headers.get("Prefer", "") or not isinstance(body, dict):
                raise resource_not_found(call.parameter("id"))
            body = {**body, key: call.parameter("id")}
            created = entities.create(call.session, kind, body, parent_id=_parent(call, kind))
            return Answer(201, _shown(call, kind, created))

        return update

    def create(self, call: Call) -> Answer:
        record = entities.create(call.session, self.kind, call.json(), parent_id=_parent(call, self.kind))
        location = f"{call.url.split('?')[0].rstrip('/')}/{record.id}"
        return Answer(201, _shown(call, self.kind, record), {"Location": location})

    def update(self, call: Call) -> Answer:
        if self._created_at_address(call):
            return Answer(204)
        record, body = _locate(call, self.kind), call.json()
        bound = {link: entities.bound_ids(body, link.name) for link in self.kind.links}
        if not any(bound.values()) or any("@odata." not in name for name in body):
            entities.update(call.session, self.kind, record, body)
        for link, identifiers in bound.items():
            for identifier in identifiers:
                recycle.add_link(call.session, record, link, identifier)
        return Answer(200, _shown(call, self.kind, record)) if self.kind.shows_update else Answer(204)

    def replace(self, call: Call) -> Answer:
        if not self._created_at_address(call):
            entities.replace(call.session, self.kind, _locate(call, self.kind), call.json())
        return Answer(204)

    def _created_at_address(self, call: Call) -> bool:
        """Whether the address named no object yet and the method creates one there."""
        kind, parent_id = self.kind, _parent(call, self.kind)
        if call.method not in kind.upsert:
            return False
        identifier, body = _identifier(call, kind, parent_id), call.json()
        if not isinstance(body, dict) or entities.exists(call.session, kind, identifier, parent_id):
            return False
        entities.create(call.session, kind, {**body, kind.client_key: identifier}, parent_id=parent_id)
        return True

    def delete(self, call: Call) -> Answer:
        entities.delete(call.session, self.kind, _locate(call, self.kind))
        return Answer(204)


class LinkVerbs:
    """Reading and changing one link of a directory object (members, owners)."""

    def __init__(self, kind: EntityType, link: Link) -> None:
        self.kind = kind
        self.link = link

    def list(self, call: Call) -> Answer:
        record = _locate(call, self.kind)
        return recycle.list_objects(
            call, list(record.links[self.link.name]), context="directoryObjects", types=self.link.targets
        )

    def references(self, call: Call) -> Answer:
        record = _locate(call, self.kind)
        urls = [
            {"@odata.id": f"{call.root}/directoryObjects/{identifier}"}
            for identifier in record.links[self.link.name]
            if call.session.directory.directory_object(identifier, self.link.targets)
        ]
        return Answer(200, {"@odata.context": f"{call.root}/$metadata#Collection($ref)", "value": urls})

    def add(self, call: Call) -> Answer:
        body: Any = call.json()
        url = body.get("@odata.id") if isinstance(body, dict) else None
        if not isinstance(url, str) or "/" not in url:
            raise bad_request("A '@odata.id' with the address of a directory object is required.")
        record = _locate(call, self.kind)
        recycle.add_link(call.session, record, self.link, _normal(url.rstrip("/").rsplit("/", 1)[-1]))
        return Answer(204)

    def remove(self, call: Call) -> Answer:
        recycle.remove_link(call.session, _locate(call, self.kind), self.link, call.parameter("target"))
        return Answer(204)


@dataclass(frozen=True)
class Place:
    """Where and in which versions a type is found."""

    path: str
    versions: frozenset[str]


def _places(kind: EntityType) -> tuple[Place, ...]:
    if not kind.beta_path:
        return (Place(kind.path, kind.versions),)
    return (Place(kind.path, VERSIONS - BETA), Place(kind.beta_path, BETA))


def _route(kind: EntityType, method: str, path: str, handler: Handler, permissions: Permissions) -> Route:
    return Route(method, path, handler, permissions, kind.service, kind.versions, kind.licence)


def _verb_routes(kind: EntityType, position: Place) -> Iterator[Route]:
    verbs = Verbs(kind)
    item = position.path if kind.singleton else position.path + "/{id}"
    table: tuple[tuple[str, str, str, Handler, Permissions], ...] = (
        ("list", "GET", position.path, verbs.list, kind.read),
        ("create", "POST", position.path, verbs.create, kind.write),
        ("get", "GET", item, verbs.get, kind.read),
        ("update", "PATCH", item, verbs.update, kind.write),
        ("replace", "PUT", item, verbs.replace, kind.write),
        ("delete", "DELETE", item, verbs.delete, kind.write),
    )
    for name, method, path, handler, permissions in table:
        if name in kind.verbs:
            yield Route(
                method,
                path,
                handler,
                permissions,
                kind.service,
                position.versions,
                kind.licence,
                kind.property_guards,
            )
    for key in kind.alternate_keys:
        item = f"{position.path}({key}={{key}})"
        yield _route(kind, "GET", item, verbs.get_by(key), kind.read)
        if "update" in kind.verbs:
            yield _route(kind, "PATCH", item, verbs.update_by(key), kind.write)


def _link_routes(kind: EntityType) -> Iterator[Route]:
    for link in kind.links:
        verbs = LinkVerbs(kind, link)
        base = f"{kind.path}/{{id}}/{link.name}"
        read, write = link.read or kind.read, link.write or kind.write
        yield _route(kind, "GET", base, verbs.list, read)
        yield _route(kind, "GET", f"{base}/$ref", verbs.references, read)
        yield _route(kind, "POST", f"{base}/$ref", verbs.add, write)
        yield _route(kind, "DELETE", f"{base}/{{target}}/$ref", verbs.remove, write)


def routes_of(kind: EntityType) -> Iterator[Route]:
    """Every route that a declared type answers."""
    for action in kind.actions:
        path = action.path if action.path.startswith("/") else f"{kind.path}/{{id}}/{action.path}"
        yield _route(kind, action.method, path, action.handler, action.permissions)
    for position in _places(kind):
        yield from _verb_routes(kind, position)
    yield from _link_routes(kind)
    if kind.recycle and not kind.is_directory_object:
        yield from recycle_routes(kind)


def recycle_routes(kind: EntityType) -> Iterator[Route]:
    """The recycle bin of a policy type, which lies beside the type."""
    bin_verbs = recycle.PolicyBin(kind)
    item = kind.recycle + "/{id}"
    yield _route(kind, "GET", kind.recycle, bin_verbs.list, kind.read)
    yield _route(kind, "GET", item, bin_verbs.get, kind.read)
    yield _route(kind, "POST", f"{item}/restore", bin_verbs.restore, kind.write)
    yield _route(kind, "DELETE", item, bin_verbs.purge, kind.write)
