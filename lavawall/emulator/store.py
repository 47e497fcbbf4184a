"""What the emulated cloud holds: directories with their records, recycle bins and logs, all in memory.

Only rules and routes inside the emulator write here, and always under the directory's lock.
"""

import copy
import random
import threading
from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

Json = dict[str, Any]

DIRECTORY_OBJECT_TYPES = (
    "user",
    "group",
    "application",
    "servicePrincipal",
    "device",
    "administrativeUnit",
    "directoryRole",
)


@dataclass(frozen=True)
class Options:
    """How faithful, slow or strict the cloud is; the defaults suit tests."""

    audit_delay: float = 0
    replication_delay: float = 0
    throttle: bool = False
    page_size: int | None = None
    shuffle: bool = True
    restore_returns_grants: bool = True
    merge_complex_values: bool = False
    token_lifetime: int = 3600
    soft_deleted_roles: bool = False
    """Whether custom role definitions have a recycle bin, which Microsoft is bringing out tenant by tenant."""
    role_settings_by_apps: bool = True
    """Whether an app may change PIM's settings of directory roles; Microsoft's own words differ on it."""


@dataclass
class Record:
    """One object: its own properties, its links to others, and what is never read back."""

    type_name: str
    body: Json
    visible_from: datetime
    links: dict[str, dict[str, None]] = field(default_factory=lambda: defaultdict(dict))
    secrets: dict[str, str] = field(default_factory=dict, repr=False)
    parent_id: str = ""
    scoped: bool = False

    @property
    def id(self) -> str:
        return str(self.body["id"])

    @property
    def key(self) -> str:
        """Unique within the type: the id, below its parent where the parent is needed to tell ids apart."""
        return f"{self.parent_id}/{self.id}" if self.scoped else self.id

    @property
    def name(self) -> str:
        return str(self.body.get("displayName") or "")


@dataclass
class Deleted:
    """A record in a recycle bin, with the records that left together with it."""

    record: Record
    dependants: list[Record]


class Directory:
    """One tenant: Microsoft Entra directory with everything in it."""

    def __init__(self, directory_id: str, name: str, domain: str, clock: Callable[[], datetime]) -> None:
        self.directory_id = directory_id
        self.name = name
        self.domain = domain
        self.clock = clock
        self.lock = threading.RLock()
        self.records: dict[str, dict[str, Record]] = defaultdict(dict)
        self.deleted: dict[str, Deleted] = {}
        self.unlicensed: set[str] = set()
        self.published_domains: set[str] = set()
        self.audits: deque[Record] = deque(maxlen=100_000)
        self.attribute_audits: deque[Record] = deque(maxlen=100_000)
        self.sign_ins: deque[Record] = deque(maxlen=100_000)
        self._later: list[tuple[datetime, Callable[[datetime], None]]] = []
        self.intune_events: deque[Record] = deque(maxlen=100_000)
        self.numbers: dict[str, int] = defaultdict(int)
        self.secret_values: dict[str, str] = {}

    def all(self, type_name: str) -> Iterator[Record]:
        """Records of a type that have reached every replica."""
        now = self.clock()
        return (record for record in list(self.records[type_name].values()) if record.visible_from <= now)

    def written(self, type_name: str) -> Iterator[Record]:
        """All records of a type: what must be unique is held against those too that no reader sees yet."""
        return iter(list(self.records[type_name].values()))

    def get(self, type_name: str, identifier: str) -> Record | None:
        record = self.records[type_name].get(identifier)
        return record if record is not None and record.visible_from <= self.clock() else None

    def directory_object(
        self, identifier: str, types: tuple[str, ...] = DIRECTORY_OBJECT_TYPES
    ) -> Record | None:
        for type_name in types:
            record = self.get(type_name, identifier)
            if record is not None:
                return record
        return None

    def by_property(self, type_name: str, name: str, value: Any) -> Record | None:
        return next((each for each in self.all(type_name) if each.body.get(name) == value), None)

    def add(self, record: Record) -> None:
        self.records[record.type_name][record.key] = record

    def remove(self, record: Record) -> None:
        self.records[record.type_name].pop(record.key, None)

    def later(self, moment: datetime, effect: Callable[[datetime], None]) -> None:
        """Orders what happens by itself at that moment: at once when it has come already."""
        self._later.append((moment, effect))
        self.settle()

    def settle(self) -> None:
        """Lets everything happen whose moment has come, in the order of the moments."""
        now = self.clock()
        while due := min(
            (each for each in self._later if each[0] <= now), key=lambda each: each[0], default=None
        ):
            self._later.remove(due)
            due[1](due[0])

    def documents(self, type_name: str) -> dict[str, Json]:
        """Copies of all stored bodies of a type by id, for assertions."""
        with self.lock:
            self.settle()
            return {key: copy.deepcopy(record.body) for key, record in self.records[type_name].items()}

    def links(self, identifier: str, name: str) -> set[str]:
        """Ids behind one link (members, owners) of a directory object, for assertions."""
        with self.lock:
            self.settle()
            record = self.directory_object(identifier)
            return set(record.links[name]) if record is not None else set()

    def export(self) -> dict[str, dict[str, Json]]:
        """Everything but logs and recycle bins: type -> key -> body with links, for whole-tenant comparison."""
        with self.lock:
            self.settle()
            return {
                type_name: {
                    key: copy.deepcopy(record.body)
                    | {name: sorted(ids) for name, ids in record.links.items() if ids}
                    | {f"secret of {name}": value for name, value in record.secrets.items()}
                    for key, record in records.items()
                }
                for type_name, records in self.records.items()
                if records
            }


@dataclass(frozen=True)
class Caller:
    """Who holds the token of a request."""

    kind: str
    object_id: str
    display_name: str
    app_id: str
    ip_address: str | None = None
    user_principal_name: str | None = None


SYSTEM = Caller(kind="system", object_id="", display_name="Seed", app_id="")


class Randomness:
    """Seeded, thread-safe source for ids, orders and tokens: the same seed gives the same cloud."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 - reproducible test data, no secret depends on it
        self._lock = threading.Lock()

    def guid(self) -> str:
        with self._lock:
            return str(UUID(int=self._random.getrandbits(128), version=4))

    def bytes(self, count: int) -> bytes:
        with self._lock:
            return self._random.randbytes(count)

    def fork(self) -> random.Random:
        """A source of its own for one response, so that responses do not wait for each other."""
        with self._lock:
            return random.Random(self._random.getrandbits(64))  # noqa: S311

    def shuffled(self, items: list[Any]) -> list[Any]:
        with self._lock:
            return self._random.sample(items, len(items))


@dataclass
class Session:
    """One caller at work in one directory: what every rule gets to see."""

    directory: Directory
    caller: Caller
    options: Options
    randomness: Randomness
    now: datetime
    correlation_id: str
    find_application: "Callable[[str], tuple[Directory, Record] | None]"
    version: str = "beta"
    """The API version that is spoken; what is laid down without a request knows all of it."""

    @property
    def visible_from(self) -> datetime:
        return self.now + timedelta(seconds=self.options.replication_delay)

    @property
    def is_seeding(self) -> bool:
        return self.caller.kind == "system"


def timestamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def precise_timestamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%f") + "0Z"
