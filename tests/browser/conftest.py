"""One Chromium for all tests here, and for each a site with committed data, on which no visitor may have complaints."""

import io
import os
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright
from pytest_django.live_server_helper import LiveServer
from rich.console import Console

from lavawall.demo import story
from lavawall.demo.show import Show
from lavawall.demo.story import Stage
from lavawall.emulator import Emulator
from tests.browser.visitor import DESK, Visitor, chromium_path, launch, visitor
from tests.flows.stage import staged

Visit = Callable[..., Visitor]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "tests/browser/" in item.path.as_posix():
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    path = chromium_path()
    if path is None:
        pytest.skip("Chromium is not installed. Debian and Ubuntu: apt-get install chromium")
    with pytest.MonkeyPatch.context() as patch:
        # Playwright keeps an event loop in this thread, and Django then refuses its ordinary database calls.
        patch.setitem(os.environ, "DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        with sync_playwright() as playwright:
            browser = launch(playwright, path)
            yield browser
            browser.close()


@pytest.fixture
def stage(emulator: Emulator, committed_db: None, monkeypatch: pytest.MonkeyPatch) -> Stage:
    """The demo's story until the thief's changes are found and attributed."""
    monkeypatch.setattr(story, "AUDIT_PAUSE_SECONDS", 0)
    stage = staged(emulator, Show(Console(file=io.StringIO())))
    for scene in (story.connect, story.snapshot_all, story.attack, story.detect, story.attribute):
        scene(stage)
    return stage


@pytest.fixture
def visit(chromium: Browser, committed_db: None, live_server: LiveServer) -> Iterator[Visit]:
    """Opens another person's browser window."""
    visitors: list[Visitor] = []

    def enter(size: tuple[int, int] = DESK) -> Visitor:
        visitors.append(visitor(chromium, live_server.url, size))
        return visitors[-1]

    yield enter
    complaints = [complaint for each in visitors for complaint in each.complaints]
    for each in visitors:
        each.page.context.close()
    assert complaints == []
