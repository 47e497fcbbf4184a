"""Signing in and out, failures and lockouts are entries of the ledger: bounded, without what was typed, and read by
those who read all of the ledger.
"""

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest import mock

import pytest
from axes.models import AccessAttempt
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pytest_django import Settings

from lavawall import tasks
from tenants.access.matrix import Role
from tenants.accounts import sign_in_log
from tenants.models import FailedSignIns, LedgerEntry, User
from tenants.trust import ledger
from tests.factories.tenants import TenantFactory, person

PASSWORD = "correct horse battery staple"
TYPED = "my-Secret-Passw0rd!"
HOME = "192.0.2.10"
NOON = datetime(2026, 11, 30, 12, 0, tzinfo=UTC)


class Clock:
    """What the log takes for the time; limits and sessions keep the true one."""

    def __init__(self) -> None:
        self.now = NOON + timedelta(minutes=20)


@pytest.fixture(autouse=True)
def clock() -> Iterator[Clock]:
    cache.clear()
    clock = Clock()
    with mock.patch("tenants.accounts.sign_in_log.timezone") as timezone:
        timezone.now.side_effect = lambda: clock.now
        yield clock


@pytest.fixture
def erin(db: None) -> User:
    return person(Role.ENGINEER, username="erin")


def sign_in(name: str, password: str = PASSWORD, address: str = HOME, client: Client | None = None) -> int:
    data = {"username": name, "password": password}
    return (client or Client()).post(reverse("login"), data, REMOTE_ADDR=address).status_code


def entries(action: str = "session:") -> list[LedgerEntry]:
    return list(LedgerEntry.objects.filter(action__startswith=action).order_by("sequence"))


def the_sum() -> LedgerEntry:
    return LedgerEntry.objects.get(action="session:failures")


# Success


def test_signing_in_and_out_are_entries(erin: User) -> None:
    client = Client()
    assert sign_in("erin", client=client) == 302
    client.post(reverse("logout"), REMOTE_ADDR=HOME)
    sign_in("erin", client=client)

    first, out, repeated = entries()
    assert (first.action, first.actor, first.actor_id, first.via) == (
        "session:sign-in",
        "erin",
        erin.pk,
        "page",
    )
    assert first.detail == {"address": HOME, "known_device": False}
    assert (out.action, out.actor, out.detail) == ("session:sign-out", "erin", {"address": HOME})
    assert repeated.detail == {"address": HOME, "known_device": True}
    assert {entry.os_account for entry in entries()} == {None}
    assert ledger.verify() == []


def test_the_address_is_that_which_the_trusted_proxy_saw(erin: User, settings: Settings) -> None:
    settings.PROXIES = 1
    data = {"username": "erin", "password": PASSWORD}
    Client().post(reverse("login"), data, headers={"X-Forwarded-For": "10.0.0.1, 203.0.113.5"})
    assert entries()[0].detail["address"] == "203.0.113.5"


def test_the_administration_is_entered_by_the_same_door(db: None) -> None:
    person(Role.ADMINISTRATOR, username="alma", is_staff=True)
    client = Client()
    door = client.get(reverse("admin:index"), follow=True).redirect_chain[-1][0]
    client.post(door, {"username": "alma", "password": "wrong"})
    client.post(door, {"username": "alma", "password": PASSWORD})
    client.post(reverse("admin:logout"))
    assert [(entry.action, entry.target) for entry in entries()] == [
        ("session:failed", "alma"),
        ("session:sign-in", "alma"),
        ("session:sign-out", "alma"),
    ]


def test_whoever_was_not_signed_in_does_not_sign_out(db: None) -> None:
    Client().post(reverse("logout"))
    assert entries() == []


# Failures


def test_a_failure_names_the_account_and_the_address(erin: User) -> None:
    assert sign_in("erin", "wrong") == 200
    (entry,) = entries()
    assert (entry.action, entry.target, entry.actor, entry.actor_id) == (
        "session:failed",
        "erin",
        "system:sign-in",
        None,
    )
    assert entry.detail == {"address": HOME}


def test_what_was_typed_into_the_name_field_is_kept_nowhere(
    erin: User, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    for _ in range(12):
        sign_in(TYPED, "another Passw0rd")
    sign_in("erin", "another Passw0rd")

    assert {entry.target for entry in entries()} >= {sign_in_log.UNKNOWN}
    for model in (LedgerEntry, FailedSignIns, AccessAttempt):
        assert model.objects.exists()
        assert TYPED not in str(list(model.objects.values_list()))
        assert "another Passw0rd" not in str(list(model.objects.values_list()))
    assert TYPED not in caplog.text
    sign_in_log.sum_up(NOON + timedelta(hours=1))
    assert TYPED not in str(list(LedgerEntry.objects.values_list()))


def test_a_lockout_is_one_entry_and_what_it_turns_away_is_counted(erin: User) -> None:
    assert [sign_in("erin", f"guess {attempt}") for attempt in range(12)][-1] == 429
    assert sign_in("erin") == 429

    assert [entry.action for entry in entries()] == ["session:failed"] * 8 + ["session:locked-out"]
    assert (entries()[-1].target, entries()[-1].detail) == ("erin", {"address": HOME})
    sign_in_log.sum_up(NOON + timedelta(hours=1))
    assert the_sum().detail == {
        "since": "2026-11-30T12:00:00+00:00",
        "until": "2026-11-30T13:00:00+00:00",
        "failures": 8,
        "refused_while_locked_out": 5,
        "lockouts": 1,
        "accounts": {"count": 1, "most": [["erin", 13]]},
        "unknown_names": 0,
        "addresses": {"count": 1, "most": [[HOME, 13]]},
        "more_names_and_addresses": False,
    }


def spray(attempt: int) -> tuple[str, str]:
    """Names and addresses that never come again."""
    return f"name {attempt}", f"198.51.{attempt // 250}.{attempt % 250 + 1}"


def guess_one(attempt: int) -> tuple[str, str]:
    """One account from ever new addresses."""
    return "erin", spray(attempt)[1]


def hammer(attempt: int) -> tuple[str, str]:
    """Ever new names from one address."""
    return spray(attempt)[0], HOME


@pytest.mark.parametrize("attack", [spray, guess_one, hammer])
def test_whatever_an_attacker_does_fills_no_more_than_a_few_entries_an_hour(
    erin: User, attack: Callable[[int], tuple[str, str]]
) -> None:
    for attempt in range(80):
        name, address = attack(attempt)
        sign_in(name, "Summer2026!", address)
    assert len(entries()) <= 2 * sign_in_log.MOST_SINGLE
    sign_in_log.sum_up(NOON + timedelta(hours=1))
    detail = the_sum().detail
    assert detail["failures"] + detail["refused_while_locked_out"] == 80
    assert len(detail["accounts"]["most"]) + len(detail["addresses"]["most"]) <= 2 * sign_in_log.MOST_LISTED
    assert len(entries()) <= 2 * sign_in_log.MOST_SINGLE + 1
    assert ledger.verify() == []


def test_counters_are_bounded_too_and_miss_no_attempt(erin: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sign_in_log, "MOST_ROWS", 5)
    for attempt in range(20):
        name, address = spray(attempt)
        sign_in(name, "Summer2026!", address)
    assert FailedSignIns.objects.count() == 6
    sign_in_log.sum_up(NOON + timedelta(hours=1))
    assert the_sum().detail["failures"] == 20
    assert the_sum().detail["more_names_and_addresses"] is True
    assert not FailedSignIns.objects.exists()


def test_an_hour_whose_failures_all_have_entries_needs_no_sum(erin: User, clock: Clock) -> None:
    for _ in range(3):
        sign_in("erin", "wrong")
    clock.now += timedelta(hours=1)
    tasks.tick()
    assert [entry.action for entry in entries()] == ["session:failed"] * 3
    assert not FailedSignIns.objects.exists()


def test_the_worker_records_the_sum_once_when_the_hour_is_over(erin: User, clock: Clock) -> None:
    for attempt in range(12):
        sign_in(*("nobody", "wrong", spray(attempt)[1]))
    tasks.tick()
    assert not entries("session:failures")
    clock.now += timedelta(hours=1)
    tasks.tick()
    tasks.tick()
    assert the_sum().detail["failures"] == 12


def test_without_a_worker_the_next_failure_records_it(erin: User, clock: Clock) -> None:
    for attempt in range(12):
        sign_in("nobody", "wrong", spray(attempt)[1])
    clock.now += timedelta(hours=1)
    sign_in("erin", "wrong")
    assert [entry.action for entry in entries()][-2:] == ["session:failures", "session:failed"]


def test_workers_that_sum_up_together_record_it_once(committed_db: None) -> None:
    FailedSignIns.objects.create(hour=NOON, name="erin", is_account=True, address=HOME, failures=50)
    barrier, errors = threading.Barrier(4), []

    def work() -> None:
        try:
            barrier.wait(timeout=10)
            sign_in_log.sum_up(NOON + timedelta(hours=1))
        except Exception as error:  # noqa: BLE001 - whatever a thread meets must fail the test
            errors.append(error)
        finally:
            connection.close()

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(timeout=60)
    assert errors == []
    assert the_sum().detail["failures"] == 50


@pytest.mark.parametrize("before", [1, sign_in_log.MOST_SINGLE])
def test_names_that_exist_cost_what_names_that_do_not_cost(erin: User, before: int) -> None:
    """Else the time of an answer tells who has an account."""
    for attempt in range(before):
        sign_in(*("nobody", "wrong", spray(attempt)[1]))
    counts = []
    for name, address in (("erin", "203.0.113.1"), ("somebody", "203.0.113.2")):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            sign_in(name, "wrong", address)
        counts.append(len(queries))
    assert counts[0] == counts[1]


# Who reads them


def read_on_the_page(user: User) -> str:
    return signed_in(user).get(reverse("ledger"), {"action": "session:"}).text


def read_over_the_api(user: User) -> str:
    return signed_in(user).get("/api/v1/ledger/", {"action": "session:"}).content.decode()


def read_in_the_admin(user: User) -> str:
    return signed_in(user).get(reverse("admin:tenants_ledgerentry_changelist")).text


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.mark.parametrize("read", [read_on_the_page, read_over_the_api, read_in_the_admin])
@pytest.mark.parametrize("role", [Role.AUDITOR, Role.ADMINISTRATOR])
def test_only_who_reads_the_whole_ledger_reads_who_signs_in(
    erin: User, role: Role, read: Callable[[User], str]
) -> None:
    ours, theirs = TenantFactory().customer, TenantFactory().customer
    person(Role.PORTAL, customer=theirs, username="their-portal")
    sign_in("their-portal")
    sign_in("their-portal", "wrong")

    of_one_customer: dict[str, Any] = {"customer": ours, "username": "one", "is_staff": True}
    assert "their-portal" not in read(person(role, **of_one_customer))
    assert "their-portal" in read(person(role, username="all", is_staff=True))
