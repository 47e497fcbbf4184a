"""The content-addressed store: returns digests for canonical documents and documents for digests. Only this
module reads or writes blobs.

A digest is keyed with the tenant's own key and covers the type and the spec's version, so equal contents in
two tenants are not linkable. A blob is compressed, then encrypted; its kind and location are authenticated.
Storing a document whole or split changes neither its digest nor its content. Spelling differences without
meaning are stored next to the content and are not part of the digest: of two spellings of the same content,
the first one is kept.
"""

import hashlib
import hmac
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import orjson
import zstandard
from django.db.models import Q, QuerySet

from snapshots.canonical import spelling
from snapshots.canonical.form import canonical_bytes
from snapshots.catalog.spec import Document, ResourceType
from snapshots.models import Blob, Snapshot, Version
from snapshots.store import pieces
from snapshots.store.pieces import Outline
from tenants.chunks import CHUNK, chunked
from tenants.errors import StorageError
from tenants.models import Tenant
from tenants.trust import vault
from tenants.trust.crypto import SealBroken

COMPRESSION_LEVEL = 3
MAXIMUM_DOCUMENT_BYTES = 256 * 1024 * 1024
PIECE = ("piece", 0)
"""Replaces type and version in the digest of a piece, so that it differs from every document's digest."""


class Missing(StorageError):
    """A referenced digest is not in the store."""


@dataclass(frozen=True)
class Fault:
    """A fault in stored history."""

    where: str
    what: str


def digest_of(tenant: Tenant, spec: ResourceType, document: Document) -> str:
    return _digest(tenant, spec.key, spec.comparison.version, canonical_bytes(document))


def put(tenant: Tenant, pairs: Iterable[tuple[ResourceType, Document]]) -> list[str]:
    """Stores documents that are not stored yet. Returns their digests in order."""
    digests: list[str] = []
    documents: dict[str, Document] = {}
    for spec, document in pairs:
        digest = digest_of(tenant, spec, document)
        digests.append(digest)
        documents.setdefault(digest, document)
    for chunk in chunked(_unknown(tenant, documents)):
        blobs = (blob for digest in chunk for blob in _made_blobs(tenant, digest, documents[digest]))
        Blob.objects.bulk_create(blobs, ignore_conflicts=True)
    return digests


def document(tenant: Tenant, digest: str) -> Document:
    """Raises Missing if the content does not exist, SealBroken if its bytes were altered."""
    return documents(tenant, [digest])[digest]


def documents(tenant: Tenant, digests: Iterable[str]) -> dict[str, Document]:
    """The documents with these digests. Raises Missing or SealBroken."""
    wanted = {digest for digest in digests if digest}
    found: dict[str, Document] = {}
    outlines: dict[str, Outline] = {}
    originals: dict[str, dict[str, dict[str, str]]] = {}
    for blob in _blobs(tenant, wanted):
        if blob.kind == Blob.Kind.PIECE:
            continue
        content, texts = _parts(tenant, blob)
        if blob.kind == Blob.Kind.SPLIT:
            outlines[blob.digest] = Outline.from_bytes(content)
        else:
            found[blob.digest] = orjson.loads(content)
        if texts:
            originals[blob.digest] = orjson.loads(texts)
    contents = _piece_contents(
        tenant, (digest for outline in outlines.values() for digest in outline.digests)
    )
    found |= {digest: _filled(tenant, outline, contents) for digest, outline in outlines.items()}
    found |= {digest: spelling.with_spellings(found[digest], each) for digest, each in originals.items()}
    for digest in sorted(wanted - found.keys()):
        raise _missing(tenant, digest)
    return found


def pieces_of(tenant: Tenant, blobs: QuerySet[Blob]) -> set[str]:
    """The digests of the pieces of all split documents among these blobs. Raises SealBroken."""
    return {
        digest
        for blob in blobs.filter(kind=Blob.Kind.SPLIT).iterator(chunk_size=CHUNK)
        for digest in Outline.from_bytes(_parts(tenant, blob)[0]).digests
    }


def state_at(snapshot: Snapshot) -> QuerySet[Version]:
    """The versions that were valid in this snapshot: one indexed query."""
    return Version.objects.filter(tenant_id=snapshot.tenant_id, first_snapshot_id__lte=snapshot.pk).filter(
        Q(last_snapshot_id__isnull=True) | Q(last_snapshot_id__gte=snapshot.pk)
    )


def history(tenant: Tenant, resource_type: str, resource_id: str) -> QuerySet[Version]:
    """Every version of one resource, newest first: one indexed query."""
    return (
        Version.objects.filter(tenant=tenant, resource_type=resource_type, resource_id=resource_id)
        .select_related("first_snapshot", "last_snapshot")
        .order_by("-first_snapshot_id")
    )


def latest(tenant: Tenant) -> Snapshot | None:
    return Snapshot.objects.filter(tenant=tenant).order_by("-id").first()


def manifest_root(tenant: Tenant, entries: Iterable[tuple[str, str, str]], previous: str) -> str:
    """Root of the Merkle tree over (type, id, digest) in order, chained to the previous root, keyed per
    tenant.
    """
    key = vault.digest_key(tenant)
    level = [
        hmac.new(key, orjson.dumps(["leaf", *entry]), hashlib.sha256).digest() for entry in sorted(entries)
    ]
    while len(level) > 1:
        level = [
            hmac.new(key, b"node" + b"".join(level[i : i + 2]), hashlib.sha256).digest()
            for i in range(0, len(level), 2)
        ]
    top = level[0].hex() if level else ""
    return hmac.new(key, orjson.dumps(["root", previous, top]), hashlib.sha256).hexdigest()


def verify(tenant: Tenant) -> list[Fault]:
    """Recomputes every blob's digest and every snapshot's root from the stored bytes."""
    return [*_altered_blobs(tenant), *_broken_snapshots(tenant)]


def _altered_blobs(tenant: Tenant) -> Iterator[Fault]:
    rows = Version.objects.filter(tenant=tenant).values_list("digest", "resource_type", "spec_version")
    specs = {digest: (resource_type, spec_version) for digest, resource_type, spec_version in rows}
    seen = set()
    for blob in Blob.objects.filter(tenant=tenant).iterator(chunk_size=CHUNK):
        seen.add(blob.digest)
        spec = PIECE if blob.kind == Blob.Kind.PIECE else specs.get(blob.digest)
        where = f"{'piece' if spec is PIECE else 'content'} {blob.digest[:12]}…"
        try:
            content = _canonical_content(tenant, blob)
        except Missing:
            yield Fault(where, "a piece of it is missing")
        except (SealBroken, zstandard.ZstdError):
            yield Fault(where, "its bytes were altered")
        else:
            if spec and not hmac.compare_digest(_digest(tenant, *spec, content), blob.digest):
                yield Fault(where, "does not match its digest")
    for digest in sorted(set(specs) - seen):
        yield Fault(f"content {digest[:12]}…", "is missing")


def _broken_snapshots(tenant: Tenant) -> Iterator[Fault]:
    """Replays the versions' intervals in order, so that the cost of each snapshot depends on what changed."""
    starts: dict[int, list[Version]] = {}
    ends: dict[int, list[Version]] = {}
    for version in Version.objects.filter(tenant=tenant):
        starts.setdefault(version.first_snapshot_id, []).append(version)
        if version.last_snapshot_id is not None:
            ends.setdefault(version.last_snapshot_id, []).append(version)
    valid: dict[tuple[str, str], str] = {}
    previous, number = "", 0
    for snapshot in Snapshot.objects.filter(tenant=tenant).order_by("id"):
        for version in starts.get(snapshot.pk, ()):
            valid[(version.resource_type, version.resource_id)] = version.digest
        where = f"snapshot {snapshot.number}"
        if snapshot.number != number + 1:
            yield Fault(where, f"follows snapshot {number}: a snapshot is missing")
        if snapshot.previous_root != previous:
            yield Fault(where, "does not continue the previous snapshot")
        entries = [(kind, key, digest) for (kind, key), digest in valid.items()]
        if manifest_root(tenant, entries, snapshot.previous_root) != snapshot.root:
            yield Fault(where, "its resources differ from those it was sealed with")
        for version in ends.get(snapshot.pk, ()):
            valid.pop((version.resource_type, version.resource_id), None)
        previous, number = snapshot.root, snapshot.number


def _made_blobs(tenant: Tenant, digest: str, document: Document) -> Iterator[Blob]:
    """What is stored for a document: the document, or its outline and its new pieces."""
    contents: dict[str, bytes] = {}
    lists: dict[str, list[str]] = {}
    for name, elements in pieces.long_lists(document).items():
        cut = [(_digest(tenant, *PIECE, content), content) for content in pieces.cut(elements)]
        lists[name] = [piece for piece, _ in cut]
        contents |= cut
    if not lists:
        yield _sealed(tenant, Blob.Kind.WHOLE, digest, canonical_bytes(document) + _spelling_of(document))
        return
    for piece in _unknown(tenant, contents):
        yield _sealed(tenant, Blob.Kind.PIECE, piece, contents[piece])
    content = pieces.outline(document, lists).to_bytes() + _spelling_of(document)
    yield _sealed(tenant, Blob.Kind.SPLIT, digest, content)


def _blobs(tenant: Tenant, digests: Iterable[str]) -> Iterator[Blob]:
    for chunk in chunked(sorted(set(digests))):
        yield from Blob.objects.filter(tenant=tenant, digest__in=chunk)


def _unknown(tenant: Tenant, digests: Iterable[str]) -> list[str]:
    """The digests that are not in the store, sorted."""
    wanted = sorted(set(digests))
    known: set[str] = set()
    for chunk in chunked(wanted):
        known.update(Blob.objects.filter(tenant=tenant, digest__in=chunk).values_list("digest", flat=True))
    return [digest for digest in wanted if digest not in known]


def _canonical_content(tenant: Tenant, blob: Blob) -> bytes:
    """The bytes that the blob's digest covers. Raises Missing, SealBroken or ZstdError."""
    if blob.kind == Blob.Kind.PIECE:
        return _content(tenant, blob)
    content, _ = _parts(tenant, blob)
    if blob.kind == Blob.Kind.WHOLE:
        return content
    outline = Outline.from_bytes(content)
    return canonical_bytes(_filled(tenant, outline, _piece_contents(tenant, outline.digests)))


def _piece_contents(tenant: Tenant, digests: Iterable[str]) -> dict[str, bytes]:
    return {blob.digest: _content(tenant, blob) for blob in _blobs(tenant, digests)}


def _filled(tenant: Tenant, outline: Outline, contents: Mapping[str, bytes]) -> Document:
    try:
        return outline.filled(contents)
    except KeyError as lost:
        raise _missing(tenant, lost.args[0]) from lost


def _missing(tenant: Tenant, digest: str) -> Missing:
    return Missing(f"The content {digest[:12]}… of {tenant.name} is not in the store. Run verify.")


def _spelling_of(document: Document) -> bytes:
    """The spelling of texts whose compared form differs: a second line, protected only by the encryption."""
    spellings = spelling.to_json(document)
    return b"\n" + canonical_bytes(spellings) if spellings else b""


def _parts(tenant: Tenant, blob: Blob) -> tuple[bytes, bytes]:
    """Splits content (covered by the digest) and spelling. JSON contains no raw line breaks."""
    content, _, texts = _content(tenant, blob).partition(b"\n")
    return content, texts


def _sealed(tenant: Tenant, kind: Blob.Kind, digest: str, content: bytes) -> Blob:
    compressed = zstandard.ZstdCompressor(level=COMPRESSION_LEVEL).compress(content)
    data = vault.seal(tenant, compressed, _context(kind, digest))
    return Blob(tenant=tenant, kind=kind, digest=digest, data=data)


def _content(tenant: Tenant, blob: Blob) -> bytes:
    compressed = vault.unseal(tenant, blob.data, _context(blob.kind, blob.digest))
    return zstandard.ZstdDecompressor().decompress(compressed, max_output_size=MAXIMUM_DOCUMENT_BYTES)


def _digest(tenant: Tenant, resource_type: str, spec_version: int, content: bytes) -> str:
    prefix = f"{resource_type}:{spec_version}:".encode()
    return hmac.new(vault.digest_key(tenant), prefix + content, hashlib.sha256).hexdigest()


def _context(kind: str, digest: str) -> str:
    return f"blob:{digest}" if kind == Blob.Kind.WHOLE else f"{kind}:{digest}"
