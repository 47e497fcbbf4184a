"""The guard over the suite itself: no test reaches another machine unnoticed."""

import contextlib
import socket
from collections.abc import Callable, Iterator

import pytest

from tests import loopback

ELSEWHERE = "192.0.2.1"
"""Reserved for documentation: nobody answers there."""


def _send_datagram(to: str) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto(b"hello", (to, 9))


REACHES: dict[str, Callable[[], object]] = {
    "connect": lambda: socket.create_connection((ELSEWHERE, 443)),
    "datagram": lambda: _send_datagram(ELSEWHERE),
    "resolve": lambda: socket.getaddrinfo("graph.microsoft.com", 443),
    "resolve the old way": lambda: socket.gethostbyname("graph.microsoft.com"),
}


@pytest.fixture
def recorded() -> Iterator[list[str]]:
    """What the guard noted; emptied, because the attempts of these tests are meant."""
    yield loopback.attempts
    loopback.attempts.clear()


@pytest.mark.parametrize("reach", REACHES.values(), ids=REACHES)
def test_another_machine_is_out_of_reach(reach: Callable[[], object], recorded: list[str]) -> None:
    with pytest.raises(loopback.NotLoopback, match="this machine only"):
        reach()
    assert len(recorded) == 1


def test_an_attempt_is_recorded_where_the_code_expects_networks_to_fail(recorded: list[str]) -> None:
    with contextlib.suppress(Exception):
        socket.create_connection((ELSEWHERE, 443))
    assert recorded == [f"socket.getaddrinfo of {ELSEWHERE}"]


def test_this_machine_is_in_reach(recorded: list[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        for name in ("127.0.0.1", "localhost"):
            socket.create_connection((name, server.getsockname()[1])).close()
    assert recorded == []
