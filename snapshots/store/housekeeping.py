"""Removes leftovers of a crashed collection: contents that no version refers to."""

from collections.abc import Iterable

from django.db.models import Exists, OuterRef, QuerySet

from snapshots.models import Blob, Version
from snapshots.store import content_store
from tenants.access.actors import Actor
from tenants.chunks import chunked
from tenants.models import Tenant
from tenants.trust import ledger
from tenants.trust.append_only import retention_gate
from tenants.trust.crypto import SealBroken


def collect_garbage(tenant: Tenant) -> int:
    """Deletes unreferenced blobs. Only for the holder of the tenant's collection lease, the only writer of
    blobs. Pieces are written together with their outline, so only deleted outlines can leave pieces behind.
    """
    referenced = Exists(Version.objects.filter(tenant=tenant, digest=OuterRef("digest")))
    documents = Blob.objects.filter(tenant=tenant).exclude(kind=Blob.Kind.PIECE)
    orphans = documents.filter(~referenced)
    pieces = _pieces_left(tenant, orphans, documents.filter(referenced))
    with retention_gate("unreferenced contents of an interrupted collection"):
        deleted, _ = orphans.delete()
        deleted += _delete_pieces(tenant, pieces)
        if deleted:
            ledger.record(
                Actor.system("housekeeping"), "store:tidy", tenant.name, tenant=tenant, contents=deleted
            )
    return deleted


def _pieces_left(tenant: Tenant, orphans: QuerySet[Blob], remaining: QuerySet[Blob]) -> set[str]:
    """The pieces used only by orphans; none if an altered outline makes this unknown (`verify` reports it)."""
    try:
        pieces = content_store.pieces_of(tenant, orphans)
        return pieces - content_store.pieces_of(tenant, remaining) if pieces else pieces
    except SealBroken:
        return set()


def _delete_pieces(tenant: Tenant, digests: Iterable[str]) -> int:
    deleted = 0
    for chunk in chunked(sorted(digests)):
        deleted += Blob.objects.filter(tenant=tenant, digest__in=chunk).delete()[0]
    return deleted
