"""What earlier rollbacks brought back under new ids is the same resource: targets are identified by their present IDs.

The live tenant decides which of a resource's ids is in use: somebody may have undeleted the original meanwhile, or
deleted its successor. The record of remapped ids only says which ids are of one resource.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from rollbacks.models import Remapping
from rollbacks.planning.effects import same
from rollbacks.planning.model import Key, Target
from rollbacks.planning.references import renamed, repointed
from snapshots.canonical.form import canonicalise
from snapshots.canonical.references import Mention, mentions
from snapshots.catalog import registry
from snapshots.catalog.spec import AZURE_ID, GUID, Document, ResourceType
from snapshots.collection.live import read_live
from snapshots.collection.presence import Presence
from snapshots.models import Version
from snapshots.store import content_store
from tenants.microsoft.client import GraphClient
from tenants.models import Tenant

Now = Callable[[str, str], str]
"""Kind of what is named, and an identifier of it → the identifier that it has by now."""

_FIELD = re.compile(r"\{(\w+)\}")


def with_present_ids(
    tenant: Tenant, client: GraphClient, presence: Presence, targets: Sequence[Target]
) -> list[Target]:
    """The targets under their present ids, references included, without those that are already as wanted.

    Raises MicrosoftError.
    """
    ids = _Ids(_chains(tenant, targets), client, presence, targets)
    if not ids.chains:
        return list(targets)
    groups: dict[Key, list[Target]] = {}
    for target in targets:
        key = (target.resource_type, ids.now(target.resource_type, target.resource_id))
        groups.setdefault(key, []).append(target)
    current = _current(tenant, groups)
    found = []
    for key, group in groups.items():
        target = _as_one(group, key[1], ids)
        moved = under_ids(target, ids.now)
        if target.resource_id != key[1]:
            moved = replace(moved, resource_id=key[1], last_known=current.get(key, moved.last_known))
        is_so = key in current and same(current[key], moved.wanted) and not ids.is_gone(*key)
        if moved == target or not is_so:
            found.append(moved)
    return found


def under_ids(target: Target, now: Now) -> Target:
    """The target by other identifiers, its own and those of what it names."""

    def today(document: Document | None) -> Document | None:
        if document is None:
            return None
        spec = registry.get(target.resource_type)
        own = renamed(document, spec, lambda value: now(spec.key, value))
        return canonicalise(repointed(own, spec, lambda mention: now(mention.to, mention.value)), spec)

    return replace(target, wanted=today(target.wanted), last_known=today(target.last_known))


@dataclass(frozen=True)
class _Chain:
    """The identifiers that one resource had, the first one first."""

    kind: str
    ids: tuple[str, ...]


@dataclass
class _Ids:
    """Decides for each identifier which of its resource's is in use; each is looked up once."""

    chains: Mapping[str, _Chain]
    client: GraphClient
    presence: Presence
    targets: Sequence[Target]
    _decided: dict[str, tuple[str, bool | None]] = field(default_factory=dict)

    def now(self, kind: str, value: str) -> str:
        """Itself where it exists, else the first of the others that does, else the last one given."""
        return self._decision(kind, value)[0]

    def is_gone(self, kind: str, value: str) -> bool:
        return self._decision(kind, value)[1] is False

    def position(self, kind: str, value: str) -> int:
        """How many identifiers the resource had before this one."""
        chain = self.chains.get(_mark(kind, value))
        return chain.ids.index(value) if chain is not None and value in chain.ids else 0

    def _decision(self, kind: str, value: str) -> tuple[str, bool | None]:
        mark = _mark(kind, value)
        chain = self.chains.get(mark)
        if chain is None:
            return value, None
        if mark not in self._decided:
            known = {each: self._is_there(chain, each) for each in (value, *chain.ids)}
            there = next((each for each, exists in known.items() if exists), None)
            self._decided[mark] = (
                (there, True) if there is not None else (chain.ids[-1], known[chain.ids[-1]])
            )
        return self._decided[mark]

    def _is_there(self, chain: _Chain, value: str) -> bool | None:
        """None where nobody can tell."""
        own = next(
            (each for each in self.targets if each.key[0] == chain.kind and each.key[1] in chain.ids), None
        )
        if own is not None:
            spec = registry.get(chain.kind)
            return read_live(self.client, spec, value, own.wanted or own.last_known).document is not None
        answers = [self.presence.of(mention) for mention in _names(chain.kind, value)]
        return True if True in answers else False if False in answers else None


def _names(kind: str, value: str) -> Iterator[Mention]:
    """By what the identifier could be looked up: an object's id, what others name it by, what it is elsewhere too."""
    spec = registry.get(kind)
    if spec.on_azure and not AZURE_ID.match(value):
        yield from (Mention(other, by, value) for other, by in spec.principal_identity.values())
        return
    if _has_an_address(spec):
        yield Mention(kind, "id", value)
    others = {each.by for other in registry.all_types() for each in other.references if each.to == kind}
    yield from (Mention(kind, by, value) for by in sorted(others - {"id"}))


def _has_an_address(spec: ResourceType) -> bool:
    """Whether an object can be read by its id alone."""
    path = spec.read.item_path
    return (
        path is not None
        and len(spec.identity.properties) == 1
        and {*_FIELD.findall(path)} <= {"id", *spec.identity.properties}
    )


def _chains(tenant: Tenant, targets: Sequence[Target]) -> dict[str, _Chain]:
    """For each identifier of a remapped resource that the targets are or name, all that it ever had."""
    rows = Remapping.objects.filter(execution__plan__rollback__tenant=tenant).order_by("pk")
    chains: dict[str, _Chain] = {}
    for kind, old, new in rows.values_list("resource_type", "old_id", "new_id"):
        known = chains.get(_mark(kind, old), _Chain(kind, (old,)))
        chain = replace(known, ids=(*(each for each in known.ids if each != new), new))
        chains |= {_mark(kind, each): chain for each in chain.ids}
    if not chains:
        return {}
    used = {mark for target in targets for mark in _used(target)}
    return {mark: chain for mark, chain in chains.items() if not used.isdisjoint(_marks(chain))}


def _marks(chain: _Chain) -> Iterator[str]:
    return (_mark(chain.kind, each) for each in chain.ids)


def _used(target: Target) -> Iterator[str]:
    spec = registry.get(target.resource_type)
    yield _mark(spec.key, target.resource_id)
    for document in (target.wanted, target.last_known):
        if document is not None:
            yield from (_mark(spec.key, value) for value in document.values() if isinstance(value, str))
            yield from (_mark(mention.to, mention.value) for mention in mentions(spec, document))


def _mark(kind: str, value: str) -> str:
    """GUIDs and Azure's ids are unique in a tenant; numbers and names are so among objects of one kind."""
    is_unique = GUID.fullmatch(value) is not None or AZURE_ID.match(value) is not None
    return value if is_unique else f"{kind}|{value}"


def _as_one(group: Sequence[Target], present: str, ids: _Ids) -> Target:
    """Of several states of one resource the earliest that is wanted."""
    wanted = [target for target in group if target.wanted is not None]
    if wanted:
        chosen = min(wanted, key=lambda each: ids.position(*each.key))
    else:
        chosen = next((each for each in group if each.resource_id == present), group[0])
    changes = dict.fromkeys(change for target in group for change in target.changes)
    return replace(chosen, changes=tuple(changes)) if len(group) > 1 else chosen


def _current(tenant: Tenant, keys: Iterable[Key]) -> dict[Key, Document]:
    wanted = set(keys)
    rows = Version.objects.filter(
        tenant=tenant, last_snapshot__isnull=True, resource_id__in={key[1] for key in wanted}
    )
    found = {(row.resource_type, row.resource_id): row.digest for row in rows}
    contents = content_store.documents(tenant, found.values())
    return {key: contents[digest] for key, digest in found.items() if key in wanted}
