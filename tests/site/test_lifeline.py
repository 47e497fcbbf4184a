"""Processes that the product starts die with it, whatever ended it."""

import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LONGEST_WAIT = 60
CHILD = (
    "import subprocess, sys\n"
    "grandchild = subprocess.Popen([sys.executable, '-c', 'import sys; sys.stdin.read()'], stdin=subprocess.PIPE)\n"
    "print('up', flush=True)\n"
    "grandchild.wait()\n"
)
PARENT = (
    "import sys\n"
    "from lavawall.processes.lifeline import spawn\n"
    "child = spawn('the_child', environment={'PYTHONPATH': sys.argv[1]})\n"
    "child.wait()\n"
)


@pytest.fixture
def parent(tmp_path: Path) -> Iterator["subprocess.Popen[bytes]"]:
    (tmp_path / "the_child.py").write_text(CHILD)
    process = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(tmp_path)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"up\n"
    yield process
    process.stdout.close()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_child_and_its_children_do_not_outlive_their_parent(
    parent: "subprocess.Popen[bytes]", number: int
) -> None:
    os.kill(parent.pid, number)
    parent.wait()

    assert parent.stdout is not None
    ready, _, _ = select.select([parent.stdout], [], [], LONGEST_WAIT)
    assert ready, "somebody still holds the output"
    assert parent.stdout.read() == b""
