"""Lists inside an object that have an address of their own: read there, written through the object."""

from collections.abc import Callable
from dataclasses import dataclass

from lavawall.emulator import registry
from lavawall.emulator.model import Action, EntityType
from lavawall.emulator.odata import listing
from lavawall.emulator.presentation import present
from lavawall.emulator.requests import Answer, Call
from lavawall.emulator.store import Json, Record, Session
from lavawall.emulator.types.intune.core import located

Expansion = Callable[[Session, Record], object]


@dataclass(frozen=True)
class Parts:
    """One such list of an owner: its member, the type of its items and what can be expanded in these."""

    member: str
    schema: str
    expand: dict[str, Expansion] | None = None
    ordered: frozenset[str] = frozenset()
    largest_page: int = 999

    def name(self, owner: str) -> str:
        return f"{owner}/{self.member}"

    def records(self, owner: Record) -> list[Record]:
        return [
            Record(self.name(owner.type_name), item, owner.visible_from, parent_id=owner.id)
            for item in owner.body.get(self.member) or []
        ]

    def kind(self, owner: EntityType) -> EntityType:
        """The type of the items at their address below the owner."""
        path, name = f"{owner.path}/{{parent}}/{self.member}", self.name(owner.name)

        def show(call: Call) -> Answer:
            record = located(call, owner, "parent")
            return Answer(200, listing(call, registry.kind(name), self.records(record)))

        return EntityType(
            name=name,
            path=path,
            schema=self.schema,
            read=owner.read,
            verbs=frozenset(),
            service=owner.service,
            licence=owner.licence,
            versions=owner.versions,
            actions=(Action("GET", path, show, owner.read),),
            expand=self.expand or {},
            expands_together=True,
            on_request=frozenset(self.expand or {}),
            ordered=self.ordered,
            largest_page=self.largest_page,
        )

    def expansions(self) -> dict[str, Expansion]:
        """$expand of the owner: the list alone, or with one expansion in each of its items."""
        return {
            self.member: self._expansion(()),
            **{f"{self.member}($expand={inner})": self._expansion((inner,)) for inner in self.expand or {}},
        }

    def _expansion(self, inner: tuple[str, ...]) -> Expansion:
        def expand(session: Session, owner: Record) -> list[Json]:
            kind = registry.kind(self.name(owner.type_name))
            found = [present(session, kind, record, expand=inner) for record in self.records(owner)]
            return session.randomness.shuffled(found) if session.options.shuffle else found

        return expand
