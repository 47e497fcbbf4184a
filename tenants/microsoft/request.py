"""One request to Microsoft, and its answer, as values.

A dry run shows requests, a plan stores them, an execution sends exactly them. Sends nothing itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, TypeAlias
from urllib.parse import unquote

JSON: TypeAlias = Any

METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE"})
_OURS_ALONE = frozenset({"authorization", "host", "cookie", "content-length"})
_READS_BY_POST = ("/directoryObjects/getByIds",)


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
        """Whether it may change the tenant; a few POST requests only read."""
        return self.method != "GET" and not self.path.endswith(_READS_BY_POST)

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


def check_path(path: str) -> None:
    """Refuse a path that could leave the configured origin or the resource that its caller named."""
    plain = unquote(path.partition("?")[0])
    if not path.startswith("/") or plain.startswith("//"):
        raise ValueError(
            f"A request's path starts with one slash, such as /v1.0/groups: {path[:80]!r} does not."
        )
    if ".." in plain.split("/") or "." in plain.split("/"):
        raise ValueError(f"A request's path has no dot segments: {path[:80]!r}.")
    if any(ch in "\\#" or ch.isspace() or not ch.isprintable() for ch in plain + path):
        raise ValueError(
            f"A request's path has no spaces, backslashes, # or control characters: {path[:80]!r}."
        )
