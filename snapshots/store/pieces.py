"""Long lists of a document cut into pieces, so that one more member stores one piece and not the whole list again.

Where a list is cut depends on the elements around, not on their numbers: where one joined or left, the cuts before
stay, and those behind are soon the same again. Put together, the pieces are the list, in its order. Pure; the store
keeps what this cuts.
"""

import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from snapshots.canonical.form import canonical_bytes
from snapshots.catalog.spec import Document

LONG = 256
"""Lists of at most so many elements stay whole."""
LEAST, LARGEST = 64, 256
"""Elements of a piece; the last of a list may have fewer."""
ONE_IN = 64
"""A piece may end after one element in so many."""


@dataclass(frozen=True)
class Outline:
    """A document without its long lists, and of each of these the digests of its pieces."""

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
        """The whole document, given each piece's content. Raises KeyError with the digest of one that is not there."""
        return self.document | {
            name: [element for digest in digests for element in orjson.loads(contents[digest])]
            for name, digests in self.lists.items()
        }


def long_lists(document: Document) -> dict[str, list[Any]]:
    return {name: value for name, value in document.items() if isinstance(value, list) and len(value) > LONG}


def outline(document: Document, lists: Mapping[str, Sequence[str]]) -> Outline:
    """The places of the long lists are kept, empty."""
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
