"""The operating-system account behind an act on the command line.

Commands run their work inside `on_the_command_line`; ledger entries written there carry the account. Pages, API and
worker never enter it.
"""

import os
import pwd
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_current: ContextVar[str | None] = ContextVar("os_account", default=None)


def real_account() -> str:
    """The name of the process's real user ID. The environment is not asked: anybody can set USER or LOGNAME."""
    uid = os.getuid()
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"


@contextmanager
def on_the_command_line() -> Iterator[None]:
    token = _current.set(real_account())
    try:
        yield
    finally:
        _current.reset(token)


def current() -> str | None:
    """The account that runs the present command; None outside commands."""
    return _current.get()
