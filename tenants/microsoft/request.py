"""One request to Microsoft, and its answer, as values.

A dry run shows requests, a plan stores them, an execution sends exactly them. Several may travel as the parts of one
(Graph's JSON batching). Sends nothing itself.
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
    """What happens where a request arrives twice, from the best to the worst."""

    READ = 0
    IDEMPOTENT = 1
    """The second one changes nothing, or is refused because it is so already."""
    ONCE = 2
    """It may create a second object, or start an action again."""


METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE"})
_OURS_ALONE = frozenset({"authorization", "host", "cookie", "content-length"})
_READS_BY_POST = ("/directoryObjects/getByIds",)
_IDEMPOTENT_METHODS = frozenset({"PUT", "PATCH", "DELETE"})
_REFERENCE = "/$ref"
_BATCH = "/$batch"


class UnsafePath(DomainError):
    """A path that could leave the configured origin, or the resource that its caller named."""


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
        """Whether it may change the tenant; a few POST requests only read, and a batch does what its parts do."""
        if self.parts:
            return any(part.writes for part in self.parts)
        return self.method != "GET" and not self.path.endswith(_READS_BY_POST)

    @property
    def safety(self) -> Safety:
        """Whether it may be sent again though it may have been applied; a batch is as safe as its worst part."""
        if self.parts:
            return max(part.safety for part in self.parts)
        if not self.writes:
            return Safety.READ
        idempotent = self.method in _IDEMPOTENT_METHODS or self.path.endswith(_REFERENCE)
        return Safety.IDEMPOTENT if idempotent else Safety.ONCE

    @property
    def content(self) -> bytes | None:
        """The bytes that are the body, where it is no JSON: it then is their base64, and a header says their type."""
        if isinstance(self.body, str) and "Content-Type" in self.headers:
            return base64.b64decode(self.body)
        return None

    def carrying(self, content: bytes, kind: str) -> Request:
        """The same request with bytes of this media type as its body."""
        body = base64.b64encode(content).decode()
        return replace(self, body=body, headers={**self.headers, "Content-Type": kind})

    @property
    def parts(self) -> tuple[Request, ...]:
        """The requests that travel in this one, in order; none where it is no batch."""
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
            raise ValueError("This is no stored request: it needs a method and a path, and nothing unknown.")
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
    """One request in which these travel, each under its number. They share service and API version."""
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
    """Refuse a path that could leave the configured origin or the resource that its caller named. Raises UnsafePath."""
    plain = unquote(path.partition("?")[0])
    if not path.startswith("/") or plain.startswith("//"):
        raise UnsafePath(
            f"A request's path starts with one slash, such as /v1.0/groups: {path[:80]!r} does not."
        )
    if ".." in plain.split("/") or "." in plain.split("/"):
        raise UnsafePath(f"A request's path has no dot segments: {path[:80]!r}.")
    if any(ch in "\\#" or ch.isspace() or not ch.isprintable() for ch in plain + path):
        raise UnsafePath(
            f"A request's path has no spaces, backslashes, # or control characters: {path[:80]!r}."
        )
