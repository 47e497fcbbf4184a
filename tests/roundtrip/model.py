"""The words in which a round trip is declared."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]
Read = Callable[[str], Json]
"""Path → what the reader application gets from there (Graph or Azure)."""


@dataclass(frozen=True)
class World:
    """The tenant under attack, as a case sees it."""

    read: Read
    directory_id: str = ""
    subscription: str = ""

    def named(self, path: str, name: str, by: str = "displayName") -> Json:
        """The object of a listing whose name begins so."""
        found = self.read(path)["value"]
        return next(each for each in found if str(each.get(by) or "").startswith(name))


@dataclass(frozen=True)
class Act:
    """One request of the intruder. The path may hold `{id}` and other texts of the subject; the body may be a
    function of the world and the subject, or bytes for a stream.
    """

    method: str
    path: str
    body: Any = None

    def prepared(self, world: World, subject: Json) -> tuple[str, str, Any]:
        path = self.path.format_map(_Texts(subject))
        body = self.body(world, subject) if callable(self.body) else self.body
        return self.method, path, body


class _Texts(dict[str, str]):
    def __missing__(self, name: str) -> str:
        raise KeyError(f"the subject has no {name}, which the act's path needs")


AUTO = object()
"""For an updated property: a value that the schema allows and that differs from the present one."""

Way = Sequence[Act] | str
"""The acts, or the reason why Microsoft's API makes it impossible."""


@dataclass(frozen=True)
class Case:
    """The attacks on one type, or on one `variant` of its objects."""

    key: str
    subject: Callable[[World], Json]
    """Picks the object that is attacked, as the API returns it; asked anew before each attack."""
    path: str
    """Where the subject is written: of its PATCH (or PUT) and DELETE."""
    updates: Mapping[str, Any] = field(default_factory=dict)
    """Writable property → the intruder's value, AUTO, a function of (world, subject), or impossible("why")."""
    together: bool = False
    """All updates are one attack, where a type has many properties that are written alike."""
    method: str = "PATCH"
    shape: Callable[[World, Json, Json], Any] | None = None
    """Given world, subject and the changed properties: the body of the update; by default the properties alone."""
    typed: bool = False
    create: Way = "nothing is created in this type"
    delete: Way = "nothing is deleted in this type"
    more: Mapping[str, Way] = field(default_factory=dict)
    """Further attacks by name: `delete for good`, and one named after each sub-collection and action."""
    given: Sequence[Act] = ()
    """What is put in place before anything is observed."""
    types: tuple[str, ...] = ()
    """Types that are observed and rolled back along with it."""
    variant: str = ""
    lost: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Attack → top-level properties that a plan says it cannot bring back."""

    @property
    def name(self) -> str:
        return f"{self.key}-{self.variant}" if self.variant else self.key

    def attacks(self, world: World) -> Iterator[tuple[str, Sequence[Act]]]:
        """Name and acts of every attack that is possible."""
        possible = {name: value for name, value in self.updates.items() if not isinstance(value, Impossible)}
        if self.together and possible:
            yield f"update {', '.join(possible)} at once", [self._update(possible)]
        else:
            for name, value in possible.items():
                yield f"update {name}", [self._update({name: value})]
        for name, way in {"create": self.create, "delete": self.delete, **self.more}.items():
            if not isinstance(way, str):
                yield name, way

    def impossible(self) -> Iterator[tuple[str, str]]:
        for name, value in self.updates.items():
            if isinstance(value, Impossible):
                yield f"update {name}", value.why
        for name, way in {"create": self.create, "delete": self.delete, **self.more}.items():
            if isinstance(way, str):
                yield name, way

    def _update(self, values: Mapping[str, Any]) -> Act:
        def body(world: World, subject: Json) -> Any:
            from tests.roundtrip.variation import varied

            properties: Json = {}
            for name, value in values.items():
                changed = varied(subject, name, self.key) if value is AUTO else value
                properties[name] = changed(world, subject) if callable(changed) else changed
            if self.shape is not None:
                return self.shape(world, subject, properties)
            if self.typed:
                return {"@odata.type": subject["@odata.type"], **properties}
            return properties

        return Act(self.method, self.path, body)


@dataclass(frozen=True)
class Impossible:
    why: str


PICTURE, PLANTED_PICTURE = b"\x89PNG\r\n\x1a\n of ours", b"\xff\xd8\xff of the intruder"


def attacked_stream(path: str, name: str, content: bytes = PLANTED_PICTURE) -> dict[str, Way]:
    """The attacks on a stream that the object has."""
    return {
        f"{name} replaced": [Act("PUT", f"{path}/{name}", content)],
        f"{name} removed": [Act("DELETE", f"{path}/{name}")],
    }


def impossible(why: str) -> Impossible:
    """Microsoft's API does not let anybody do this; the reason stands in the docs."""
    return Impossible(why)
