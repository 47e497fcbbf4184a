"""Long lists are kept in pieces: one join stores one piece, and nobody outside the store can tell."""

import hashlib
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from snapshots.canonical.form import canonical_bytes, canonicalise
from snapshots.catalog import registry
from snapshots.catalog.spec import Document
from snapshots.models import Blob
from snapshots.store import content_store, housekeeping, pieces
from snapshots.store.content_store import Missing
from tenants.models import Tenant
from tenants.trust.append_only import retention_gate
from tenants.trust.crypto import SealBroken
from tests.factories.snapshots import take
from tests.factories.tenants import TenantFactory
from tests.strategies import at_most

GROUP = registry.get("group")
GROUP_ID = "00000000-0000-4000-8000-000000000000"
KIND = Blob.Kind


@pytest.fixture
def tenant(db: None) -> Tenant:
    tenant: Tenant = TenantFactory()
    return tenant


def member(number: int) -> dict[str, Any]:
    digest = hashlib.sha256(str(number).encode()).digest()
    return {"@odata.type": "#microsoft.graph.user", "id": str(UUID(bytes=digest[:16], version=4))}


def raw_group(count: int, *others: int) -> dict[str, Any]:
    members = [member(number) for number in (*range(count), *others)]
    return {"displayName": "Everybody", "securityEnabled": True, "members": members}


def group(count: int, *others: int) -> Document:
    return canonicalise(raw_group(count, *others), GROUP)


def stored(tenant: Tenant) -> set[tuple[str, str, int]]:
    return {(blob.kind, blob.digest, len(blob.data)) for blob in Blob.objects.filter(tenant=tenant)}


def size(blobs: set[tuple[str, str, int]]) -> int:
    return sum(length for _, _, length in blobs)


def tamper(statement: str, *parameters: str | int | bytes) -> None:
    with retention_gate("a test"), connection.cursor() as cursor:
        cursor.execute(statement, parameters)


@pytest.mark.parametrize("count", [pieces.LONG, pieces.LONG + 1, 3000])
def test_a_group_is_got_back_byte_by_byte_however_it_is_kept(tenant: Tenant, count: int) -> None:
    document = group(count)
    (digest,) = content_store.put(tenant, [(GROUP, document)])
    found = content_store.document(tenant, digest)
    assert canonical_bytes(found) == canonical_bytes(document)
    assert list(found) == list(document)
    assert digest == content_store.digest_of(tenant, GROUP, document)
    assert Blob.objects.get(digest=digest).kind == (KIND.SPLIT if count > pieces.LONG else KIND.WHOLE)


ELEMENTS = st.one_of(
    st.integers(min_value=-(2**53), max_value=2**53),
    st.text(max_size=4),
    st.fixed_dictionaries({"id": st.text(max_size=3), "size": st.floats(allow_nan=False)}),
)


@at_most(60)
@given(
    lists=st.dictionaries(st.sampled_from(["members", "owners", "x"]), st.lists(ELEMENTS, max_size=30)),
    name=st.text(max_size=5),
)
def test_any_document_is_got_back(db: None, tiny: None, lists: dict[str, list[Any]], name: str) -> None:
    tenant = Tenant.objects.first() or TenantFactory()
    document = {**lists, "displayName": name}
    (digest,) = content_store.put(tenant, [(GROUP, document)])
    assert canonical_bytes(content_store.document(tenant, digest)) == canonical_bytes(document)


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Lists of three elements are long already; pieces have one to four elements."""
    with monkeypatch.context() as patched:
        patched.setattr(pieces, "LONG", 2)
        patched.setattr(pieces, "LEAST", 1)
        patched.setattr(pieces, "ONE_IN", 2)
        patched.setattr(pieces, "LARGEST", 4)
        yield


def test_one_join_in_ten_thousand_stores_little(tenant: Tenant) -> None:
    content_store.put(tenant, [(GROUP, group(10_000))])
    first = stored(tenant)
    for newcomer in range(10_000, 10_004):
        before = stored(tenant)
        content_store.put(tenant, [(GROUP, group(10_000, newcomer))])
        added = stored(tenant) - before
        assert len(added) <= 3
        assert size(added) < 0.05 * size(first)


def test_a_leave_keeps_the_other_pieces_and_a_return_stores_nothing(tenant: Tenant) -> None:
    content_store.put(tenant, [(GROUP, group(3000))])
    first = stored(tenant)
    content_store.put(tenant, [(GROUP, group(2999))])
    left = stored(tenant)
    assert len(left - first) == 2
    content_store.put(tenant, [(GROUP, group(3000))])
    assert stored(tenant) == left


def test_an_outline_of_a_very_large_group_is_small(tenant: Tenant) -> None:
    (digest,) = content_store.put(tenant, [(GROUP, group(30_000))])
    outline = Blob.objects.get(digest=digest)
    assert len(outline.data) < 12_000
    assert size(stored(tenant)) > 50 * len(outline.data)


def test_equal_neighbours_make_no_endless_piece() -> None:
    cut = list(pieces.cut([{"id": "never a place to cut"}] * (2 * pieces.LARGEST + 1)))
    assert [content.count(b"id") for content in cut] == [pieces.LARGEST, pieces.LARGEST, 1]


def test_a_long_document_that_was_kept_whole_before_is_still_read(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = group(600)
    with monkeypatch.context() as patched:
        patched.setattr(pieces, "LONG", 10_000)
        take(tenant, {"group": {GROUP_ID: raw_group(600)}})
    assert {kind for kind, _, _ in stored(tenant)} == {KIND.WHOLE}
    before = stored(tenant)
    (digest,) = content_store.put(tenant, [(GROUP, document)])
    assert stored(tenant) == before
    assert content_store.document(tenant, digest) == document
    assert content_store.verify(tenant) == []


def test_a_piece_is_no_document(tenant: Tenant) -> None:
    content_store.put(tenant, [(GROUP, group(600))])
    piece = Blob.objects.filter(kind=KIND.PIECE).first()
    assert piece is not None
    with pytest.raises(Missing):
        content_store.document(tenant, piece.digest)


# what a collection that died left behind


def test_pieces_that_only_an_unreferenced_outline_uses_are_removed(tenant: Tenant) -> None:
    take(tenant, {"group": {GROUP_ID: raw_group(600)}})
    retained = stored(tenant)
    content_store.put(tenant, [(GROUP, group(600, 601))])
    left_behind = len(stored(tenant) - retained)
    assert left_behind == 2
    assert housekeeping.collect_garbage(tenant) == left_behind
    assert stored(tenant) == retained
    assert content_store.verify(tenant) == []


def test_an_orphan_goes_with_all_its_pieces_and_other_tenants_keep_theirs(tenant: Tenant) -> None:
    other: Tenant = TenantFactory()
    take(other, {"group": {GROUP_ID: raw_group(600)}})
    content_store.put(tenant, [(GROUP, group(600))])
    assert housekeeping.collect_garbage(tenant) > 2
    assert stored(tenant) == set()
    assert content_store.verify(other) == []


def test_an_altered_outline_keeps_every_piece(tenant: Tenant) -> None:
    take(tenant, {"group": {GROUP_ID: raw_group(600)}})
    outline = Blob.objects.get(kind=KIND.SPLIT)
    pieces_before = Blob.objects.filter(kind=KIND.PIECE).count()
    content_store.put(tenant, [(GROUP, group(600, 601))])
    tamper("UPDATE snapshots_blob SET data = %s WHERE id = %s", b"altered" * 9, outline.pk)
    assert housekeeping.collect_garbage(tenant) == 1
    assert Blob.objects.filter(kind=KIND.PIECE).count() == pieces_before + 1


# verify


@pytest.fixture
def reported(tenant: Tenant) -> Tenant:
    """A tenant whose group was joined by one more member."""
    for others in ((), (601,)):
        take(tenant, {"group": {GROUP_ID: raw_group(600, *others)}})
    assert content_store.verify(tenant) == []
    return tenant


def shared_piece(tenant: Tenant) -> Blob:
    """A piece that both versions have."""
    outlines = [
        content_store.pieces_of(tenant, Blob.objects.filter(pk=outline.pk))
        for outline in Blob.objects.filter(kind=KIND.SPLIT)
    ]
    return Blob.objects.get(digest=min(outlines[0] & outlines[1]))


def expected(piece: Blob, of_it: str, of_contents: str) -> set[tuple[str, str]]:
    outlines = Blob.objects.filter(kind=KIND.SPLIT).values_list("digest", flat=True)
    own = {(f"piece {piece.digest[:12]}…", of_it)} if of_it else set()
    return own | {(f"content {digest[:12]}…", of_contents) for digest in outlines}


def faults(tenant: Tenant) -> set[tuple[str, str]]:
    return {(fault.where, fault.what) for fault in content_store.verify(tenant)}


@pytest.mark.parametrize("position", [0, 1, 5, 13, 20, -1])
def test_an_altered_byte_of_a_piece_is_found_with_all_contents_it_belongs_to(
    reported: Tenant, position: int
) -> None:
    piece = shared_piece(reported)
    data = bytearray(piece.data)
    data[position] ^= 1
    tamper("UPDATE snapshots_blob SET data = %s WHERE id = %s", bytes(data), piece.pk)
    what = "its bytes were altered"
    assert faults(reported) == expected(piece, what, what)
    with pytest.raises(SealBroken):
        content_store.document(reported, Blob.objects.filter(kind=KIND.SPLIT)[0].digest)


def test_a_missing_piece_is_found(reported: Tenant) -> None:
    piece = shared_piece(reported)
    tamper("DELETE FROM snapshots_blob WHERE id = %s", piece.pk)
    assert faults(reported) == expected(piece, "", "a piece of it is missing")
    with pytest.raises(Missing, match=piece.digest[:12]):
        content_store.document(reported, Blob.objects.filter(kind=KIND.SPLIT)[0].digest)


def test_two_exchanged_pieces_are_found(reported: Tenant) -> None:
    first, second = Blob.objects.filter(kind=KIND.PIECE).order_by("pk")[:2]
    tamper("UPDATE snapshots_blob SET data = %s WHERE id = %s", bytes(second.data), first.pk)
    assert (f"piece {first.digest[:12]}…", "its bytes were altered") in faults(reported)


@pytest.mark.parametrize("kind", [KIND.PIECE, KIND.SPLIT, KIND.WHOLE])
@pytest.mark.parametrize("other", [KIND.PIECE, KIND.SPLIT, KIND.WHOLE])
def test_a_blob_of_another_kind_does_not_open(reported: Tenant, kind: str, other: str) -> None:
    take(reported, {"group": {GROUP_ID: raw_group(600), GROUP_ID[:-1] + "1": raw_group(1)}})
    tamper("UPDATE snapshots_blob SET kind = %s WHERE kind = %s", other, kind)
    assert bool(faults(reported)) == (kind != other)
