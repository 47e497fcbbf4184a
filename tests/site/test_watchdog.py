"""The watchdog over real processes: what stalled or ended is started again, and nothing of it is left behind."""

import os
import select
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest
from django.core.cache import cache
from django.db import OperationalError, connection
from django.utils import timezone

from lavawall.processes import watchdog
from lavawall.processes.watchdog import PATIENCE, Watchdog, end_group, kill_group, last_progress, saw_tick
from tenants.models import Run
from tenants.runs import leases
from tests.factories.tenants import TenantFactory

Process = subprocess.Popen[bytes]

ENDS = "raise SystemExit(3)"
WORKS = "import sys; print('up', flush=True); sys.stdin.read()"
STUBBORN = (
    "import signal, sys\n"
    "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    "print('up', flush=True)\n"
    "sys.stdin.read()"
)
FINISHES = (
    "import signal, sys\n"
    "def finish(*_):\n"
    "    print('finished', flush=True)\n"
    "    raise SystemExit\n"
    "signal.signal(signal.SIGTERM, finish)\n"
    "print('up', flush=True)\n"
    "sys.stdin.read()"
)
WITH_CHILD = (
    "import subprocess, sys\n"
    "child = subprocess.Popen([sys.executable, '-c', 'import sys; sys.stdin.read()'])\n"
    "print('up', flush=True)\n"
)
LEAVES_CHILD = WITH_CHILD
KEEPS_CHILD = WITH_CHILD + "child.wait()"
LONGEST_WAIT = 60


@dataclass
class Stable:
    """Starts tiny processes in groups of their own, one after the other as planned, and remembers them."""

    programs: list[str]
    started: list[Process] = field(default_factory=list)

    def __call__(self) -> Process:
        program = self.programs[min(len(self.started), len(self.programs) - 1)]
        process = subprocess.Popen(
            [sys.executable, "-c", program],
            start_new_session=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self.started.append(process)
        return process

    def line(self, number: int) -> str:
        """The next line that one of them prints: it is up by then."""
        stream = self.started[number].stdout
        assert stream is not None
        return stream.readline().decode().strip()

    def has_nobody_left(self, number: int) -> bool:
        """Whether all that hold its output, itself and its children, have ended."""
        stream = self.started[number].stdout
        assert stream is not None
        ready, _, _ = select.select([stream], [], [], LONGEST_WAIT)
        return bool(ready) and stream.read() == b""


@dataclass
class Script:
    """Stands in for the pause: each call does the next thing, and after the last the watchdog is told to stop."""

    acts: list[Callable[[], object]]
    dog: Watchdog | None = None

    def __call__(self, _seconds: float) -> None:
        assert self.dog is not None
        if self.acts:
            self.acts.pop(0)()
        else:
            self.dog.stopping = True


@pytest.fixture
def stable() -> Iterator[Callable[..., Stable]]:
    made: list[Stable] = []

    def make(*programs: str) -> Stable:
        made.append(Stable(list(programs)))
        return made[-1]

    yield make
    for each in made:
        for process in each.started:
            kill_group(process)
            for stream in (process.stdin, process.stdout):
                if stream is not None:
                    stream.close()


def guard(stable: Stable, *acts: Callable[[], object], now: Callable[[], datetime] = timezone.now) -> None:
    script = Script(list(acts))
    script.dog = Watchdog(stable, now=now, pause=script)
    script.dog.run()


def test_a_cluster_that_ended_is_started_again(committed_db: None, stable: Callable[..., Stable]) -> None:
    cluster = stable(ENDS, WORKS)
    guard(cluster, lambda: cluster.started[0].wait(), lambda: cluster.line(1))
    assert [process.returncode for process in cluster.started] == [3, -15]


def test_a_cluster_without_progress_is_killed_and_started_again(
    committed_db: None, stable: Callable[..., Stable]
) -> None:
    cache.clear()
    began = timezone.now()
    clock = [began]
    cluster = stable(STUBBORN, WORKS)

    def waits_too_long() -> None:
        cluster.line(0)
        clock[0] = began + PATIENCE + timedelta(seconds=1)

    guard(cluster, waits_too_long, lambda: cluster.line(1), now=lambda: clock[0])
    assert [process.returncode for process in cluster.started] == [-9, -15]


def test_a_fresh_start_has_the_whole_patience_again(
    committed_db: None, stable: Callable[..., Stable]
) -> None:
    cache.clear()
    began = timezone.now()
    clock = [began]
    cluster = stable(WORKS)

    def later(by: timedelta) -> Callable[[], None]:
        def move() -> None:
            clock[0] += by

        return move

    guard(
        cluster,
        later(PATIENCE + timedelta(seconds=1)),
        later(PATIENCE),
        later(PATIENCE),
        now=lambda: clock[0],
    )
    assert len(cluster.started) == 3


def test_a_cluster_that_ticks_is_left_alone(committed_db: None, stable: Callable[..., Stable]) -> None:
    cluster = stable(WORKS)
    began = timezone.now()

    def ticks() -> None:
        cluster.line(0)
        saw_tick()

    guard(cluster, ticks, lambda: None, now=lambda: began + PATIENCE)
    assert len(cluster.started) == 1


def test_a_database_that_is_away_for_a_while_ends_nothing(
    committed_db: None, stable: Callable[..., Stable]
) -> None:
    cluster = stable(WORKS)
    began = timezone.now()

    def away(*_: object) -> None:
        raise OperationalError("the database is away")

    with connection.execute_wrapper(away):
        guard(cluster, lambda: cluster.line(0), lambda: None, now=lambda: began + 2 * PATIENCE)
    assert len(cluster.started) == 1


def test_the_heartbeat_of_a_long_run_is_progress_too(db: None) -> None:
    cache.clear()
    assert last_progress() is None
    run = leases.create(TenantFactory(), Run.Kind.COLLECT, requested_by="test")
    lease = leases.claim(run.pk)
    assert lease is not None
    beat = Run.objects.get(pk=run.pk).heartbeat_at
    assert beat is not None
    assert last_progress() == beat


def test_what_an_ended_cluster_left_behind_is_ended_before_the_next_starts(
    committed_db: None, stable: Callable[..., Stable]
) -> None:
    cluster = stable(LEAVES_CHILD, WORKS)

    def leaves() -> None:
        cluster.line(0)
        cluster.started[0].wait()

    guard(cluster, leaves, lambda: cluster.line(1))
    assert cluster.has_nobody_left(0)


def test_stopping_ends_the_whole_group(committed_db: None, stable: Callable[..., Stable]) -> None:
    cluster = stable(KEEPS_CHILD)
    guard(cluster, lambda: cluster.line(0))
    assert cluster.started[0].returncode == -15
    assert cluster.has_nobody_left(0)


def test_a_cluster_may_finish_its_task_when_it_is_told_to_stop(stable: Callable[..., Stable]) -> None:
    cluster = stable(FINISHES)
    process = cluster()
    cluster.line(0)
    end_group(process)
    assert process.returncode == 0
    assert cluster.line(0) == "finished"


def test_one_that_does_not_listen_is_killed_in_the_end(
    stable: Callable[..., Stable], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watchdog, "GRACE_SECONDS", 0.01)
    cluster = stable(STUBBORN)
    process = cluster()
    cluster.line(0)
    end_group(process)
    assert process.returncode == -9


def test_ending_what_has_ended_is_no_error(stable: Callable[..., Stable]) -> None:
    process = stable(ENDS)()
    process.wait()
    end_group(process)
    assert process.returncode == 3
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)
