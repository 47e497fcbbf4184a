"""Pages in awkward hands: on a phone, by keyboard alone, with hostile names in the tenant."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tenants.access.matrix import Role
from tenants.models import User
from tests.browser.conftest import Visit
from tests.browser.visitor import PHONE, Visitor
from tests.factories.tenants import person
from tests.pages.conftest import Scene, make_scene

PASSWORD = "a-long-enough-word"
SignIn = Callable[..., Visitor]


@pytest.fixture
def scene(committed_db: None) -> Scene:
    return make_scene()


@pytest.fixture
def signed_in(visit: Visit, scene: Scene) -> SignIn:
    def sign_in(user: User, *size: tuple[int, int]) -> Visitor:
        user.set_password(PASSWORD)
        user.save()
        person = visit(*size)
        person.sign_in(user.get_username(), PASSWORD)
        return person

    return sign_in


def addresses(scene: Scene) -> tuple[str, ...]:
    change, tenant = scene.change, scene.tenant
    return (
        "/",
        "/changes/",
        f"/changes/{change.pk}/",
        f"/tenants/{tenant.pk}/resources/{change.resource_type}/{change.resource_id}/",
        "/tenants/",
        f"/tenants/{tenant.pk}/",
        f"/tenants/{tenant.pk}/recoverability/",
        f"/snapshots/{scene.after.pk}/",
        f"/snapshots/compare/?base={scene.before.pk}&target={scene.after.pk}",
        "/audit-events/",
        "/password/",
        "/rollbacks/",
        f"/rollbacks/{scene.rollback.pk}/",
        f"/runs/{scene.run.pk}/",
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_is_wider_than_a_phone_or_runs_what_a_tenant_is_called(
    scene: Scene, signed_in: SignIn, scheme: str
) -> None:
    person = signed_in(scene.engineer, PHONE)
    person.page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    too_wide = {}
    for address in addresses(scene):
        person.open(address)
        expect(person.page.get_by_role("main")).to_be_visible()
        if person.overflow() > 0:
            too_wide[address] = person.overflow()
    assert too_wide == {}


def test_an_approver_judges_and_signs_on_a_phone(scene: Scene, signed_in: SignIn) -> None:
    person = signed_in(scene.approver, PHONE)
    page = person.page
    page.get_by_role("link", name="Review").tap()
    expect(page.get_by_text("Before you decide")).to_be_visible()
    page.get_by_role("link", name="Review and decide").tap()
    approve = page.get_by_role("button", name="Approve", exact=True)
    expect(approve).to_be_in_viewport()
    box = approve.bounding_box()
    assert box is not None
    assert box["height"] >= 40
    approve.tap()
    dialog = page.get_by_role("dialog", name=re.compile("Approve rollback"))
    dialog.get_by_label("Comment").fill("From the train")
    dialog.get_by_role("button", name="Approve this plan").tap()
    expect(page.get_by_role("status")).to_be_visible()
    signature = scene.rollback.plans.get().approvals.get()
    assert (signature.approver, signature.comment) == (scene.approver, "From the train")


def test_an_open_detail_of_the_ledger_leaves_its_table_readable(scene: Scene, signed_in: SignIn) -> None:
    auditor = signed_in(person(Role.AUDITOR))
    page = auditor.page
    auditor.open("/ledger/")
    target = page.get_by_role("row").nth(1).locator("td").nth(4)
    closed = target.bounding_box()
    for summary in page.locator("td details > summary").all():
        summary.click()
    opened = target.bounding_box()

    assert closed is not None
    assert opened is not None
    assert opened["width"] == closed["width"] > 80
    table = page.locator(".table-scroll")
    assert table.evaluate("element => element.scrollWidth - element.clientWidth") == 0


def test_a_script_that_slipped_into_a_page_is_not_run(scene: Scene, signed_in: SignIn) -> None:
    person = signed_in(scene.engineer)
    person.page.evaluate(
        """() => {
            const script = document.createElement("script");
            script.textContent = "window.slippedIn = true";
            document.body.append(script);
        }"""
    )
    assert person.page.evaluate("window.slippedIn") is None
    (complaint,) = person.complaints
    assert "Content Security Policy" in complaint
    person.complaints.clear()


def focused(page: Page) -> str:
    """What the focused element is called, by its label, its text or its value."""
    found: str = page.evaluate(
        """() => {
            const at = document.activeElement;
            return at.getAttribute("aria-label") || at.labels?.[0]?.innerText || at.innerText || at.name || at.tagName;
        }"""
    )
    return " ".join(found.split())


def tab_to(page: Page, name: str) -> None:
    """Walks with Tab until that is focused, and sees the focus at every stop."""
    for _ in range(60):
        page.keyboard.press("Tab")
        if re.fullmatch(name, focused(page)):
            ring = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
            assert ring != "none", f"the focus on {name} cannot be seen"
            return
    raise AssertionError(f"{name} is not reached by Tab; the last stop was {focused(page)}")


def test_the_way_from_signing_in_to_a_signature_needs_no_mouse(scene: Scene, visit: Visit) -> None:
    scene.approver.set_password(PASSWORD)
    scene.approver.save()
    person = visit()
    page = person.page
    person.open("/")
    expect(page.get_by_label("User name")).to_be_focused()
    page.keyboard.type(scene.approver.get_username())
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Overview", level=1)).to_be_visible()

    page.keyboard.press("Tab")
    assert focused(page) == "Skip to content"
    page.keyboard.press("Enter")
    tab_to(page, "Review")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Before you decide")).to_be_visible()
    tab_to(page, "Approve")
    page.keyboard.press("Enter")
    comment = page.get_by_label("Comment")
    expect(comment).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.get_by_role("button", name="Approve", exact=True)).to_be_focused()
    page.keyboard.press("Enter")
    expect(comment).to_be_focused()
    page.keyboard.type("Read and agreed")
    tab_to(page, "Approve this plan")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_be_visible()
    assert scene.rollback.plans.get().approvals.get().comment == "Read and agreed"
