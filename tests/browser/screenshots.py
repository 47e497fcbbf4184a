"""Takes the README's pictures anew from the demo's data. Not collected with the tests: run it by make screenshots."""

from pathlib import Path

from playwright.sync_api import Page, expect

from lavawall.demo import story
from lavawall.demo.story import Stage
from tests.browser.conftest import Visit

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "screenshots"
SIZE = (1280, 940)
LARGEST = 300_000


def test_pictures(stage: Stage, visit: Visit) -> None:
    """The incident as the engineer finds it, and the rollback as the second approver does."""
    story.plan(stage)
    assert stage.rollback is not None
    story.command(
        "approve",
        stage.rollback.pk,
        digest=stage.digest,
        username="amir",
        comment="Agreed with the customer by phone",
    )
    engineer, approver = visit(SIZE), visit(SIZE)
    engineer.sign_in("erin", stage.logins["erin"].password)
    engineer.open("/changes/")
    take(engineer.page, "timeline")
    engineer.page.get_by_role("link", name="Multi-factor authentication is no longer required").click()
    take(engineer.page, "change")
    approver.sign_in("aiko", stage.logins["aiko"].password)
    approver.page.get_by_role("link", name="Review").click()
    take(approver.page, "rollback")


def take(page: Page, name: str) -> None:
    expect(page.get_by_role("main")).to_be_visible()
    target = FOLDER / f"{name}.png"
    page.screenshot(path=target, animations="disabled")
    assert target.stat().st_size < LARGEST
