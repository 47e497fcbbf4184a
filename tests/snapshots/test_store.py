"""The store: contents kept once per tenant, intervals equal to full copies, and any alteration found."""

from typing import Any

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import DjangoAssertNumQueries

from snapshots.canonical.form import canonicalise
from snapshots.catalog import registry
from snapshots.models import Blob, Snapshot, Version
from snapshots.store import content_store
from snapshots.store.content_store import Missing
from tenants.chunks import CHUNK
from tenants.models import Tenant
from tenants.trust.append_only import retention_gate
from tenants.trust.crypto import SealBroken
from tests.factories.snapshots import State, take
from tests.factories.tenants import TenantFactory
from tests.strategies import at_most

GROUP = registry.get("group")
LOCATION = registry.get("namedLocation")
IDS = [f"00000000-0000-4000-8000-00000000000{number}" for number in range(4)]


@pytest.fixture
def tenant(db: None) -> Tenant:
    tenant: Tenant = TenantFactory()
    return tenant


def group(name: str = "Team", **more: Any) -> dict[str, Any]:
    return {"displayName": name, "securityEnabled": True, **more}


def groups(*names: str) -> State:
    return {"group": {IDS[number]: group(name) for number, name in enumerate(names)}}


def tamper(statement: str, *parameters: str | int | bytes) -> None:
    with retention_gate("a test"), connection.cursor() as cursor:
        cursor.execute(statement, parameters)


def faults(tenant: Tenant) -> set[tuple[str, str]]:
    return {(fault.where.split()[0], fault.what) for fault in content_store.verify(tenant)}


def test_what_was_put_is_got_back(tenant: Tenant) -> None:
    documents = [
        canonicalise(group(f"Team {number}", description="é" * number), GROUP) for number in range(5)
    ]
    digests = content_store.put(tenant, ((GROUP, document) for document in documents))
    assert digests == [content_store.digest_of(tenant, GROUP, document) for document in documents]
    assert content_store.documents(tenant, digests) == dict(zip(digests, documents, strict=True))
    assert content_store.document(tenant, digests[0]) == documents[0]


def test_equal_contents_are_stored_once(tenant: Tenant) -> None:
    document = canonicalise(group(), GROUP)
    first = content_store.put(tenant, [(GROUP, document), (GROUP, document)])
    assert content_store.put(tenant, [(GROUP, dict(reversed(document.items())))]) == first[:1]
    assert len(set(first)) == Blob.objects.count() == 1


def test_a_content_larger_than_a_chunk_of_digests_is_stored_whole(tenant: Tenant) -> None:
    documents = [canonicalise(group(f"Team {number}"), GROUP) for number in range(CHUNK + 3)]
    digests = content_store.put(tenant, ((GROUP, document) for document in documents))
    assert len(content_store.documents(tenant, digests)) == CHUNK + 3


def test_a_digest_tells_tenants_types_and_spec_versions_apart(tenant: Tenant) -> None:
    document = canonicalise(group(), GROUP)
    other: Tenant = TenantFactory()
    assert content_store.digest_of(tenant, GROUP, document) != content_store.digest_of(other, GROUP, document)
    assert content_store.digest_of(tenant, GROUP, document) != content_store.digest_of(
        tenant, LOCATION, document
    )


def test_contents_of_one_tenant_are_missing_in_another(tenant: Tenant) -> None:
    (digest,) = content_store.put(tenant, [(GROUP, canonicalise(group(), GROUP))])
    with pytest.raises(Missing, match="not in the store"):
        content_store.document(TenantFactory(), digest)


def test_a_blob_moved_to_another_tenant_does_not_open(tenant: Tenant) -> None:
    other: Tenant = TenantFactory()
    (digest,) = content_store.put(tenant, [(GROUP, canonicalise(group(), GROUP))])
    tamper("UPDATE snapshots_blob SET tenant_id = %s", other.pk)
    with pytest.raises(SealBroken):
        content_store.document(other, digest)


def test_a_missing_digest_is_named_and_an_empty_one_is_nothing(tenant: Tenant) -> None:
    with pytest.raises(Missing, match="ffffffffffff… of Tenant"):
        content_store.documents(tenant, ["f" * 64])
    assert content_store.documents(tenant, [""]) == {}


def test_stored_bytes_show_nothing_of_the_content(tenant: Tenant) -> None:
    content_store.put(tenant, [(GROUP, canonicalise(group("Board of directors"), GROUP))])
    assert b"Board" not in bytes(Blob.objects.get().data)


def test_an_unchanged_snapshot_adds_no_row_but_its_own(tenant: Tenant) -> None:
    take(tenant, groups("A", "B"))
    versions, blobs = Version.objects.count(), Blob.objects.count()
    second = take(tenant, groups("A", "B")).snapshot
    assert (Version.objects.count(), Blob.objects.count()) == (versions, blobs) == (2, 2)
    assert second.resource_count == 2
    assert content_store.verify(tenant) == []


def test_the_state_and_the_history_are_one_query_each(
    tenant: Tenant, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    snapshot = take(tenant, groups("A", "B")).snapshot
    take(tenant, groups("A", "C"))
    with django_assert_num_queries(1):
        assert len(content_store.state_at(snapshot)) == 2
    with django_assert_num_queries(1):
        assert [version.display_name for version in content_store.history(tenant, "group", IDS[1])] == [
            "C",
            "B",
        ]


def test_tenants_have_separate_snapshots_and_histories(tenant: Tenant) -> None:
    other: Tenant = TenantFactory()
    take(tenant, groups("A"))
    foreign = take(other, groups("A")).snapshot
    assert foreign.number == 1
    assert foreign.previous_root == ""
    assert {version.tenant for version in content_store.state_at(foreign)} == {other}
    assert content_store.latest(tenant) != content_store.latest(other)


STATES = st.lists(
    st.dictionaries(
        st.sampled_from(["group", "namedLocation"]),
        st.dictionaries(st.sampled_from(IDS), st.sampled_from(["A", "B", "C"]), max_size=4),
        max_size=2,
    ),
    min_size=1,
    max_size=6,
)


@at_most(30)
@given(states=STATES)
def test_intervals_say_what_full_copies_would_say(db: None, states: list[dict[str, dict[str, str]]]) -> None:
    """A type that a state does not name was not read: the naive copy carries it over too."""
    tenant: Tenant = TenantFactory()
    copies: list[dict[tuple[str, str], str]] = []
    taken: list[Snapshot] = []
    for state in states:
        raw_objects = {
            key: {name: group(text) for name, text in objects.items()} for key, objects in state.items()
        }
        taken.append(take(tenant, raw_objects).snapshot)
        carried = {
            rules_at: text
            for rules_at, text in (copies[-1] if copies else {}).items()
            if rules_at[0] not in state
        }
        read = {(key, name): text for key, objects in state.items() for name, text in objects.items()}
        copies.append(carried | read)
    for snapshot, copy in zip(taken, copies, strict=True):
        assert {
            (version.resource_type, version.resource_id): version.display_name
            for version in content_store.state_at(snapshot)
        } == copy
        assert snapshot.resource_count == len(copy)
    for key in ("group", "namedLocation"):
        for name in IDS:
            _check_history(tenant, key, name, [copy.get((key, name)) for copy in copies], taken)
    assert content_store.verify(tenant) == []


def _check_history(
    tenant: Tenant, key: str, name: str, contents: list[str | None], taken: list[Snapshot]
) -> None:
    runs: list[tuple[str, int, int | None]] = []
    for snapshot, content in zip(taken, contents, strict=True):
        if content is None:
            continue
        follows = runs and runs[-1][0] == content and runs[-1][2] == snapshot.number - 1
        start = runs.pop()[1] if follows else snapshot.number
        runs.append((content, start, snapshot.number))
    if runs and runs[-1][2] == taken[-1].number:
        runs[-1] = (*runs[-1][:2], None)
    assert [
        (
            version.display_name,
            version.first_snapshot.number,
            version.last_snapshot and version.last_snapshot.number,
        )
        for version in reversed(content_store.history(tenant, key, name))
    ] == runs


@pytest.fixture
def reported(tenant: Tenant) -> Tenant:
    """A tenant with three snapshots, one of which changed something."""
    for names in (("A", "B", "C"), ("A", "D"), ("A", "D")):
        take(tenant, groups(*names))
    assert content_store.verify(tenant) == []
    return tenant


@pytest.mark.parametrize("position", [0, 1, 5, 13, 20, -1])
def test_an_altered_byte_of_a_content_is_found(reported: Tenant, position: int) -> None:
    blob = Blob.objects.order_by("pk").first()
    assert blob is not None
    data = bytearray(blob.data)
    data[position] ^= 1
    tamper("UPDATE snapshots_blob SET data = %s WHERE id = %s", bytes(data), blob.pk)
    assert faults(reported) == {("content", "its bytes were altered")}


def test_two_exchanged_contents_are_found(reported: Tenant) -> None:
    first, second = Blob.objects.order_by("pk")[:2]
    tamper("UPDATE snapshots_blob SET data = %s WHERE id = %s", bytes(second.data), first.pk)
    assert faults(reported) == {("content", "its bytes were altered")}


def test_a_missing_content_is_found(reported: Tenant) -> None:
    blob = Blob.objects.first()
    assert blob is not None
    tamper("DELETE FROM snapshots_blob WHERE id = %s", blob.pk)
    assert faults(reported) == {("content", "is missing")}


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE snapshots_version SET resource_id = 'moved' WHERE id = {version}",
        "UPDATE snapshots_version SET resource_type = 'namedLocation' WHERE id = {version}",
        "UPDATE snapshots_version SET digest = 'f' WHERE id = {version}",
        "UPDATE snapshots_version SET spec_version = 7 WHERE id = {version}",
        "UPDATE snapshots_version SET last_snapshot_id = {first} WHERE id = {version}",
        "UPDATE snapshots_version SET first_snapshot_id = {last} WHERE id = {version}",
        "DELETE FROM snapshots_version WHERE id = {version}",
        "UPDATE snapshots_snapshot SET root = 'f' WHERE id = {middle}",
        "UPDATE snapshots_snapshot SET previous_root = 'f' WHERE id = {middle}",
        "UPDATE snapshots_snapshot SET number = 9 WHERE id = {middle}",
    ],
)
def test_altered_history_is_found(reported: Tenant, statement: str) -> None:
    ids = list(Snapshot.objects.order_by("id").values_list("id", flat=True))
    version = Version.objects.get(tenant=reported, resource_id=IDS[0])
    tamper(statement.format(version=version.pk, first=ids[0], middle=ids[1], last=ids[2]))
    assert content_store.verify(reported) != []


def test_a_deleted_snapshot_is_found(reported: Tenant) -> None:
    _first, middle, last = Snapshot.objects.order_by("id")
    tamper(
        "UPDATE snapshots_version SET first_snapshot_id = %s WHERE first_snapshot_id = %s", last.pk, middle.pk
    )
    tamper("DELETE FROM snapshots_coverage WHERE snapshot_id = %s", middle.pk)
    tamper("DELETE FROM snapshots_snapshot WHERE id = %s", middle.pk)
    assert {
        ("snapshot", "follows snapshot 1: a snapshot is missing"),
        ("snapshot", "does not continue the previous snapshot"),
    } <= faults(reported)


def test_an_interrupted_collections_contents_are_no_fault(reported: Tenant) -> None:
    content_store.put(reported, [(GROUP, canonicalise(group("never sealed"), GROUP))])
    assert content_store.verify(reported) == []


@given(st.lists(st.tuples(st.sampled_from(["a", "b"]), st.text(max_size=3), st.text(max_size=3)), max_size=9))
@at_most(40)
def test_a_root_depends_on_every_entry_and_on_no_order(db: None, entries: list[tuple[str, str, str]]) -> None:
    tenant = Tenant.objects.first() or TenantFactory()
    root = content_store.manifest_root(tenant, entries, "")
    assert content_store.manifest_root(tenant, reversed(entries), "") == root
    assert content_store.manifest_root(tenant, entries, "0") != root
    assert content_store.manifest_root(tenant, [*entries, ("z", "z", "z")], "") != root
    for rules_at, entry in enumerate(entries):
        changed = [*entries[:rules_at], (*entry[:2], entry[2] + "x"), *entries[rules_at + 1 :]]
        assert content_store.manifest_root(tenant, changed, "") != root


def test_a_root_needs_the_tenants_key(db: None) -> None:
    entries: list[tuple[str, str, str]] = [("group", "1", "f")]
    assert content_store.manifest_root(TenantFactory(), entries, "") != content_store.manifest_root(
        TenantFactory(), entries, ""
    )
