"""Identifies the process that works on a run, so that another process on this machine can check it. Linux
only: elsewhere no process has provably ended, and leases lapse by time alone.
"""

import os
import socket
from pathlib import Path

UNKNOWN = ""


def this_process() -> str:
    """Machine, boot, process ID namespace, process ID and start time: together they identify one process."""
    return _identity(os.getpid()) or UNKNOWN


def is_gone(owner: str) -> bool:
    """Whether the process has provably ended. False if this process cannot tell."""
    here = _surroundings()
    if not owner or here is None or not owner.startswith(f"{here}/"):
        return False
    number = owner.removeprefix(f"{here}/").partition("@")[0]
    return number.isdigit() and _identity(int(number)) != owner


def _identity(number: int) -> str | None:
    here = _surroundings()
    try:
        stat = Path(f"/proc/{number}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return None
    state, *fields = stat.rpartition(")")[2].split()
    return None if here is None or state in "ZX" else f"{here}/{number}@{fields[18]}"


def _surroundings() -> str | None:
    """Process IDs are comparable only within one namespace of one boot of one machine."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        namespace = Path("/proc/self/ns/pid").readlink()
    except OSError:
        return None
    return f"{socket.gethostname()}/{boot}/{namespace}"
