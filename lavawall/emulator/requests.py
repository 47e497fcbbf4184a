"""One request to Graph as the routes see it, and the answer they give."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from werkzeug.datastructures import Headers

from lavawall.emulator.errors import bad_request
from lavawall.emulator.pages import Pages
from lavawall.emulator.store import Json, Record, Session


@dataclass
class Answer:
    """Status, JSON body and headers of a response; no body means an empty one, or bytes of a type of their own."""

    status: int
    body: Json | None = None
    headers: dict[str, str] = field(default_factory=dict)
    content: bytes = field(default=b"", repr=False)
    content_type: str = ""


@dataclass
class Call:
    """A routed and authorised request: path parameters, query options, parsed body and whose session it is."""

    method: str
    url: str
    root: str
    version: str
    session: Session
    pages: Pages[Record]
    parameters: Mapping[str, str]
    query: Mapping[str, str]
    headers: Headers
    content: bytes = b""

    def json(self) -> Any:
        try:
            return json.loads(self.content or b"null")
        except ValueError as error:
            raise bad_request(f"Unable to read JSON request payload. {error}", "BadRequest") from error

    def parameter(self, name: str) -> str:
        return self.parameters[name]
