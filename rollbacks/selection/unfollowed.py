"""Old ids in places where no reference is declared: scripts, settings, descriptions. Nothing re-points them, so a plan
under which something gets a new id says where the old one still stands. Reads the store only.
"""

from collections.abc import Iterator, Mapping
from typing import Any
from uuid import UUID

from rollbacks.planning.model import BRINGS_BACK, Key, PlanDraft
from snapshots.catalog import registry
from snapshots.catalog.identifiers import names_nothing
from snapshots.catalog.places import ELEMENT, Path, matches, parse
from snapshots.catalog.spec import GUID, Document, ResourceType
from snapshots.models import Version
from snapshots.recoverability.verdicts import keeps_same_id
from snapshots.store import content_store
from tenants.models import Tenant


def unfollowed(tenant: Tenant, draft: PlanDraft) -> Iterator[str]:
    """One sentence for each resource and place."""
    moving = {spelling: name for value, name in _moving(draft) for spelling in _spellings(value)}
    if not moving:
        return
    brought = {step.key for step in draft.steps if step.kind in BRINGS_BACK}
    for key, name, document in _documents(tenant, draft):
        spec = registry.get(key[0])
        own = moving if key not in brought else _without_own(moving, draft, key)
        for path, found in sorted(_places(spec, document, own)):
            if not names_nothing(spec, path):
                yield (
                    f"{spec.label} “{name or key[1]}” contains the ID of “{found}” in {_dotted(path)}, "
                    "which is not updated automatically. Enter the new ID there manually."
                )


def _moving(draft: PlanDraft) -> Iterator[tuple[str, str]]:
    """The identifiers that certainly or perhaps change, and whose they are."""
    for step in draft.steps:
        if step.kind in BRINGS_BACK and not step.expected:
            unchanged = {"id"} if keeps_same_id(registry.get(step.resource_type)) else set()
            for name, value in step.keys.items():
                if name not in unchanged and GUID.fullmatch(value):
                    yield value, step.display_name or step.resource_id


def _without_own(moving: Mapping[str, str], draft: PlanDraft, key: Key) -> dict[str, str]:
    own = {
        spelling
        for step in draft.steps
        if step.key == key
        for value in step.keys.values()
        if GUID.fullmatch(value)
        for spelling in _spellings(value)
    }
    return {spelling: name for spelling, name in moving.items() if spelling not in own}


def _spellings(value: str) -> Iterator[str]:
    """With and without hyphens (names of extension properties), and as the SID that devices know a principal by."""
    known = UUID(value)
    yield str(known)
    yield known.hex
    parts = (int.from_bytes(known.bytes_le[start : start + 4], "little") for start in range(0, 16, 4))
    yield "s-1-12-1-" + "-".join(map(str, parts))


def _documents(tenant: Tenant, draft: PlanDraft) -> Iterator[tuple[Key, str, Document]]:
    """What every resource will be: as the plan wants it, or as it is."""
    wanted = {step.key: step for step in draft.steps}
    for step in wanted.values():
        if step.wanted is not None:
            yield step.key, step.display_name, step.wanted
    versions = list(Version.objects.filter(tenant=tenant, last_snapshot__isnull=True))
    contents = content_store.documents(tenant, (version.digest for version in versions))
    for version in versions:
        key = (version.resource_type, version.resource_id)
        if key not in wanted:
            yield key, version.display_name, contents[version.digest]


def _places(
    spec: ResourceType, value: Any, moving: Mapping[str, str], path: Path = ()
) -> set[tuple[Path, str]]:
    """Where any of the identifiers stands and no reference names it, and whose it is."""
    if isinstance(value, dict):
        return set().union(*(_places(spec, inner, moving, (*path, key)) for key, inner in value.items()))
    if isinstance(value, list):
        return set().union(*(_places(spec, element, moving, (*path, ELEMENT)) for element in value))
    if not isinstance(value, str):
        return set()
    text = value.lower()
    found = {(spelling, name) for spelling, name in moving.items() if spelling in text}
    if not found:
        return set()
    named = {
        each.lower()
        for reference in spec.references
        if matches(parse(reference.path), path)
        for each in reference.named(value)
    }
    return {(path, name) for spelling, name in found if spelling not in named}


def _dotted(path: Path) -> str:
    return ".".join(path).replace(f".{ELEMENT}", ELEMENT)
