"""Routes of what PIM shows without storing it as such, and of its requests."""

import re
from collections.abc import Callable

from lavawall.emulator import entities, registry
from lavawall.emulator.errors import bad_request, resource_not_found
from lavawall.emulator.model import Action, Permissions
from lavawall.emulator.odata import listing, parse_query
from lavawall.emulator.presentation import present
from lavawall.emulator.requests import Answer, Call
from lavawall.emulator.store import Json, Record
from lavawall.emulator.types.pim_times import formatted

Source = Callable[[Call], list[Record]]
GUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def mentioned(call: Call) -> set[str]:
    """Ids that the filter of a listing names."""
    return {each.lower() for each in GUID.findall(call.query.get("$filter", ""))}


def _need_filter(call: Call, names: tuple[str, ...]) -> None:
    text = call.query.get("$filter", "")
    if names and "$skiptoken" not in call.query and not any(name in text for name in names):
        raise bad_request(f"A filter on {' or '.join(names)} is required.", "MissingFilter")


def readable(
    name: str, path: str, source: Source, read: Permissions, filters: tuple[str, ...] = ()
) -> tuple[Action, ...]:
    """List and get over records that are worked out; the list needs a filter that names one of `filters`."""

    def list_all(call: Call) -> Answer:
        _need_filter(call, filters)
        return Answer(200, listing(call, registry.kind(name), source(call)))

    def get_one(call: Call) -> Answer:
        found = next((each for each in source(call) if each.id == call.parameter("id")), None)
        if found is None:
            raise resource_not_found(call.parameter("id"))
        return Answer(200, _shown(call, name, path, found))

    return (Action("GET", path, list_all, read), Action("GET", f"{path}/{{id}}", get_one, read))


def requestable(name: str, path: str, write: Permissions) -> Action:
    """The POST of a request."""

    def create(call: Call) -> Answer:
        record = entities.create(call.session, registry.kind(name), formatted(call.json()))
        return Answer(201, _shown(call, name, path, record))

    return Action("POST", path, create, write)


def _shown(call: Call, name: str, path: str, record: Record) -> Json:
    kind = registry.kind(name)
    query = parse_query(call, kind)
    body = present(call.session, kind, record, select=query.select, expand=query.expand, single=True)
    return {"@odata.context": f"{call.root}/$metadata#{path[1:]}/$entity", **body}
