"""Properties that are streams, such as images: what a document holds of one. Pure.

A document holds the bytes as a data URL. The bytes themselves tell their type, so that nothing but other bytes is a
difference. Of what could not be kept it holds a text that says why.
"""

import base64
import hashlib
from collections.abc import Callable, Iterable

from snapshots.canonical.spelling import original
from snapshots.catalog.spec import Document, Loss, ResourceType, Stream

LARGEST = 512 * 1024
"""Bytes that are kept of one stream; Microsoft takes images of some hundred kilobytes at most."""
_NOT_KEPT = "not kept: "
_SIGNATURES = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
    (b"\x00\x00\x01\x00", "image/x-icon"),
)


def stored_value(stream: Stream, content: bytes) -> str:
    """What a document holds of these bytes."""
    if len(content) > LARGEST:
        return missing_value(f"too large: {in_words(content, stream.kind)}")
    return f"data:{_kind(stream, content)};base64,{base64.b64encode(content).decode()}"


def missing_value(why: str) -> str:
    return _NOT_KEPT + why


def content_of(value: str) -> tuple[bytes, str] | None:
    """Bytes and media type of what a document holds; None where they were not kept."""
    if value.startswith(_NOT_KEPT):
        return None
    kind, _, content = value.removeprefix("data:").partition(";base64,")
    return base64.b64decode(content), kind


def lost(names: Iterable[str]) -> tuple[Loss, ...]:
    """What a rollback cannot bring back: the streams that were not kept, where there are any."""
    return tuple(Loss(name, "what was there then could not be kept", items=_reasons(name)) for name in names)


def described(document: Document | None, spec: ResourceType) -> Document | None:
    """The document for people's eyes: each stream by type, size and digest. Equal only where the bytes are."""
    if document is None:
        return None
    names = [stream.name for stream in spec.streams if stream.name in document]
    return document | {name: _words(document[name]) for name in names}


def shown(document: Document | None, spec: ResourceType) -> Document | None:
    """The document as pages, the API and exports show it: in Microsoft's spelling, with each stream described."""
    return None if document is None else original(described(document, spec))


def in_words(content: bytes, kind: str) -> str:
    """`image/png, 12 KB, sha256 …`."""
    return f"{kind}, {-(-len(content) // 1024)} KB, sha256 {hashlib.sha256(content).hexdigest()}"


def _reasons(name: str) -> Callable[[Document], list[str]]:
    def reasons(document: Document) -> list[str]:
        value = document.get(name)
        return [value] if value is not None and content_of(value) is None else []

    return reasons


def _words(value: str) -> str:
    found = content_of(value)
    return value if found is None else in_words(*found)


def _kind(stream: Stream, content: bytes) -> str:
    if not stream.kind.startswith("image/"):
        return stream.kind
    return next((kind for signature, kind in _SIGNATURES if content.startswith(signature)), stream.kind)
