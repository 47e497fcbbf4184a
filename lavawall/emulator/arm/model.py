"""The words in which a resource type of Azure is declared once, and one request as its handlers see it."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from werkzeug.datastructures import Headers

from lavawall.emulator.arm.errors import bad_request
from lavawall.emulator.arm.ids import Target, subscription_of
from lavawall.emulator.arm.state import AzureTenant, Resource, Subscription
from lavawall.emulator.cloud import Cloud
from lavawall.emulator.requests import Answer
from lavawall.emulator.store import Json, Session


@dataclass
class ArmCall:
    """A routed request: what it names, how its type is declared, and whose session it is."""

    method: str
    origin: str
    path: str
    kind: "ArmType"
    target: Target
    cloud: Cloud
    azure: AzureTenant
    session: Session
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Headers = field(default_factory=Headers)
    content: bytes = b""

    @property
    def subscription_id(self) -> str:
        return subscription_of(self.target.id)

    @property
    def subscription(self) -> Subscription:
        return self.azure.subscriptions[self.subscription_id]

    def body(self) -> Json:
        """The JSON object that was sent."""
        try:
            found = json.loads(self.content)
        except ValueError as error:
            raise bad_request(
                f"The request content was invalid and could not be deserialized: {error}.",
                "InvalidRequestContent",
            ) from error
        if not isinstance(found, dict) or not isinstance(found.get("properties", {}), dict):
            raise bad_request(
                "The request content has to be an object with an object 'properties'.",
                "InvalidRequestContent",
            )
        return found


@dataclass
class ArmWrite:
    """One PUT or PATCH while it is being checked: rules complete `after` before it is kept."""

    call: ArmCall
    body: Json
    after: Resource
    before: Resource | None

    @property
    def sent(self) -> Json:
        """The properties as the client sent them."""
        found: Json = self.body.get("properties") or {}
        return found


Handler = Callable[[ArmCall], Answer]


@dataclass(frozen=True)
class ArmType:
    """One resource type: its known api-versions, its handlers by verb, and the rules of its writes.

    Verbs are list, get, put, patch and delete; POST actions stand beside them under their own names in lower case.
    `writable` are the members of `properties` that a client sets; `strict` types refuse members they do not know,
    others ignore them. `computed` are known members that only the service sets.
    """

    name: str
    versions: tuple[str, ...]
    handlers: Mapping[str, Handler]
    writable: frozenset[str] = frozenset()
    computed: frozenset[str] = frozenset()
    strict: bool = False
    is_tracked: bool = False
    is_async: bool = False
    has_system_data: bool = False
    has_etag: bool = False
    creating_state: str = ""
    updating_state: str = ""
    open_at_root: bool = False
    check: Callable[[ArmWrite], None] | None = None
    delete_check: Callable[[ArmCall, Resource], None] | None = None
    created: Callable[[ArmCall, Resource], None] | None = None
    deleted: Callable[[ArmCall, Resource], None] | None = None
    complete: Callable[[ArmCall, Resource, Json], None] | None = None

    def body_of(self, resource: Resource, call: ArmCall) -> Json:
        """The whole body of an answer, before it is spelled in one way or another."""
        body: dict[str, Any] = {"id": resource.id, "name": resource.name, "type": self.name, **resource.body}
        body["properties"] = dict(resource.properties)
        if self.complete is not None:
            self.complete(call, resource, body)
        return body
