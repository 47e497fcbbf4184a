"""Changes chosen on the timeline stay chosen, whatever the page does meanwhile, and the plan covers all of them."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from changes.views import PAGE_SIZE
from tenants.access.matrix import Role
from tenants.models import User
from tests.browser.conftest import Visit
from tests.browser.visitor import Visitor
from tests.factories.tenants import person
from tests.pages.conftest import Scene, make_scene
from tests.pages.test_timeline import many_changes

PASSWORD = "a-long-enough-word"
REASON = "Reason (shown to approvers)"
SignIn = Callable[[User], Visitor]


@pytest.fixture
def scene(committed_db: None) -> Scene:
    return make_scene()


@pytest.fixture
def sign_in(visit: Visit) -> SignIn:
    def enter(user: User) -> Visitor:
        user.set_password(PASSWORD)
        user.save()
        visitor = visit()
        visitor.sign_in(user.get_username(), PASSWORD)
        visitor.open("/changes/")
        return visitor

    return enter


def filtered(page: Page, severity: str) -> None:
    page.locator("label.choice", has_text=severity).click()
    expect(page).to_have_url(re.compile(f"severity={severity}"))


def counted(page: Page, text: str) -> None:
    expect(page.locator("[data-selection-count]")).to_have_text(text)


def sent(page: Page) -> tuple[list[str], str]:
    """What the selection form would send now: change ids and the reason."""
    found = page.evaluate(
        """() => {
            const sent = new FormData(document.querySelector("[data-selection]"));
            return [[...new Set(sent.getAll("change"))], sent.get("reason")];
        }"""
    )
    return sorted(found[0], key=int), found[1]


def test_ticks_and_reason_survive_filters_and_their_fields_losing_focus(
    scene: Scene, sign_in: SignIn
) -> None:
    many_changes(scene.tenant, 3)
    page = sign_in(scene.engineer).page
    page.get_by_label("Select all shown changes").check()
    page.get_by_label(REASON).fill("Stolen session")
    chosen, _ = sent(page)
    assert len(chosen) == 4

    with page.expect_response(re.compile(r"actor=gina")):
        page.get_by_label("Actor").fill("gina")
        page.get_by_label("Actor").blur()
    expect(page.locator("tbody tr")).to_have_count(1)

    counted(page, "4 changes selected")
    expect(page.get_by_text("3 of them are hidden by this filter")).to_be_visible()
    assert sent(page) == (chosen, "Stolen session")


def test_a_selection_survives_another_page_the_way_back_and_a_reload(scene: Scene, sign_in: SignIn) -> None:
    visitor = sign_in(scene.engineer)
    page = visitor.page
    page.get_by_role("checkbox", name="Select MFA").check()
    page.get_by_label(REASON).fill("Stolen session")
    filtered(page, "low")
    page.go_back()
    expect(page.get_by_role("checkbox", name="Select MFA")).to_be_checked()
    page.locator("a.main-link").first.click()
    expect(page.get_by_role("heading", name="Why it matters")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("checkbox", name="Select MFA")).to_be_checked()
    page.reload()

    counted(page, "1 change selected")
    assert sent(page) == ([str(scene.change.pk)], "Stolen session")


def test_older_changes_join_the_selection(scene: Scene, sign_in: SignIn) -> None:
    many_changes(scene.tenant, PAGE_SIZE + 2)
    page = sign_in(scene.engineer).page
    page.get_by_label("Select all shown changes").check()
    counted(page, f"{PAGE_SIZE} changes selected")

    page.get_by_role("link", name="Older changes").scroll_into_view_if_needed()
    expect(page.locator("tbody tr")).to_have_count(PAGE_SIZE + 3)

    counted(page, f"{PAGE_SIZE} changes selected")
    page.get_by_role("checkbox", name="Select MFA").check()
    counted(page, f"{PAGE_SIZE + 1} changes selected")


def test_a_selection_is_cleared_whole_or_change_by_change(scene: Scene, sign_in: SignIn) -> None:
    many_changes(scene.tenant, 2)
    page = sign_in(scene.engineer).page
    page.get_by_label("Select all shown changes").check()
    filtered(page, "critical")
    counted(page, "3 changes selected")

    page.get_by_text("Show the selection").press("Enter")
    page.get_by_role("button", name="Remove Place 0").press("Enter")
    counted(page, "2 changes selected")
    page.get_by_role("button", name="Clear selection").press("Enter")

    expect(page.get_by_role("checkbox", name="Select MFA")).not_to_be_checked()
    assert sent(page)[0] == []


def test_a_refused_plan_keeps_the_selection(scene: Scene, sign_in: SignIn) -> None:
    visitor = sign_in(scene.engineer)
    page = visitor.page
    page.get_by_role("checkbox", name="Select MFA").check()
    page.get_by_label(REASON).fill("Stolen session")
    page.get_by_role("button", name="Plan rollback").click()

    expect(page.get_by_role("alert")).to_be_visible()
    expect(page).to_have_url(re.compile("/changes/"))
    counted(page, "1 change selected")
    assert sent(page) == ([str(scene.change.pk)], "Stolen session")


def test_changes_of_two_tenants_are_planned_one_tenant_after_the_other(scene: Scene, sign_in: SignIn) -> None:
    other = make_scene()
    page = sign_in(person(Role.ENGINEER)).page
    page.get_by_label("Select all shown changes").check()
    page.get_by_label(REASON).fill("One campaign")
    expect(page.locator("[data-selection-tenants]")).to_contain_text("1 in tenant")
    page.get_by_role("button", name="Plan rollback").click()

    expect(page.get_by_role("heading", name="2 changes in 2 tenants", level=1)).to_be_visible()
    for tenant in (scene.tenant, other.tenant):
        region = page.get_by_role("region", name=tenant.name)
        expect(region).to_contain_text("1 change")
        expect(region.get_by_role("button", name="Plan rollback of 1 change")).to_be_visible()
    page.get_by_role("link", name="Back to the timeline").click()
    counted(page, "2 changes selected")
    assert sent(page)[1] == "One campaign"


def test_a_lost_session_leads_to_sign_in_and_back_to_the_selection(scene: Scene, sign_in: SignIn) -> None:
    visitor = sign_in(scene.engineer)
    page = visitor.page
    page.get_by_role("checkbox", name="Select MFA").check()
    counted(page, "1 change selected")
    page.context.clear_cookies()
    page.locator("label.choice", has_text="critical").click()

    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    expect(page.get_by_role("table")).to_have_count(0)
    page.get_by_label("User name").fill(scene.engineer.get_username())
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_url(re.compile("/changes/"))
    counted(page, "1 change selected")


def test_another_person_at_the_same_window_finds_nothing_selected(scene: Scene, sign_in: SignIn) -> None:
    visitor = sign_in(scene.engineer)
    page = visitor.page
    page.get_by_role("checkbox", name="Select MFA").check()
    counted(page, "1 change selected")
    second = person(Role.ENGINEER, tenant=scene.tenant)
    second.set_password(PASSWORD)
    second.save()
    page.get_by_label("Account menu").click()
    page.get_by_role("button", name="Sign out").click()
    visitor.sign_in(second.get_username(), PASSWORD)
    visitor.open("/changes/")

    expect(page.get_by_role("checkbox", name="Select MFA")).not_to_be_checked()
    assert sent(page)[0] == []
