"""The demo and what it serves: every failure is told and is a failed exit, and no process is left behind."""

import argparse
import io
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest
from django.core.management import CommandError, call_command
from rich.console import Console

from lavawall.demo import story
from lavawall.demo.cast import ATTACKED
from lavawall.demo.show import Show, StepFailed, expect
from lavawall.demo.story import Stage
from lavawall.management.commands.demo import emulator as emulator_process
from lavawall.processes.serving import address
from tests.factories.tenants import TenantFactory

ROOT = Path(__file__).resolve().parents[2]
LONGEST_WAIT = 300


@pytest.fixture
def signals() -> Iterator[None]:
    """The commands set handlers of their own."""
    stored = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in stored.items():
        signal.signal(number, handler)


@pytest.fixture
def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def environment(folder: Path, **more: str) -> dict[str, str]:
    stored = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    return {
        **stored,
        "DATABASE_URL": f"sqlite:///{folder / 'demo.sqlite3'}",
        "LAVAWALL_PACE": "unlimited",
        "COLUMNS": "80",
        **more,
    }


# The show


def test_long_lines_hang_under_their_mark_and_fit_a_narrow_terminal() -> None:
    output = io.StringIO()
    show = Show(Console(file=output, width=60))
    with show.step("A step with a title", of=3):
        show.say("one two three four five six seven eight nine ten eleven twelve thirteen", mark="12")
        show.finding(
            "critical", "What it is", "In a longer sentence that needs more than one line to be told."
        )
    lines = output.getvalue().splitlines()
    assert max(map(len, lines)) <= 60
    assert "1/3  A step with a title" in lines
    assert next(line for line in lines if "one two" in line).startswith("    12 one")
    assert next(line for line in lines if "thirteen" in line).startswith(" " * 7 + "eleven")
    assert "\x1b" not in output.getvalue()
    assert "✓ passed" in lines[-1]


@pytest.mark.parametrize(
    ("error", "reported"), [(StepFailed("the door is open"), "the door is open"), (KeyError(), "KeyError")]
)
def test_a_failing_step_is_told_and_passed_on(error: Exception, reported: str) -> None:
    output = io.StringIO()
    show = Show(Console(file=output, width=60))
    with pytest.raises(type(error)), show.step("A step", of=1):
        raise error
    assert f"✗ failed: {reported}" in output.getvalue()
    assert "✓" not in output.getvalue()


def test_expect_says_what_went_wrong_only_when_it_does() -> None:
    expect(1, "never said")
    with pytest.raises(StepFailed, match="two are missing"):
        expect([], "two are missing")


# The command


@pytest.mark.exhaustive("the same story as in tests/flows, in a process of its own")
def test_the_demo_holds_from_end_to_end_and_leaves_no_process(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "manage.py", "demo"],
        cwd=ROOT,
        env=environment(tmp_path, DEMO_SERVE="0"),
        capture_output=True,
        text=True,
        timeout=LONGEST_WAIT,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert ended.stdout.count("✓ passed") == len(story.SCENES)
    assert "All steps passed" in ended.stdout
    assert ended.stderr == ""


@pytest.mark.parametrize("broken", range(2))
def test_a_step_that_does_not_hold_is_a_failed_exit(
    committed_db: None,
    signals: None,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    broken: int,
) -> None:
    def breaks(_stage: Stage) -> None:
        expect(False, "the tenant moved away")  # noqa: FBT003

    scenes = [("First", lambda _stage: None), ("Second", lambda _stage: None)]
    scenes[broken] = (scenes[broken][0], breaks)
    monkeypatch.setattr(story, "SCENES", tuple(scenes))
    monkeypatch.setenv("DEMO_SERVE", "0")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "")
    with pytest.raises(CommandError, match=r"The demo failed: the tenant moved away") as caught:
        call_command("demo")
    assert caught.value.returncode == 1
    reported = capsys.readouterr().out
    assert reported.count("✓ passed") == broken
    assert "All steps passed" not in reported


def test_an_interrupted_demo_says_so_in_one_line(
    committed_db: None, signals: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(_stage: Stage) -> None:
        signal.raise_signal(signal.SIGTERM)

    monkeypatch.setattr(story, "SCENES", (("Only", interrupted),))
    monkeypatch.setenv("DEMO_SERVE", "0")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "")
    with pytest.raises(CommandError, match="The demo was interrupted") as caught:
        call_command("demo")
    assert caught.value.returncode == 130


def test_the_demo_refuses_a_database_in_use(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    TenantFactory()
    monkeypatch.setenv("DEMO_SERVE", "0")
    with pytest.raises(CommandError, match="empty database"):
        call_command("demo")


def test_the_demos_cloud_ends_with_it_whatever_happens(tmp_path: Path) -> None:
    places: list[tuple[str, int]] = []

    def fails_on_the_way() -> None:
        with emulator_process(tmp_path / "ca.pem") as cloud:
            host, port = cloud["url"].removeprefix("https://").split(":")
            places.append((host, int(port)))
            socket.create_connection(places[0]).close()
            assert Path(cloud["ca_file"]).exists()
            assert ATTACKED in cloud["tenants"]
            raise StepFailed("on the way")

    with pytest.raises(StepFailed, match="on the way"):
        fails_on_the_way()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(places[0])


# Serving


def test_a_taken_port_is_one_clear_line_before_anything_starts() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(CommandError, match=f"Cannot listen on 127.0.0.1:{port}: .*in use"):
            call_command("serve", bind=f"127.0.0.1:{port}")


@pytest.mark.parametrize("text", ["8000", "localhost:", ":8000", "localhost:http", "localhost:65536"])
def test_an_address_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match=r"not HOST:PORT|not a valid port"):
        address(text)


@pytest.fixture(scope="module")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of an installation whose database is ready."""
    settings = environment(tmp_path_factory.mktemp("served"))
    subprocess.run(
        [sys.executable, "manage.py", "migrate", "--verbosity", "0"], cwd=ROOT, env=settings, check=True
    )
    return settings


@pytest.fixture
def served(migrated: dict[str, str], free_port: int) -> Iterator[tuple["subprocess.Popen[str]", int]]:
    """Web and worker, up and answering."""
    process = subprocess.Popen(
        [sys.executable, "manage.py", "serve", "--bind", f"127.0.0.1:{free_port}"],
        cwd=ROOT,
        env=migrated,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        text=True,
    )
    assert process.stdout is not None
    assert "Lavawall is running at" in process.stdout.readline()
    yield process, free_port
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    process.stdout.close()


def test_web_and_worker_answer_and_end_together_on_control_c(
    served: tuple["subprocess.Popen[str]", int],
) -> None:
    """Its output ends only when nobody holds it any more, down to the last of the queue's workers."""
    process, port = served
    with urlopen(f"http://127.0.0.1:{port}/healthz") as answer:
        assert answer.status == 200
    os.killpg(process.pid, signal.SIGINT)
    said, _ = process.communicate(timeout=LONGEST_WAIT)
    assert process.returncode == 0, said
    assert said == ""


def test_when_one_of_the_two_ends_the_other_is_ended_and_it_is_said(
    served: tuple["subprocess.Popen[str]", int],
) -> None:
    process, _ = served
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    web = next(pid for pid in children if "gunicorn" in Path(f"/proc/{pid}/cmdline").read_text())
    os.kill(int(web), signal.SIGKILL)
    said, _ = process.communicate(timeout=LONGEST_WAIT)
    assert process.returncode == 1
    assert re.search("A process ended unexpectedly, so both were stopped: web with status -9, worker", said)
