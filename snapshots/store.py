"""The content-addressed store: canonical documents in, digests out, and back. Only this module reads or writes blobs.

A digest is keyed with the tenant's own key and covers the type and the spec's version, so equal contents in two
tenants are not linkable. A blob is compressed, then sealed; its place is bound into the seal.
"""

import hashlib
import hmac
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import orjson
import zstandard
from django.db.models import Q, QuerySet

from snapshots.canonical import canonical_bytes
from snapshots.catalog.spec import Document, ResourceType
from snapshots.models import Blob, Snapshot, Version
from tenants import vault
from tenants.crypto import SealBroken
from tenants.models import Tenant

CHUNK = 500
COMPRESSION_LEVEL = 3
MAXIMUM_DOCUMENT_BYTES = 256 * 1024 * 1024


class Missing(LookupError):
    """A digest that something refers to is not in the store."""


@dataclass(frozen=True)
class Fault:
    """Something in the stored history that is not as it was written."""

    where: str
    what: str


def digest_of(tenant: Tenant, spec: ResourceType, document: Document) -> str:
    return _digest(tenant, spec.key, spec.version, canonical_bytes(document))


def put(tenant: Tenant, pairs: Iterable[tuple[ResourceType, Document]]) -> list[str]:
    """Stores documents that are not there yet; returns their digests in order."""
    digests: list[str] = []
    contents: dict[str, bytes] = {}
    for spec, document in pairs:
        content = canonical_bytes(document)
        digest = _digest(tenant, spec.key, spec.version, content)
        digests.append(digest)
        contents[digest] = content
    for chunk in _chunks(sorted(contents)):
        known = set(Blob.objects.filter(tenant=tenant, digest__in=chunk).values_list("digest", flat=True))
        compressor = zstandard.ZstdCompressor(level=COMPRESSION_LEVEL)
        Blob.objects.bulk_create(
            [
                Blob(
                    tenant=tenant,
                    digest=digest,
                    data=vault.seal(tenant, compressor.compress(contents[digest]), _context(digest)),
                )
                for digest in chunk
                if digest not in known
            ],
            ignore_conflicts=True,
        )
    return digests


def document(tenant: Tenant, digest: str) -> Document:
    """Raises Missing where there is no such content, SealBroken where its bytes were altered."""
    return documents(tenant, [digest])[digest]


def documents(tenant: Tenant, digests: Iterable[str]) -> dict[str, Document]:
    """The documents with these digests. Raises Missing or SealBroken."""
    wanted = sorted({digest for digest in digests if digest})
    found: dict[str, Document] = {}
    for chunk in _chunks(wanted):
        for blob in Blob.objects.filter(tenant=tenant, digest__in=chunk):
            found[blob.digest] = orjson.loads(_content(tenant, blob))
    if len(found) != len(wanted):
        lost = next(digest for digest in wanted if digest not in found)
        raise Missing(f"The content {lost[:12]}… of {tenant.name} is not in the store. Run verify.")
    return found


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
    """Root of the Merkle tree over (type, id, digest) in order, chained to the previous root, keyed per tenant."""
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
    specs = dict(Version.objects.filter(tenant=tenant).values_list("digest", "resource_type"))
    spec_versions = dict(Version.objects.filter(tenant=tenant).values_list("digest", "spec_version"))
    seen = set()
    for blob in Blob.objects.filter(tenant=tenant).iterator(chunk_size=CHUNK):
        seen.add(blob.digest)
        try:
            content = _content(tenant, blob)
        except (SealBroken, zstandard.ZstdError):
            yield Fault(f"content {blob.digest[:12]}…", "its bytes were altered")
            continue
        if blob.digest in specs:
            expected = _digest(tenant, specs[blob.digest], spec_versions[blob.digest], content)
            if not hmac.compare_digest(expected, blob.digest):
                yield Fault(f"content {blob.digest[:12]}…", "does not match its digest")
    for digest in sorted(set(specs) - seen):
        yield Fault(f"content {digest[:12]}…", "is missing")


def _broken_snapshots(tenant: Tenant) -> Iterator[Fault]:
    """Replays the versions' intervals in order, so that each snapshot costs what changed in it."""
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
            yield Fault(where, f"follows snapshot {number}: one is missing")
        if snapshot.previous_root != previous:
            yield Fault(where, "does not continue the snapshot before it")
        entries = [(kind, key, digest) for (kind, key), digest in valid.items()]
        if manifest_root(tenant, entries, snapshot.previous_root) != snapshot.root:
            yield Fault(where, "its resources are not those it was sealed with")
        for version in ends.get(snapshot.pk, ()):
            valid.pop((version.resource_type, version.resource_id), None)
        previous, number = snapshot.root, snapshot.number


def _content(tenant: Tenant, blob: Blob) -> bytes:
    compressed = vault.unseal(tenant, blob.data, _context(blob.digest))
    return zstandard.ZstdDecompressor().decompress(compressed, max_output_size=MAXIMUM_DOCUMENT_BYTES)


def _digest(tenant: Tenant, resource_type: str, spec_version: int, content: bytes) -> str:
    prefix = f"{resource_type}:{spec_version}:".encode()
    return hmac.new(vault.digest_key(tenant), prefix + content, hashlib.sha256).hexdigest()


def _context(digest: str) -> str:
    return f"blob:{digest}"


def _chunks(items: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(items), CHUNK):
        yield items[start : start + CHUNK]
