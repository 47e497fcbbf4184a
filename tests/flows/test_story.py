"""The demo's whole story against an emulator in this process: every scene holds, and a broken expectation is told."""

import io
from typing import Any

import pytest
from django.contrib.auth import authenticate
from django.test import RequestFactory
from rich.console import Console

from changes.models import Change
from lavawall.demo import story
from lavawall.demo.show import Show, StepFailed
from lavawall.demo.story import Expected, Stage
from lavawall.emulator import Emulator
from lavawall.emulator.attack import PUBLIC_CLIENT
from rollbacks.models import Approval, Remapping, Rollback
from tenants.models import LedgerEntry, Tenant
from tests.flows.stage import staged

READS_BY_POST = ("/$batch", "/getByIds")


@pytest.fixture
def reported() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def stage(
    committed_db: None, emulator: Emulator, reported: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> Stage:
    monkeypatch.setattr(story, "AUDIT_PAUSE_SECONDS", 0)
    return staged(emulator, Show(Console(file=reported, width=80)))


def test_the_whole_story_holds(stage: Stage, emulator: Emulator, reported: io.StringIO) -> None:
    story.play(stage)
    only_the_attacked_tenant_was_written_to(stage, emulator)
    assert stage.show.number == len(story.SCENES) == reported.getvalue().count("✓ passed")
    assert {tenant.name for tenant in Tenant.objects.all()} == set(stage.cloud["tenants"])
    for expected in story.EXPECTED:
        assert expected.what in reported.getvalue()
    rollback = Rollback.objects.get()
    assert rollback.state == "verified"
    assert {signature.approver.get_username() for signature in Approval.objects.all()} == {"amir", "aiko"}
    assert reported.getvalue().count(": refused. ") == 3
    assert [moved.resource_type for moved in Remapping.objects.all()] == ["namedLocation"]
    actions = list(LedgerEntry.objects.order_by("sequence").values_list("action", flat=True))
    at = [actions.index(f"rollback:{each}") for each in ("plan", "approve", "execute")]
    assert at == sorted(at)


def only_the_attacked_tenant_was_written_to(stage: Stage, emulator: Emulator) -> None:
    """And only by its writer."""
    writes = [
        logged
        for logged in emulator.requests
        if logged.method != "GET"
        and not logged.path.endswith(READS_BY_POST)
        and logged.app_id != PUBLIC_CLIENT
    ]
    writer = stage.attacked["writer"]["client_id"]
    assert {(logged.directory_id, logged.app_id) for logged in writes} == {
        (stage.attacked["directory_id"], writer)
    }


def test_every_login_of_the_cast_works_and_passwords_are_not_told_in_the_story(
    stage: Stage, reported: io.StringIO
) -> None:
    story.connect(stage)
    request = RequestFactory().post("/sign-in/")
    for login in stage.logins.values():
        assert authenticate(request, username=login.username, password=login.password) is not None
        assert login.password not in reported.getvalue()
    assert len({login.password for login in stage.logins.values()}) == len(stage.logins)


@pytest.mark.exhaustive("a step that does not hold is shown by tests/site/test_demo.py")
def test_a_finding_that_is_missing_fails_its_step_and_ends_the_story(
    stage: Stage, reported: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(story, "EXPECTED", (Expected("namedLocation", "created", "low", "A location made"),))
    monkeypatch.setattr(story, "SCENES", (*story.SCENES[:4], ("Never", never)))
    with pytest.raises(
        StepFailed, match="A location made: no created namedLocation of severity low or above"
    ):
        story.play(stage)
    assert "✗ failed" in reported.getvalue()
    assert "Never" not in reported.getvalue()


@pytest.mark.parametrize(
    ("expected", "met"),
    [
        (Expected("namedLocation", "deleted", "medium", ""), True),
        (Expected("namedLocation", "deleted", "low", "", summary_contains="Calgary"), True),
        (Expected("namedLocation", "deleted", "high", ""), False),
        (Expected("namedLocation", "updated", "medium", ""), False),
        (Expected("group", "deleted", "medium", ""), False),
        (Expected("namedLocation", "deleted", "low", "", summary_contains="Lisbon"), False),
    ],
)
def test_a_finding_is_what_was_expected_or_graver(expected: Expected, met: bool) -> None:
    change = Change(
        resource_type="namedLocation", kind="deleted", severity="medium", summary="Calgary was deleted."
    )
    assert expected.is_met_by(change) is met


@pytest.mark.exhaustive("a step that does not hold is shown by tests/site/test_demo.py")
def test_a_change_that_nobody_made_fails_the_step(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(story, "EXPECTED", story.EXPECTED[1:])
    monkeypatch.setattr(story, "SCENES", story.SCENES[:4])
    with pytest.raises(StepFailed, match="unexpected changes"):
        story.play(stage)


@pytest.mark.exhaustive("a step that does not hold is shown by tests/site/test_demo.py")
def test_an_attempt_that_is_not_refused_fails_the_step(stage: Stage) -> None:
    for scene in (story.connect, story.snapshot_all, story.attack, story.detect, story.plan):
        scene(stage)
    assert stage.rollback is not None
    number = stage.rollback.pk

    def approves(name: str) -> None:
        story.refused(
            stage, name, "never", lambda: story.command("approve", number, digest=stage.digest, username=name)
        )

    with pytest.raises(StepFailed, match="was not refused, but it must be"):
        approves("amir")
    with pytest.raises(StepFailed, match="refused for the wrong reason"):
        approves("ghost")


def never(_stage: Any) -> None:
    raise AssertionError("a scene after the one that failed was played")


def test_a_scene_out_of_order_says_what_is_missing(stage: Stage) -> None:
    with pytest.raises(StepFailed, match="no snapshot from before"):
        stage.incident()
    with pytest.raises(StepFailed, match="no planned rollback"):
        story.approve(stage)
