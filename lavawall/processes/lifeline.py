"""Child processes that end when their parent ends. The parent keeps one end of a pipe and never writes to it.
When the parent ends, even by SIGKILL, the other end is closed, and the child kills its own process group:
itself and everything it started.
"""

import os
import runpy
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

LIFELINE = "LAVAWALL_LIFELINE_FD"


def spawn(
    *module_and_arguments: str, environment: Mapping[str, str] = MappingProxyType({}), **options: Any
) -> "subprocess.Popen[bytes]":
    """Runs a Python module in its own process group, which ends with this process. It also ends when the
    returned object is deleted: keep the object as long as the process is needed.
    """
    theirs, ours = os.pipe()
    try:
        process: subprocess.Popen[bytes] = subprocess.Popen(  # noqa: S603 - our own modules
            [sys.executable, "-m", "lavawall.processes.lifeline", *module_and_arguments],
            start_new_session=True,
            pass_fds=[theirs],
            env={**os.environ, **environment, LIFELINE: str(theirs)},
            **options,
        )
    except BaseException:
        os.close(ours)
        raise
    finally:
        os.close(theirs)
    process.lifeline = os.fdopen(ours, "wb")  # type: ignore[attr-defined]
    return process


def main() -> None:
    """In the child: watch the parent, then run the module as if it had been started directly."""
    lifeline = int(os.environ.pop(LIFELINE))
    os.set_inheritable(lifeline, False)  # noqa: FBT003 - the only way to say it
    threading.Thread(target=_follow, args=(lifeline,), daemon=True).start()
    sys.argv = sys.argv[1:]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


def _follow(lifeline: int) -> None:
    os.read(lifeline, 1)
    os.killpg(os.getpgrp(), signal.SIGKILL)


if __name__ == "__main__":
    main()
