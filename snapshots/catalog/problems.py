"""Checks that the declarations are consistent. Run by Django's system checks, so that mistakes fail at
startup. Checks specs only, never documents.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from snapshots.catalog.elsewhere import NOT_COLLECTED
from snapshots.catalog.normalisers import NORMALISERS
from snapshots.catalog.places import rules_at
from snapshots.catalog.registry import all_types
from snapshots.catalog.spec import Part, ResourceType

_PATH = re.compile(r"/(v1\.0|beta)(/(\$ref|[A-Za-z0-9.]+|\{[A-Za-z]+\}))+")
_AZURE_PATH = re.compile(r"(/[A-Za-z]+|/?\{[A-Za-z]+\})(/([A-Za-z0-9.]+|\{[A-Za-z]+\}))*")
_PLACEHOLDER = re.compile(r"\{(\w+)\}")


def problems(specs: Sequence[ResourceType] | None = None) -> list[str]:
    """The problems of the catalogue, one sentence each; empty if there are none."""
    declared = all_types() if specs is None else specs
    keys = Counter(spec.key for spec in declared)
    found = [f"The resource type '{key}' is declared {n} times." for key, n in keys.items() if n > 1]
    for spec in declared:
        for check in _CHECKS:
            found.extend(f"{spec.key}: {problem}." for problem in check(spec, frozenset(keys)))
    return found


def _targets(spec: ResourceType, keys: frozenset[str]) -> Iterator[str]:
    named = {reference.to for reference in spec.references}
    named |= {part.reference for part in spec.parts if part.reference is not None}
    for target in sorted(named - keys - NOT_COLLECTED):
        yield f"refers to the unknown type '{target}'"
    if spec.read.parent is not None and spec.read.parent not in keys:
        yield f"is read below the unknown type '{spec.read.parent}'"
    has_parent = any("{parent}" in text for text in (spec.read.path, *spec.read.params.values()))
    if (spec.read.parent is None) == has_parent:
        yield "declares only one of a parent and its place in the path"
    if spec.read.each and spec.read.item_path is None:
        yield "reads each object again and does not say where"


def _normalisers(spec: ResourceType, keys: frozenset[str]) -> Iterator[str]:  # noqa: ARG001
    for name in sorted(set(spec.comparison.normalise.values()) - NORMALISERS.keys()):
        yield f"uses the unknown normaliser '{name}'"


def _written_properties(spec: ResourceType, keys: frozenset[str]) -> Iterator[str]:  # noqa: ARG001
    restore = spec.restore
    by_action = tuple(action.property for action in restore.update.actions)
    for name in (*restore.writable, *restore.create.only, *by_action):
        if rules_at(spec, (name,)).dropped:
            yield f"writes '{name}', which its documents do not hold"
    for stream in spec.streams:
        if rules_at(spec, (stream.name,)).dropped or stream.name in restore.writable:
            yield f"keeps the stream '{stream.name}', which its documents do not hold or an update writes"
    for name in sorted(set(restore.writable) & {*restore.create.only, *by_action}):
        yield f"writes '{name}' both by update and in another way"
    harmless = {restore.update.staged.property} if restore.update.staged is not None else set()
    for name in sorted(harmless | restore.delete.prepared_with.keys() | restore.delete.retired_with.keys()):
        if spec.writes(name):
            continue
        yield f"prepares '{name}', which is not writable"
    for removal in restore.update.removals:
        if rules_at(spec, (removal.property,)).set_of is None:
            yield f"removes elements of '{removal.property}', which is no keyed set"


def _verbs(spec: ResourceType, keys: frozenset[str]) -> Iterator[str]:  # noqa: ARG001
    restore = spec.restore
    if bool(restore.writable) != (restore.update.path is not None):
        yield "declares only one of writable properties and update_path"
    if any((restore.create.path, restore.update.path, restore.delete.path)) and not spec.permissions.write:
        yield "can be written but names no write permission"
    if restore.update.staged is not None and restore.update.staged.via in restore.update.staged.enforcing:
        yield f"stages '{restore.update.staged.property}' through an enforcing value"
    if (
        len(spec.identity.properties) > 1
        and (spec.parts or restore.update.actions or restore.update.staged)
        and not restore.create.caller_chooses_id
    ):
        yield "has a composed id and steps after its creation, which could not tell where it is"
    if restore.create.recreate_for and restore.create.path is None:
        yield "is recreated for some properties and declares no create path"


def _part_verbs(spec: ResourceType, keys: frozenset[str]) -> Iterator[str]:  # noqa: ARG001
    for name in sorted({*spec.restore.delete.emptied_first} - {part.name for part in spec.parts}):
        yield f"empties '{name}' before a delete, which is no part"
    for part in spec.parts:
        if (part.add_ref is None) != (part.remove_ref is None):
            yield f"can only add or only remove elements of '{part.name}'"
        if bool(part.holders) != bool(part.holds):
            yield f"says only one of who holds '{part.name}' and what they hold"
        if (
            part.projected_fields is not None
            and part.key is not None
            and part.key not in part.projected_fields
        ):
            yield f"does not keep the key of '{part.name}'"
        if part.key is None and (part.add_ref or part.element_path):
            yield f"writes elements of '{part.name}', which nothing names"


def _identities(spec: ResourceType, keys: frozenset[str]) -> Iterator[str]:  # noqa: ARG001
    for name in spec.identity.natural_key:
        if rules_at(spec, (name,)).dropped:
            yield f"is recognised by '{name}', which its documents do not hold"
    for path, n in Counter(declared.path for declared in spec.comparison.sets).items():
        if n > 1:
            yield f"declares the set '{path}' {n} times"


def _paths(spec: ResourceType, keys: frozenset[str]) -> Iterator[str]:  # noqa: ARG001
    own = {"id", "scope", "subscription", "name", "location"} if spec.on_azure else {"id"}
    own |= spec.addressing | set(spec.identity.properties)
    for path in spec.read.listings:
        yield from _path_problems(spec, path, {"parent", "subscription"})
    for path in _own_paths(spec):
        yield from _path_problems(spec, path, own)
    for part in (*spec.parts, *(inner for outer in spec.parts for inner in outer.inner)):
        for path in _part_paths(part):
            yield from _path_problems(spec, path, own | {"element"} | ({"holder"} if part.holders else set()))


def _own_paths(spec: ResourceType) -> Iterator[str]:
    restore = spec.restore
    declared = [
        spec.read.item_path,
        restore.create.path,
        restore.update.path,
        restore.delete.path,
        restore.create.listing,
    ]
    if restore.undelete is not None:
        declared += [restore.undelete.item_path, restore.undelete.restore_path]
    yield from (path for path in declared if path is not None)
    yield from (action.path for action in restore.update.actions)
    yield from (removal.path for removal in restore.update.removals)
    yield from (stream.path for stream in spec.streams)


def _part_paths(part: Part) -> Iterator[str]:
    declared = (part.path, part.add_ref, part.remove_ref, part.create_path, part.element_path)
    yield from (path for path in declared if path is not None)


def _path_problems(spec: ResourceType, path: str, allowed: set[str]) -> Iterator[str]:
    if not (_AZURE_PATH if spec.on_azure else _PATH).fullmatch(path):
        yield f"the path '{path}' does not begin with an API version or holds something that is no segment"
    for name in sorted(set(_PLACEHOLDER.findall(path)) - allowed - set(spec.restore.create.only)):
        yield f"the path '{path}' needs '{name}', which not every object of the type has"


_CHECKS: tuple[Callable[[ResourceType, frozenset[str]], Iterator[str]], ...] = (
    _targets,
    _normalisers,
    _written_properties,
    _verbs,
    _part_verbs,
    _identities,
    _paths,
)
