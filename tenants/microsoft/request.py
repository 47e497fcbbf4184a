"""A request to Microsoft and its response, as values. A dry run shows requests, a plan stores them, and an
execution sends exactly these. Several requests can be the parts of one batch (Graph's JSON batching). Sends
nothing itself.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from enum import IntEnum
from typing import Any, TypeAlias
from urllib.parse import quote, unquote, urlencode

from tenants.errors import DomainError

JSON: TypeAlias = Any


class Safety(IntEnum):
    """What happens if a request arrives twice, from best to worst."""

    READ = 0
    IDEMPOTENT = 1
    """The second request changes nothing, or is refused because the change is already in place."""
    ONCE = 2
    """The second request may create a second object or repeat an action."""


METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE"})
_OURS_ALONE = frozenset({"authorization", "host", "cookie", "content-length"})
_READS_BY_POST = ("/directoryObjects/getByIds",)
_IDEMPOTENT_METHODS = frozenset({"PUT", "PATCH", "DELETE"})
_REFERENCE = "/$ref"
_BATCH = "/$batch"


class UnsafePath(DomainError):
    """A path that could leave the configured origin or the intended resource."""


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    body: JSON = None
    params: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    service: str = "directory"
    why: str = ""

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise ValueError(f"Unknown method {self.method!r}. Use one of {', '.join(sorted(METHODS))}.")
        check_path(self.path)
        refused = {name for name in self.headers if name.lower() in _OURS_ALONE}
        if refused:
            raise ValueError(
                f"The headers {', '.join(sorted(refused))} are set by the client. Leave them out."
            )

    @property
    def writes(self) -> bool:
        """Whether the request may change the tenant. Some POST requests only read; a batch does what its
        parts do.
        """
        if self.parts:
            return any(part.writes for part in self.parts)
        return self.method != "GET" and not self.path.endswith(_READS_BY_POST)

    @property
    def safety(self) -> Safety:
        """Whether it is safe to send again even if it was applied. A batch is as safe as its worst part."""
        if self.parts:
            return max(part.safety for part in self.parts)
        if not self.writes:
            return Safety.READ
        idempotent = self.method in _IDEMPOTENT_METHODS or self.path.endswith(_REFERENCE)
        return Safety.IDEMPOTENT if idempotent else Safety.ONCE

    @property
    def content(self) -> bytes | None:
        """The raw body if it is not JSON. Such a body is stored as base64, with its media type in a header."""
        if isinstance(self.body, str) and "Content-Type" in self.headers:
            return base64.b64decode(self.body)
        return None

    def carrying(self, content: bytes, kind: str) -> Request:
        """The same request with bytes of this media type as its body."""
        body = base64.b64encode(content).decode()
        return replace(self, body=body, headers={**self.headers, "Content-Type": kind})

    @property
    def parts(self) -> tuple[Request, ...]:
        """The parts of this batch in order; empty if this is not a batch."""
        if not self.path.endswith(_BATCH) or not isinstance(self.body, Mapping):
            return ()
        version = self.path.removesuffix(_BATCH)
        return tuple(
            Request(
                part["method"],
                f"{version}{part['url']}",
                part.get("body"),
                headers=part.get("headers", {}),
                service=self.service,
            )
            for part in self.body.get("requests", ())
        )

    def to_json(self) -> dict[str, JSON]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, JSON]) -> Request:
        unknown = set(data) - {each.name for each in fields(cls)}
        if unknown or not {"method", "path"} <= set(data):
            raise ValueError(
                "Not a valid stored request: it needs a method and a path, and no unknown fields."
            )
        return cls(**data)


@dataclass(frozen=True)
class Response:
    status: int
    body: JSON
    headers: Mapping[str, str]
    request_id: str

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300


def batch_of(requests: Mapping[int, Request], why: str = "") -> Request:
    """A batch of these requests, each under its number. They share service and API version."""
    first = next(iter(requests.values()))
    return Request(
        "POST",
        f"/{api_version(first)}{_BATCH}",
        body={"requests": [_part(number, request) for number, request in requests.items()]},
        service=first.service,
        why=why,
    )


def api_version(request: Request) -> str:
    return request.path.split("/")[1]


def _part(number: int, request: Request) -> dict[str, JSON]:
    url = request.path.removeprefix(f"/{api_version(request)}")
    if request.params:
        url += ("&" if "?" in url else "?") + urlencode(request.params, quote_via=quote, safe="$")
    part: dict[str, JSON] = {"id": str(number), "method": request.method, "url": url}
    headers = dict(request.headers)
    if request.body is not None:
        part["body"] = request.body
        headers.setdefault("Content-Type", "application/json")
    return part | ({"headers": headers} if headers else {})


def check_path(path: str) -> None:
    """Rejects a path that could leave the configured origin or the intended resource. Raises UnsafePath."""
    plain = unquote(path.partition("?")[0])
    if not path.startswith("/") or plain.startswith("//"):
        raise UnsafePath(
            f"A request path must start with one slash, such as /v1.0/groups: {path[:80]!r} does not."
        )
    if ".." in plain.split("/") or "." in plain.split("/"):
        raise UnsafePath(f"A request path must not contain dot segments: {path[:80]!r}.")
    if any(ch in "\\#" or ch.isspace() or not ch.isprintable() for ch in plain + path):
        raise UnsafePath(
            f"A request path must not contain spaces, backslashes, # or control characters: {path[:80]!r}."
        )
