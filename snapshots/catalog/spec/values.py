"""What every module of the vocabulary needs: documents, services, identifiers, and quirks.

A quirk is a behaviour that few types have. It is a small class of its own, declared in the group that it concerns, so
that a group has fields only for what most types need.
"""

import re
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, TypeVar

Document = dict[str, Any]
Service = Literal["conditional_access", "directory", "audit", "intune", "arm"]

GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
AZURE_ID = re.compile(r"/(subscriptions|providers)/", re.IGNORECASE)
"""How the ID of a resource in Azure begins. The letter case of such IDs has no meaning."""


class Quirk:
    """Base of all quirks. Each group has a family of its own."""


Family = TypeVar("Family", bound=Quirk)
Kind = TypeVar("Kind", bound=Quirk)


@dataclass(frozen=True)
class WithQuirks(Generic[Family]):
    """Base of the groups."""

    quirks: tuple[Family, ...] = field(default=(), kw_only=True)

    def quirk(self, kind: type[Kind]) -> Kind | None:
        """The quirk of this kind, if it is declared."""
        return next(iter(self.quirks_of(kind)), None)

    def quirks_of(self, kind: type[Kind]) -> tuple[Kind, ...]:
        return tuple(each for each in self.quirks if isinstance(each, kind))


def display_name(raw: Document) -> str:
    return str(raw.get("displayName") or raw.get("id") or "")
