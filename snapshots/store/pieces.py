"""Splits long lists of a document into pieces, so that adding one member stores one piece instead of the
whole list. The boundaries depend on the content, not on positions: if an element is added or removed, earlier
boundaries stay the same, and later ones soon match again. Joined in order, the pieces are the list. Pure;
used by the store.
"""

import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from snapshots.canonical.form import canonical_bytes
from snapshots.catalog.spec import Document

LONG = 256
"""Lists of up to this many elements are not split."""
LEAST, LARGEST = 64, 256
"""Minimum elements of a piece, except for the last one."""
ONE_IN = 64
"""On average, one in this many elements can end a piece."""


@dataclass(frozen=True)
class Outline:
    """A document without its long lists, and the digests of the pieces of each list."""

    document: Document
    lists: Mapping[str, Sequence[str]]

    @property
    def digests(self) -> Iterator[str]:
        for digests in self.lists.values():
            yield from digests

    def to_bytes(self) -> bytes:
        return orjson.dumps({"document": self.document, "lists": dict(self.lists)})

    @classmethod
    def from_bytes(cls, content: bytes) -> "Outline":
        return cls(**orjson.loads(content))

    def filled(self, contents: Mapping[str, bytes]) -> Document:
        """The whole document, from each piece's content. Raises KeyError with the digest of a missing piece."""
        return self.document | {
            name: [element for digest in digests for element in orjson.loads(contents[digest])]
            for name, digests in self.lists.items()
        }


def long_lists(document: Document) -> dict[str, list[Any]]:
    return {name: value for name, value in document.items() if isinstance(value, list) and len(value) > LONG}


def outline(document: Document, lists: Mapping[str, Sequence[str]]) -> Outline:
    """Replaces long lists with empty ones."""
    return Outline(document | {name: [] for name in lists}, lists)


def cut(elements: Sequence[Any]) -> Iterator[bytes]:
    """The contents of the pieces of a list."""
    piece: list[Any] = []
    for element in elements:
        piece.append(element)
        if len(piece) == LARGEST or (len(piece) >= LEAST and _ends_a_piece(element)):
            yield canonical_bytes(piece)
            piece = []
    if piece:
        yield canonical_bytes(piece)


def _ends_a_piece(element: Any) -> bool:
    return zlib.crc32(canonical_bytes(element)) % ONE_IN == 0
