"""A person at a real browser, who notes what goes wrong in it: console, policy, failed and foreign requests."""

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Playwright,
    Request,
    Response,
    expect,
)

DESK = (1280, 900)
PHONE = (390, 844)
PATIENCE = 20_000
"""Milliseconds: a machine at work on other tests is slow."""
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
)
NOT_LOADED = re.compile(r"Failed to load resource: .* status of (\d+)")


def chromium_path() -> str | None:
    return shutil.which("chromium") or shutil.which("chromium-browser")


def launch(playwright: Playwright, path: str) -> Browser:
    return playwright.chromium.launch(executable_path=path, args=list(QUIET))


@dataclass
class Visitor:
    """One person's browser window, on one site."""

    page: Page
    site: str
    complaints: list[str] = field(default_factory=list)
    _expected: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        context = self.page.context
        context.on("console", self._heard)
        context.on("weberror", lambda error: self.complaints.append(f"script error: {error.error}"))
        context.on("request", self._sent)
        context.on("response", self._got)
        context.on("dialog", lambda dialog: self.complaints.append(f"dialog: {dialog.message}"))

    def sign_in(self, username: str, password: str) -> None:
        self.open("/")
        self.page.get_by_label("User name").fill(username)
        self.page.get_by_label("Password").fill(password)
        self.page.get_by_role("button", name="Sign in").click()
        expect(self.page.get_by_role("heading", name="Overview", level=1)).to_be_visible()

    def open(self, path: str) -> None:
        self.page.goto(f"{self.site}{path}")

    def read(self) -> str:
        return self.page.locator("main").inner_text()

    @property
    def path(self) -> str:
        return self.page.url.removeprefix(self.site)

    def post(self, path: str, **fields: str) -> None:
        """Sends a form that no page offers, as somebody would who knows the address."""
        with self.page.expect_navigation():
            self.page.evaluate(
                """([path, fields]) => {
                    const form = document.createElement("form");
                    form.method = "post";
                    form.action = path;
                    const token = document.querySelector("[name=csrfmiddlewaretoken]").value;
                    for (const [name, value] of Object.entries({csrfmiddlewaretoken: token, ...fields})) {
                        const input = document.createElement("input");
                        input.type = "hidden"; input.name = name; input.value = value;
                        form.append(input);
                    }
                    document.body.append(form);
                    form.submit();
                }""",
                [path, fields],
            )

    @contextmanager
    def refused_with(self, status: int) -> Iterator[None]:
        """In here an answer of that status is what should happen."""
        self._expected.add(status)
        yield
        self._expected.discard(status)

    def overflow(self) -> int:
        """By how many pixels the page is wider than the window."""
        found: int = self.page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        return found

    def _heard(self, message: ConsoleMessage) -> None:
        found = NOT_LOADED.match(message.text)
        if found and int(found[1]) in self._expected:
            return
        if message.type in ("error", "warning"):
            self.complaints.append(f"console {message.type} on {self.page.url}: {message.text}")

    def _sent(self, request: Request) -> None:
        if not request.url.startswith((self.site, "data:", "about:")):
            self.complaints.append(f"foreign request: {request.url}")

    def _got(self, response: Response) -> None:
        if response.status >= 400 and response.status not in self._expected:
            self.complaints.append(f"{response.status} for {response.url}")


def visitor(browser: Browser, site: str, size: tuple[int, int] = DESK) -> Visitor:
    """Somebody with cookies of their own."""
    context: BrowserContext = browser.new_context(
        viewport={"width": size[0], "height": size[1]}, is_mobile=size == PHONE, has_touch=size == PHONE
    )
    context.set_default_timeout(PATIENCE)
    expect.set_options(timeout=PATIENCE)
    return Visitor(context.new_page(), site)
