"""Texts that are compared loosely and written exactly: `all` is the same as `All`, and Microsoft gets `All` back.

A document holds the compared form, so that whoever compares, sorts or looks something up need not know about spelling.
Where Microsoft spells the value otherwise, the text remembers how. A body that is sent, and whatever people see, take
the original. Pure.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Self

from snapshots.catalog.places import pointer


class Spelled(str):
    """The compared form of a text, with its original spelling."""

    __slots__ = ("original",)
    original: str

    def __new__(cls, compared: str, original: str) -> Self:
        made = super().__new__(cls, compared)
        made.original = original
        return made

    def __reduce__(self) -> tuple[type["Spelled"], tuple[str, str]]:
        return Spelled, (str(self), self.original)


def spelled(compared: str, source: str) -> str:
    """The compared form of a text that may itself remember how it was spelled."""
    original = source.original if isinstance(source, Spelled) else source
    return str(compared) if compared == original else Spelled(compared, original)


def original(value: Any) -> Any:
    """The JSON value as Microsoft spells it."""
    if isinstance(value, Spelled):
        return value.original
    if isinstance(value, Mapping):
        return {key: original(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(original(inner) for inner in value)
    return value


def spellings(value: Any, where: str = "") -> Iterator[tuple[str, str]]:
    """JSON Pointer and original spelling of every text that is not compared as it is spelled."""
    if isinstance(value, Spelled):
        yield where, value.original
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from spellings(inner, pointer(where, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from spellings(inner, pointer(where, index))


def with_spellings(value: Any, originals: Mapping[str, str], where: str = "") -> Any:
    """The value with the original spellings that `spellings` found in it."""
    if isinstance(value, str):
        return Spelled(value, originals[where]) if where in originals else value
    if isinstance(value, Mapping):
        return {key: with_spellings(inner, originals, pointer(where, key)) for key, inner in value.items()}
    if isinstance(value, list):
        return [with_spellings(inner, originals, pointer(where, index)) for index, inner in enumerate(value)]
    return value
