"""All declared types by name. `types/__init__.py` fills it; everything else only asks."""

from collections.abc import Iterable

from lavawall.emulator.model import EntityType

KINDS: dict[str, EntityType] = {}


def register(kinds: Iterable[EntityType]) -> None:
    KINDS.update({kind.name: kind for kind in kinds})


def kind(name: str) -> EntityType:
    return KINDS[name]
