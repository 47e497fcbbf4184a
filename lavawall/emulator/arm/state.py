"""What the Azure side of one directory holds: subscriptions, the tree of their resources, and what is being done."""

import copy
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from lavawall.emulator.arm.ids import covers, key, last_segment
from lavawall.emulator.store import Directory, Json, Record


@dataclass
class Resource:
    """One resource: its body without id, name and type. `unsettled` is shown once as its provisioning state."""

    id: str
    type: str
    body: Json
    bound: set[str] = field(default_factory=set)
    unsettled: str = ""

    @property
    def name(self) -> str:
        return last_segment(self.id)

    @property
    def properties(self) -> Json:
        found: Json = self.body["properties"]
        return found


@dataclass
class Subscription:
    """One subscription with its activity log and the tags that a policy appends to what is written."""

    subscription_id: str
    name: str
    events: deque[Record] = field(default_factory=lambda: deque(maxlen=100_000))
    appended_tags: dict[str, str] = field(default_factory=dict)


@dataclass
class DeletedVault:
    """A vault in the recycle bin of its subscription and place."""

    resource: Resource
    deleted: datetime
    purged: datetime


@dataclass
class Operation:
    """A long-running operation: in progress when first asked for, done from then on."""

    resource_id: str
    asked: bool = False


class AzureTenant:
    """All of Azure under one directory. Guarded by the directory's lock."""

    def __init__(self, directory: Directory) -> None:
        self.directory = directory
        self.subscriptions: dict[str, Subscription] = {}
        self.deleted_vaults: dict[str, DeletedVault] = {}
        self.operations: dict[str, Operation] = {}
        self._resources: dict[str, Resource] = {}

    def get(self, identifier: str) -> Resource | None:
        return self._resources.get(key(identifier))

    def put(self, resource: Resource) -> None:
        self._resources[key(resource.id)] = resource

    def remove(self, resource: Resource) -> None:
        """Takes a resource away with all that lies in it or extends it."""
        for each in [known for known in self._resources.values() if covers(resource.id, known.id)]:
            del self._resources[key(each.id)]

    def all(self, type_name: str = "", scope: str = "") -> Iterator[Resource]:
        """Resources of a type at or below a scope."""
        wanted = type_name.lower()
        return (
            each
            for each in list(self._resources.values())
            if (not wanted or each.type.lower() == wanted) and covers(scope, each.id)
        )

    def documents(self, type_name: str = "") -> dict[str, Json]:
        """Copies of all stored bodies by id, for assertions."""
        with self.directory.lock:
            return {each.id: copy.deepcopy(each.body) for each in self.all(type_name)}

    def export(self) -> dict[str, dict[str, Json]]:
        """Every resource as it is stored: type -> id -> body with what else is bound to it."""
        with self.directory.lock:
            found: dict[str, dict[str, Json]] = {}
            for each in self._resources.values():
                bound = {"bound": sorted(each.bound)} if each.bound else {}
                found.setdefault(each.type, {})[each.id] = copy.deepcopy(each.body) | bound
            return found
