"""The ledger: one chained line for each act, written with the act or not at all."""

import threading

import pytest
from django.db import connection, transaction
from django.db.migrations.executor import MigrationExecutor
from hypothesis import given
from hypothesis import strategies as st

from tenants.access.actors import Actor
from tenants.models import LedgerEntry, Tenant
from tenants.trust import append_only, ledger, os_accounts
from tenants.trust.append_only import retention_gate
from tenants.trust.ledger import Fault
from tests.factories.tenants import TenantFactory, UserFactory
from tests.strategies import at_most

SYSTEM = Actor.system("test")
WORDS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=4)
DETAILS = st.dictionaries(
    WORDS,
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**53), 2**53) | WORDS,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
        max_leaves=6,
    ),
    max_size=4,
)


def tamper(statement: str, *parameters: str | int | bytes | None) -> None:
    """What somebody with a shell on the database could do: he opens the retention gate for himself."""
    with retention_gate("a test"), connection.cursor() as cursor:
        cursor.execute(statement, parameters)


@pytest.fixture
def entries(db: None) -> list[LedgerEntry]:
    return [ledger.record(SYSTEM, "test:act", f"target {number}", count=number) for number in range(1, 5)]


def test_entries_count_from_one_and_each_continues_the_one_before(entries: list[LedgerEntry]) -> None:
    assert [entry.sequence for entry in entries] == [1, 2, 3, 4]
    assert entries[0].previous == ledger.GENESIS
    assert [entry.previous for entry in entries[1:]] == [entry.digest for entry in entries[:-1]]
    assert ledger.head() == (4, entries[-1].digest)
    assert ledger.verify() == []


def test_an_empty_ledger_verifies(db: None) -> None:
    assert ledger.head() == (0, ledger.GENESIS)
    assert ledger.verify() == []


def test_an_entry_says_who_did_what_where_and_by_which_way(db: None) -> None:
    user, tenant = UserFactory(), TenantFactory()
    entry = ledger.record(Actor.person(user, "page"), "tenant:rename", tenant.name, tenant=tenant, to="New")
    assert (entry.actor, entry.actor_id, entry.via) == (user.username, user.pk, "page")
    assert (entry.tenant_id, entry.customer_id) == (tenant.pk, tenant.customer_id)
    assert LedgerEntry.objects.get(pk=entry.pk).detail == {"to": "New"}


def test_a_long_target_is_shortened_and_still_verifies(db: None) -> None:
    assert len(ledger.record(SYSTEM, "test:act", "x" * 300).target) == 200
    assert ledger.verify() == []


def test_recording_outside_a_transaction_is_refused(committed_db: None) -> None:
    with pytest.raises(RuntimeError, match="inside the transaction"):
        ledger.record(SYSTEM, "test:act", "target")
    assert not LedgerEntry.objects.exists()


def test_an_entry_is_rolled_back_with_its_act(committed_db: None) -> None:
    with pytest.raises(ZeroDivisionError), transaction.atomic():  # noqa: PT012 - the error must leave the transaction
        ledger.record(SYSTEM, "test:act", "target")
        raise ZeroDivisionError
    with transaction.atomic():
        assert ledger.record(SYSTEM, "test:act", "target").sequence == 1
    assert ledger.verify() == []


@pytest.mark.parametrize(
    "name", ["secret", "client_secret", "PASSWORD", "api_token", "private_key", "assertion"]
)
def test_details_that_look_like_a_secret_are_refused(db: None, name: str) -> None:
    with pytest.raises(ValueError, match=name):
        ledger.record(SYSTEM, "test:act", "target", **{name: "value"})  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=name):
        ledger.record(SYSTEM, "test:act", "target", given=[{name: "value"}])
    assert not LedgerEntry.objects.exists()


@at_most(40)
@given(details=DETAILS)
def test_whatever_is_recorded_verifies_after_it_was_read_back(db: None, details: dict[str, object]) -> None:
    ledger.record(SYSTEM, "test:act", "target", given=details)
    assert ledger.verify() == []


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("actor", "somebody else"),
        ("actor_id", 99),
        ("via", "page"),
        ("os_account", "root"),
        ("os_account", ""),
        ("action", "test:other"),
        ("target", "another target"),
        ("tenant_id", 99),
        ("customer_id", 99),
        ("detail", '{"count": 3}'),
        ("at", "2020-01-01 00:00:00+00:00"),
    ],
)
def test_each_altered_column_is_found(entries: list[LedgerEntry], column: str, value: str | int) -> None:
    tamper(f"UPDATE tenants_ledgerentry SET {column} = %s WHERE sequence = 2", value)
    assert ledger.verify() == [Fault(2, "was altered after it was written")]


@pytest.mark.parametrize("value", ["somebody else", None])
def test_an_altered_operating_system_account_is_found(db: None, value: str | None) -> None:
    with os_accounts.on_the_command_line():
        ledger.record(SYSTEM, "test:act", "target")
    tamper("UPDATE tenants_ledgerentry SET os_account = %s", value)
    assert ledger.verify() == [Fault(1, "was altered after it was written")]


def test_entries_of_before_there_were_operating_system_accounts_verify(committed_db: None) -> None:
    with transaction.atomic():
        ledger.record(SYSTEM, "test:act", "target")
    try:
        MigrationExecutor(connection).migrate([("tenants", "0006_run_owner")])
    finally:
        ahead = MigrationExecutor(connection)
        ahead.migrate(ahead.loader.graph.leaf_nodes())
    assert LedgerEntry.objects.get().os_account is None
    assert ledger.verify() == []
    assert append_only.faults() == []


def test_an_altered_digest_is_found_in_its_entry_and_in_the_next(entries: list[LedgerEntry]) -> None:
    tamper("UPDATE tenants_ledgerentry SET digest = %s WHERE sequence = 2", "f" * 64)
    assert ledger.verify() == [
        Fault(2, "was altered after it was written"),
        Fault(3, "does not continue the entry before it"),
    ]


def test_a_missing_entry_is_found(entries: list[LedgerEntry]) -> None:
    tamper("DELETE FROM tenants_ledgerentry WHERE sequence IN (2, 3)")
    assert ledger.verify() == [
        Fault(2, "entries 2 to 3 are missing"),
        Fault(4, "does not continue the entry before it"),
    ]


def test_a_missing_beginning_is_found(entries: list[LedgerEntry]) -> None:
    tamper("DELETE FROM tenants_ledgerentry WHERE sequence = 1")
    assert [fault.sequence for fault in ledger.verify()] == [1, 2]


def test_entries_in_another_order_are_found(entries: list[LedgerEntry]) -> None:
    tamper("UPDATE tenants_ledgerentry SET sequence = 99 WHERE sequence = 2")
    tamper("UPDATE tenants_ledgerentry SET sequence = 2 WHERE sequence = 3")
    tamper("UPDATE tenants_ledgerentry SET sequence = 3 WHERE sequence = 99")
    assert {fault.sequence for fault in ledger.verify()} == {2, 3, 4}


@pytest.fixture
def tenant(committed_db: None) -> Tenant:
    return TenantFactory()


def test_concurrent_writers_keep_one_chain(tenant: Tenant) -> None:
    barrier, errors = threading.Barrier(4), []

    def write(name: str) -> None:
        try:
            barrier.wait(timeout=10)
            for _ in range(5):
                with transaction.atomic():
                    ledger.record(Actor.system(name), "test:act", "target", tenant=tenant)
        except Exception as error:  # noqa: BLE001 - whatever a thread meets must fail the test
            errors.append(error)
        finally:
            connection.close()

    writers = [threading.Thread(target=write, args=(f"writer {number}",)) for number in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(timeout=60)
    assert errors == []
    assert list(LedgerEntry.objects.order_by("sequence").values_list("sequence", flat=True)) == list(
        range(1, 21)
    )
    assert ledger.verify() == []
