"""Properties that are streams: bytes at a URL of their own, which JSON never shows."""

import base64
from collections.abc import Callable, Mapping

from lavawall.emulator import audit, registry
from lavawall.emulator.errors import bad_request, resource_not_found
from lavawall.emulator.model import Action, Permissions
from lavawall.emulator.requests import Answer, Call
from lavawall.emulator.store import Record, Session

Owner = Callable[[Call], Record]
"""Finds the object that an address names."""
Put = Callable[[Session, Record, str], None]
"""What else the object shows of a stream that was put; given its name."""


def stream_routes(
    prefix: str,
    streams: Mapping[str, str],
    owner: Owner,
    *,
    read: Permissions,
    write: Permissions,
    put: Put = lambda _session, _record, _name: None,
) -> tuple[Action, ...]:
    """GET, PUT and DELETE of each stream; `streams` says its media type by name."""

    def get_one(call: Call) -> Answer:
        """The bytes as they were put; what was never put is not found."""
        name = _name_in(call)
        stored = owner(call).body.get(name)
        if stored is None:
            raise resource_not_found(name)
        return Answer(200, content=base64.b64decode(stored), content_type=streams[name])

    def put_one(call: Call) -> Answer:
        name, record = _name_in(call), owner(call)
        kind = call.headers.get("Content-Type", "").split("/")[0]
        if kind != streams[name].split("/")[0] or not call.content:
            raise bad_request(f"'{name}' takes bytes of the type {streams[name]}.")
        record.body[name] = base64.b64encode(call.content).decode()
        put(call.session, record, name)
        _log(call.session, record)
        return Answer(204)

    def delete_one(call: Call) -> Answer:
        name, record = _name_in(call), owner(call)
        if record.body.pop(name, None) is None:
            raise resource_not_found(name)
        record.body.pop(f"{name}RelativeUrl", None)
        _log(call.session, record)
        return Answer(204)

    return tuple(
        action
        for name in streams
        for action in (
            Action("GET", f"{prefix}{name}", get_one, read),
            Action("PUT", f"{prefix}{name}", put_one, write),
            Action("DELETE", f"{prefix}{name}", delete_one, write),
        )
    )


def _name_in(call: Call) -> str:
    return call.url.split("?")[0].rsplit("/", 1)[-1]


def _log(session: Session, record: Record) -> None:
    names = registry.kind(record.type_name).audit
    if names is not None:
        audit.write(
            session,
            names.update,
            service=names.service,
            category=names.category,
            operation="Update",
            targets=[audit.target(record, target_type=names.target_type)],
        )
