"""Tests talk to this machine alone: whatever reaches for another host is refused, and fails its test.

Code that expects a network to fail may swallow the refusal, so every attempt is recorded as well. Child processes are
not watched: they are given loopback addresses only.
"""

import ipaddress
import socket
import sys
from typing import Any

NAMES = frozenset({"", "localhost", socket.gethostname().lower()})
SENDING = frozenset({"socket.connect", "socket.sendto", "socket.sendmsg"})
RESOLVING = frozenset({"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"})

attempts: list[str] = []
"""Of the test that runs; `tests/conftest.py` fails it for them."""


class NotLoopback(AssertionError):
    """A test reached for another machine."""


def install() -> None:
    """For the rest of this process: Python offers no way to take an audit hook back."""
    sys.addaudithook(_watch)


def _watch(event: str, arguments: tuple[Any, ...]) -> None:
    if event in SENDING:
        host = _host_of(arguments[1])
    elif event in RESOLVING:
        host = arguments[0]
    else:
        return
    if host is not None and not _is_loopback(host):
        attempts.append(f"{event} of {host}")
        raise NotLoopback(
            f"Tests reach this machine only, not {host}. Use the emulator or a server of the test."
        )


def _host_of(address: Any) -> str | None:
    """Of an internet address; other families, such as Unix sockets, never leave the machine."""
    return str(address[0]) if isinstance(address, tuple) and address else None


def _is_loopback(host: str | bytes) -> bool:
    name = (host.decode() if isinstance(host, bytes) else host).lower().rstrip(".")
    if name in NAMES:
        return True
    try:
        return ipaddress.ip_address(name.partition("%")[0]).is_loopback
    except ValueError:
        return False
