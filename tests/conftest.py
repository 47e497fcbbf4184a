"""What every test has: forgotten keys, and an open retention gate while transactional tests are cleared."""

import gc
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.cache import cache
from django.db import connection
from hypothesis import HealthCheck, settings
from pytest_django import DjangoDbBlocker

from lavawall.emulator import Emulator
from tenants.trust import vault
from tenants.trust.append_only import GATE
from tests import facts, loopback, prepared

_common = settings(
    deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
settings.register_profile("quick", _common, max_examples=15)
settings.register_profile("exhaustive", _common, max_examples=300)
settings.load_profile("quick")
loopback.install()
ROOT = Path(__file__).parent
LONGEST = ("browser/", "flows/", "site/test_demo", "site/test_upgrade", "site/test_commands")
gc.set_threshold(100_000, 20, 100)
"""Tests make and drop whole clouds. Python's own thresholds spend a tenth of the time on looking for cycles in them."""


@pytest.fixture(scope="session")
def django_db_setup(
    request: pytest.FixtureRequest, django_test_environment: None, django_db_blocker: DjangoDbBlocker
) -> Iterator[None]:
    """In place of pytest-django's own, which migrates a database for every worker of every run."""
    worker = getattr(request.config, "workerinput", {}).get("workerid", "main")
    with django_db_blocker.unblock(), prepared.database(f"{worker}_{os.getpid()}"):
        yield


@pytest.fixture(autouse=True)
def _on_this_machine_only() -> Iterator[None]:
    yield
    attempts = [*loopback.attempts]
    loopback.attempts.clear()
    assert not attempts, f"This test reached for another machine: {', '.join(attempts)}"


@pytest.fixture(autouse=True)
def _fresh_keys() -> Iterator[None]:
    """Row ids are used again by the next test, with other keys behind them."""
    vault.forget()
    yield
    vault.forget()


@pytest.fixture
def open_gate(transactional_db: None) -> Iterator[None]:
    """For tests that really commit: history may be cleared after them."""
    cache.clear()
    yield
    with connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO {GATE} (reason) VALUES ('the end of a test')")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest tests come first, so that no worker waits for another one's at the end."""
    items.sort(key=lambda item: not item.path.relative_to(ROOT).as_posix().startswith(LONGEST))
    for item in items:
        asked_for = set(getattr(item, "fixturenames", ()))
        if asked_for & {"db", "transactional_db"} or item.get_closest_marker("django_db"):
            item.add_marker(pytest.mark.database)


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("facts"):
        facts.require()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_call(item: pytest.Item) -> None:
    """The gate that an earlier test left open for its clearing is closed before the next one runs."""
    if item.get_closest_marker("database"):
        with connection.cursor() as cursor:
            cursor.execute(f"DELETE FROM {GATE}")


@pytest.fixture
def committed_db(open_gate: None) -> None:
    """A database whose commits are real; history's triggers refuse to clear after a bare transactional_db."""


@pytest.fixture
def emulator(monkeypatch: pytest.MonkeyPatch) -> Iterator[Emulator]:
    """Microsoft's cloud on loopback with the demo's tenants, trusted by every outgoing call."""
    with Emulator(seed="demo") as cloud:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", cloud.ca_file)
        yield cloud
