"""Guessing passwords is slowed by account and address, by address and by account, behind a real reverse proxy; and
nobody elsewhere can lock a person out of a browser that is known.
"""

from collections.abc import Iterator

import pytest
import requests
from django.core.cache import cache
from django.test import RequestFactory
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from tenants.accounts.lockout import client_address
from tests.factories.tenants import UserFactory
from tests.site.proxy import proxy_before

PASSWORD = "correct horse battery staple"
HOME, ELSEWHERE = "192.0.2.10", "198.51.100.20"


class Browser:
    """Somebody's browser behind the proxy, with cookies of its own."""

    def __init__(self, site: str, address: str) -> None:
        self.site, self.session = site, requests.Session()
        self.session.headers.update({"X-Test-Client": address, "Referer": site})

    def sign_in(self, username: str, password: str, **headers: str) -> int:
        """The answer's status: 302 signed in, 200 wrong, 429 locked."""
        if "csrftoken" not in self.session.cookies:
            self.session.get(f"{self.site}/sign-in/")
        form = {
            "username": username,
            "password": password,
            "csrfmiddlewaretoken": self.session.cookies["csrftoken"],
        }
        answer = self.session.post(f"{self.site}/sign-in/", form, allow_redirects=False, headers=headers)
        return answer.status_code

    def sign_out(self) -> None:
        for name in ("sessionid", "csrftoken"):
            self.session.cookies.pop(name)


@pytest.fixture
def site(committed_db: None, live_server: LiveServer, settings: Settings) -> Iterator[str]:
    cache.clear()
    settings.PROXIES = 1
    UserFactory(username="erin")
    with proxy_before(live_server.url) as url:
        yield url


def test_behind_the_proxy_a_guesser_locks_only_his_own_address(site: str) -> None:
    guesser = Browser(site, ELSEWHERE)

    assert [guesser.sign_in("erin", f"guess {attempt}") for attempt in range(9)][-1] == 429
    assert guesser.sign_in("erin", PASSWORD) == 429
    assert Browser(site, HOME).sign_in("erin", PASSWORD) == 302


def test_an_address_that_the_caller_claims_for_himself_does_not_count(site: str) -> None:
    guesser = Browser(site, ELSEWHERE)
    answers = [
        guesser.sign_in("erin", "guess", **{"X-Forwarded-For": f"203.0.113.{attempt}"})
        for attempt in range(9)
    ]

    assert answers[-1] == 429
    assert Browser(site, "203.0.113.1").sign_in("erin", PASSWORD) == 302


def test_many_names_from_one_address_are_slowed(site: str) -> None:
    guesser = Browser(site, ELSEWHERE)

    answers = [guesser.sign_in(f"name {attempt}", "Summer2026!") for attempt in range(31)]

    assert answers[0] == 200
    assert answers[-1] == 429
    assert Browser(site, HOME).sign_in("erin", PASSWORD) == 302


def test_guesses_from_many_addresses_close_the_account_but_not_to_its_known_browser(site: str) -> None:
    erins = Browser(site, HOME)
    assert erins.sign_in("erin", PASSWORD) == 302
    erins.sign_out()

    botnet = Browser(site, ELSEWHERE)
    answers = [
        botnet.sign_in("erin", "guess", **{"X-Test-Client": f"203.0.113.{attempt}"}) for attempt in range(51)
    ]

    assert answers[-1] == 429
    assert Browser(site, "203.0.113.200").sign_in("erin", PASSWORD) == 429
    assert erins.sign_in("erin", PASSWORD) == 302


def test_a_known_browser_is_no_way_to_guess_without_end(site: str) -> None:
    stolen = Browser(site, ELSEWHERE)
    assert stolen.sign_in("erin", PASSWORD) == 302
    stolen.sign_out()

    assert [stolen.sign_in("erin", f"guess {attempt}") for attempt in range(9)][-1] == 429


def test_a_forged_device_cookie_knows_nobody(site: str) -> None:
    forger = Browser(site, ELSEWHERE)
    forger.session.cookies.set("device", '{"erin": "x"}')

    assert [forger.sign_in("erin", f"guess {attempt}") for attempt in range(9)][-1] == 429
    assert Browser(site, HOME).sign_in("erin", PASSWORD) == 302


@pytest.mark.parametrize(
    ("proxies", "forwarded", "remote", "address"),
    [
        (0, "203.0.113.5", "192.0.2.1", "192.0.2.1"),
        (1, "203.0.113.5", "192.0.2.1", "203.0.113.5"),
        (1, "10.9.9.9, 203.0.113.5", "192.0.2.1", "203.0.113.5"),
        (2, "10.9.9.9, 203.0.113.5, 192.0.2.7", "192.0.2.1", "203.0.113.5"),
        (2, "203.0.113.5", "192.0.2.1", "192.0.2.1"),
        (1, "", "192.0.2.1", "192.0.2.1"),
        (1, "not an address", "192.0.2.1", "192.0.2.1"),
        (1, "2001:db8:1:2:3:4:5:6", "192.0.2.1", "2001:db8:1:2::"),
        (1, "::ffff:203.0.113.5", "192.0.2.1", "203.0.113.5"),
        (0, "", "", "0.0.0.0"),  # noqa: S104
    ],
)
def test_the_clients_address_is_what_the_outermost_trusted_proxy_saw(
    settings: Settings, proxies: int, forwarded: str, remote: str, address: str
) -> None:
    settings.PROXIES = proxies
    headers = {"X-Forwarded-For": forwarded} if forwarded else {}
    assert client_address(RequestFactory().get("/", headers=headers, REMOTE_ADDR=remote)) == address
