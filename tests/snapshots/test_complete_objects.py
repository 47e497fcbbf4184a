"""Whole objects: what only beta shows is read, or declared with the reason why not; nothing is left out unsaid.

Only beta's schema knows some conditions, restrictions and derived types. A type that is read at v1.0 does not see them,
and a write there takes them away.
"""

from collections.abc import Iterator

import pytest

from lavawall.emulator import schema
from snapshots import catalog
from snapshots.catalog.places import ELEMENT, Path, parse, rules_at
from snapshots.catalog.spec import ResourceType

DEPTH = 4
AT_V1 = [
    spec
    for spec in catalog.all_types()
    if not spec.on_azure and spec.read.path.startswith("/v1.0") and not spec.read.id_key
]
"""Types that are something which another object has (`id_key`) read one property of that object."""


def _only_beta(name: str, path: Path = ()) -> Iterator[Path]:
    """Where beta shows more than v1.0, in the objects of a type and in their complex values."""
    for actual in schema.subtypes(name):
        for declared in actual.properties.values():
            inside = (*path, declared.name)
            if declared.beta:
                yield inside
            elif len(path) < DEPTH and schema.exists(declared.type):
                below = (*inside, ELEMENT) if declared.is_collection else inside
                yield from _only_beta(declared.type, below)


def _is_dropped(spec: ResourceType, path: Path) -> bool:
    """Computed, volatile, or beside the only keys that are kept of a nested object."""
    for end in range(1, len(path) + 1):
        stored = rules_at(spec, path[: end - 1]).nested_fields if end > 1 else None
        if rules_at(spec, path[:end]).dropped or (stored is not None and path[end - 1] not in stored):
            return True
    return False


@pytest.mark.parametrize("spec", AT_V1, ids=lambda spec: spec.key)
def test_a_type_read_at_v1_names_every_setting_that_only_beta_shows(spec: ResourceType) -> None:
    found = set(_only_beta(spec.entity)) if schema.exists(spec.entity) else set()
    named = {parse(path) for path in spec.comparison.unread}
    assert {path for path in found if not _is_dropped(spec, path)} == named


def test_a_type_read_at_beta_leaves_nothing_unread() -> None:
    assert [spec.key for spec in catalog.all_types() if spec.comparison.unread and spec not in AT_V1] == []
