"""Where a document names another resource."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from snapshots.catalog.spec.values import AZURE_ID, GUID


@dataclass(frozen=True)
class Reference:
    """A place in the document that names another resource, by `by` (its id unless said otherwise)."""

    path: str
    to: str
    by: str = "id"
    words: frozenset[str] = frozenset()
    """Special values that are not ids: All, None, GuestsOrExternalUsers, AllTrusted…"""
    prefix: str = ""
    """Literal text before the id, as in `/administrativeUnits/{id}`."""
    suffix: str = ""
    """Literal text after the id, as in `/groups/{id}/members`."""
    continues: bool = False
    """A path may follow the id: `api://{id}/anything`."""
    within: re.Pattern[str] | None = None
    """The place is a text (a rule, an address): every GUID in the stretches that match is an id."""
    guids: bool = False
    """The place holds other texts as well: only what is a GUID is an id."""
    if_gone: Literal["left out", "told", "kept"] = "left out"
    """What a plan does with the ID of something that does not exist: Microsoft refuses it, so it is left out with a
    warning; or accepts it without effect, so a warning says so; or it may belong to another tenant, so it is kept."""

    def named(self, value: object) -> tuple[str, ...]:
        """The identifiers in a value at this place; none where it is a word or something else."""
        if not isinstance(value, str) or value in self.words:
            return ()
        if self.within is not None:
            stretches = (found[0] for found in self.within.finditer(value))
            return tuple(dict.fromkeys(each[0].lower() for text in stretches for each in GUID.finditer(text)))
        found = self._only(value)
        return () if found is None else (found,)

    def renamed(self, value: str, present: Callable[[str], str]) -> str:
        """The value with other identifiers in the place of those that it names; `present` tells them."""
        if self.within is not None:
            return self.within.sub(lambda stretch: GUID.sub(_other(present), stretch[0]), value)
        named = self._only(value)
        if named is None:
            return value
        rest = value[len(self.prefix) + len(named) :]
        return f"{self.prefix}{present(named)}{rest}"

    def _only(self, value: str) -> str | None:
        if value in self.words or not (value.startswith(self.prefix) and value.endswith(self.suffix)):
            return None
        named = value.removeprefix(self.prefix).removesuffix(self.suffix)
        named = named.partition("/")[0] if self.continues else named
        is_path = "/" in named and not AZURE_ID.match(named)
        return None if not named or is_path or (self.guids and not GUID.fullmatch(named)) else named


def _other(present: Callable[[str], str]) -> Callable[[re.Match[str]], str]:
    """What stands in the place of a GUID, which keeps its letter case where it stays the same."""

    def replacement(found: re.Match[str]) -> str:
        name = found[0].lower()
        other = present(name)
        return found[0] if other == name else other

    return replacement
