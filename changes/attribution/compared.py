"""The facts of changes and audit events that matching compares, in normalised spelling. Pure. Prepared once
for each change and event; `matching` compares them.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from changes.audit.parse import Target
from changes.diff.structural import FieldChange
from snapshots.catalog.places import ELEMENT
from snapshots.catalog.places import parse as parse_path
from snapshots.catalog.spec import AuditHints, AuditLog, Document

Kind = Literal["created", "updated", "deleted"]

_GO_BETWEENS = frozenset({"ms-pim", "managed service identity"})
"""Microsoft's own applications that act on a person's behalf; the person is named in another event."""

_BY_PIM = re.compile(r" in pim( completed)?( permanent| timebound)?$")
"""PIM activities are the directory's activities plus how they came about; this suffix is removed."""

_ELEMENT = re.compile(r"\[(.+)\]$")
_ELEMENT_KEY = re.compile(r"\[[^\]=]*=([^\],]+)\]")

_SAME_PROPERTY: Mapping[str, tuple[str, ...]] = {
    "keydescription": ("passwordcredentials", "keycredentials"),
    "appaddress": ("redirecturis",),
}
"""Property names in the log → names in Graph, where they differ by more than spelling. Source: public
detection rules on the Entra audit log (Microsoft Sentinel).
"""


@dataclass(frozen=True)
class ChangeFacts:
    """The facts of a change. `partners`: for each hint, the IDs found in the document."""

    kind: Kind
    resource_id: str
    display_name: str
    earliest_at: datetime
    detected_at: datetime
    log: AuditLog = "directoryAudit"
    """The log that records changes of its type."""
    partners: tuple[frozenset[str], ...] = ()
    changed: frozenset[str] = frozenset()
    """Words of the changed paths, normalised."""
    gained: frozenset[str] = frozenset()
    """Values (mainly IDs) that the change added, such as members, owners or an app role. `lost`: values that
    it removed.
    """
    lost: frozenset[str] = frozenset()


@dataclass(frozen=True)
class EventFacts:
    """The facts of an audit event, prepared once for all changes."""

    log: str
    correlation_id: str
    activity: str
    succeeded: bool
    occurred_at: datetime
    by_go_between: bool
    ids: frozenset[str]
    mentions: frozenset[str]
    names: frozenset[str]
    bare_names: frozenset[str]
    """Names of targets without an ID."""
    properties: frozenset[str]
    elements: frozenset[str]
    """IDs of the changed elements in a policy that the event contains as one value."""


def change_facts(
    *,
    kind: Kind,
    resource_id: str,
    display_name: str,
    earliest_at: datetime,
    detected_at: datetime,
    documents: Iterable[Document | None],
    fields: Iterable[FieldChange],
    hints: AuditHints,
    log: AuditLog = "directoryAudit",
) -> ChangeFacts:
    """Facts of a change from its documents (before and after) and its field changes."""
    known = [document for document in documents if document is not None]
    around = _ancestors(resource_id.lower()) if kind == "deleted" else frozenset()
    fields = list(fields) if kind == "updated" else []
    partners = tuple(
        frozenset(value.lower() for document in known for value in _texts_at(document, parse_path(path)))
        - {""}
        for path in hints.targets
    )
    others = frozenset(
        value.lower().rpartition("/")[2]
        for document in known
        for name, value in document.items()
        if kind != "updated" and name not in hints.targets and isinstance(value, str) and value
    )
    return ChangeFacts(
        kind=kind,
        resource_id=resource_id.lower(),
        display_name=loose(display_name),
        earliest_at=earliest_at,
        detected_at=detected_at,
        log=log,
        partners=tuple(ids for ids in partners if ids),
        changed=frozenset(loose(word) for field in fields for word in re.split(r"[.\[\]=,]", field.path))
        - {"", "id"},
        gained=_touched(fields, "added") | (others if kind == "created" else frozenset()),
        lost=_touched(fields, "removed") | (others if kind == "deleted" else frozenset()) | around,
    )


def event_facts(
    *,
    activity: str,
    result: str,
    occurred_at: datetime,
    actor_name: str,
    targets: Sequence[Target],
    log: str = "directoryAudit",
    correlation_id: str = "",
) -> EventFacts:
    """Facts of an event, normalised for comparison."""
    return EventFacts(
        log=log,
        correlation_id=correlation_id,
        activity=activity_words(activity),
        succeeded=result.lower() == "success",
        occurred_at=occurred_at,
        by_go_between=actor_name.lower() in _GO_BETWEENS,
        ids=frozenset(target.id.lower() for target in targets if target.id),
        mentions=frozenset(each.lower() for target in targets for each in target.mentions),
        names=frozenset(loose(target.name) for target in targets if target.name),
        bare_names=frozenset(loose(target.name) for target in targets if target.name and not target.id),
        properties=frozenset(
            word for target in targets for name in target.properties for word in _property_words(name)
        ),
        elements=frozenset(
            loose(element)
            for target in targets
            for name in target.properties
            for element in _ELEMENT.findall(name)
        ),
    )


def activity_words(activity: str) -> str:
    """Activity names vary in letter case and dashes, so only the words are compared."""
    return _BY_PIM.sub("", " ".join(re.findall(r"[^\W_]+", activity.lower())))


def _property_words(name: str) -> Iterator[str]:
    """`Group.DisplayName` is about the group, not about a displayName: only the first part counts."""
    word = loose(re.split(r"[.\[]", name, maxsplit=1)[0])
    if word and word != "id":
        yield word
        yield from _SAME_PROPERTY.get(word, ())


def _touched(fields: Iterable[FieldChange], side: Literal["added", "removed"]) -> frozenset[str]:
    """Scalar values that were added or removed, and the keys of added or removed keyed elements
    (`members[id=…]`).
    """
    found: set[object] = set()
    for field in fields:
        found.update(
            each for each in (field.added if side == "added" else field.removed) if isinstance(each, str)
        )
        if field.kind == side:
            found.update(_ELEMENT_KEY.findall(field.path))
    return frozenset(str(each).lower() for each in found)


def _texts_at(value: object, path: tuple[str, ...]) -> Iterator[str]:
    if not path:
        if isinstance(value, str):
            yield value
    elif path[0] == ELEMENT:
        for element in value if isinstance(value, list) else ():
            yield from _texts_at(element, path[1:])
    elif isinstance(value, dict):
        yield from _texts_at(value.get(path[0]), path[1:])


def _ancestors(resource_id: str) -> frozenset[str]:
    """The containers of an Azure resource, which are deleted with it: its scope and resource group."""
    parts = resource_id.split("/")
    return frozenset("/".join(parts[:length]) for length in range(3, len(parts), 2) if parts[0] == "")


def loose(text: str) -> str:
    return re.sub(r"[^\w]+", "", text.lower())
