"""Texts that are compared loosely and written exactly: `all` equals `All`, and Microsoft gets `All` back. A
readable secret is also such a text: it is compared by its mark, and only request bodies to Microsoft use the
original (`revealed`). Documents contain the compared form, so that comparison, sorting and lookups need not
know about spelling. If Microsoft's spelling differs, the text keeps it. Request bodies and everything shown
to people use the original. Pure.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Self

from snapshots.catalog.places import pointer

_SPELLINGS, _SECRETS = "spellings", "secrets"


class SpelledText(str):
    """The compared form of a text, with its original spelling."""

    __slots__ = ("original",)
    original: str

    def __new__(cls, compared: str, original: str) -> Self:
        made = super().__new__(cls, compared)
        made.original = original
        return made

    def __reduce__(self) -> tuple[type["SpelledText"], tuple[str, str]]:
        return type(self), (str(self), self.original)


class Secret(SpelledText):
    """A secret. Its text is the mark that is stored, compared and shown instead."""

    __slots__ = ()


def with_original_spelling(compared: str, source: str) -> str:
    """The compared form of a text that may already keep an original spelling."""
    if isinstance(source, Secret):
        return source
    original = source.original if isinstance(source, SpelledText) else source
    return str(compared) if compared == original else SpelledText(compared, original)


def original(value: Any) -> Any:
    """The JSON value in Microsoft's spelling, with marks instead of secrets."""
    if isinstance(value, SpelledText):
        return str(value) if isinstance(value, Secret) else value.original
    if isinstance(value, Mapping):
        return {key: original(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(original(inner) for inner in value)
    return value


def secrets_in(value: Any) -> dict[str, str]:
    """Mark → secret."""
    return {str(text): text.original for _, text in spellings(value) if isinstance(text, Secret)}


def revealed(value: Any, secrets: Mapping[str, str]) -> Any:
    """The JSON value with secrets instead of their marks. Only for requests to Microsoft."""
    if isinstance(value, str):
        return secrets.get(value, value)
    if isinstance(value, Mapping):
        return {key: revealed(inner, secrets) for key, inner in value.items()}
    if isinstance(value, list):
        return [revealed(inner, secrets) for inner in value]
    return value


def spellings(value: Any, where: str = "") -> Iterator[tuple[str, SpelledText]]:
    """JSON Pointer and text of every value whose compared form differs from its spelling."""
    if isinstance(value, SpelledText):
        yield where, value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from spellings(inner, pointer(where, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from spellings(inner, pointer(where, index))


def to_json(value: Any) -> dict[str, dict[str, str]]:
    """The data that `with_spellings` needs in addition to the JSON value; empty if there is none."""
    found: dict[str, dict[str, str]] = {}
    for where, text in spellings(value):
        found.setdefault(_SECRETS if isinstance(text, Secret) else _SPELLINGS, {})[where] = text.original
    return found


def with_spellings(value: Any, stored: Mapping[str, Mapping[str, str]]) -> Any:
    """The value with the original texts that `to_json` found in it."""
    originals = {where: (SpelledText, text) for where, text in stored.get(_SPELLINGS, {}).items()}
    originals |= {where: (Secret, text) for where, text in stored.get(_SECRETS, {}).items()}
    return _restored(value, originals, "")


def _restored(value: Any, originals: Mapping[str, tuple[type[SpelledText], str]], where: str) -> Any:
    if isinstance(value, str):
        kind, text = originals.get(where, (None, ""))
        return value if kind is None else kind(value, text)
    if isinstance(value, Mapping):
        return {key: _restored(inner, originals, pointer(where, key)) for key, inner in value.items()}
    if isinstance(value, list):
        return [_restored(inner, originals, pointer(where, index)) for index, inner in enumerate(value)]
    return value
