"""The demo's road in a real browser: each person at a window of their own, from the overview to the
verification.
"""

import re

from playwright.sync_api import Page, expect

from changes.models import Change
from lavawall import tasks
from lavawall.demo import story
from lavawall.demo.cast import ATTACKED, OTHER_CUSTOMER
from lavawall.demo.story import ATTACKER_IP, Stage
from rollbacks.models import Rollback
from tenants.models import Run
from tests.browser.conftest import Visit
from tests.browser.visitor import Visitor

ACTS = "main form[method=post] :is(button, input:not([type=hidden]))"
MFA = re.compile("Multi-factor authentication is no longer required for")


def signed_in(visit: Visit, stage: Stage, name: str) -> Visitor:
    person = visit()
    login = stage.logins[name]
    person.sign_in(login.username, login.password)
    return person


def test_five_people_bring_a_tenant_back(stage: Stage, visit: Visit) -> None:
    erin = signed_in(visit, stage, "erin")
    sees_the_counts(erin.page)
    finds_the_change(erin, stage)
    plans_the_rollback(erin, stage)
    cannot_approve_alone(erin)
    number = Rollback.objects.get().pk

    amir = signed_in(visit, stage, "amir")
    approves_from_the_overview(amir.page, number, "Seen with the customer by phone")
    expect(amir.page.get_by_text("1 of 2").first).to_be_visible()
    expect(amir.page.get_by_role("button", name="Approve")).to_have_count(0)
    expect(amir.page.get_by_text("You have signed this plan.")).to_be_visible()

    aiko = signed_in(visit, stage, "aiko")
    approves_from_the_overview(aiko.page, number, "")
    expect(aiko.page.locator(".state.approved").first).to_be_visible()

    erin.page.reload()
    expect(erin.page.get_by_text("Seen with the customer by phone")).to_be_visible()
    executes(erin.page)

    reads_everything_and_changes_nothing(signed_in(visit, stage, "otto"), number)
    sees_nothing_of_the_neighbour(signed_in(visit, stage, "brenner-portal"), stage, number)


def sees_the_counts(page: Page) -> None:
    row = page.get_by_role("row").filter(has=page.get_by_role("link", name=ATTACKED, exact=True))
    counts = row.locator("td[data-label='24h']")
    expect(counts.get_by_title("2 open, critical")).to_be_visible()
    expect(counts.get_by_title("8 open, high")).to_be_visible()
    expect(page.get_by_role("link", name=MFA)).to_be_visible()


def finds_the_change(erin: Visitor, stage: Stage) -> None:
    """Timeline, its filter, and what changed with who did it."""
    page = erin.page
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Timeline").click()
    boxes = page.locator("input[name=change]")
    expect(boxes).to_have_count(len(story.EXPECTED))
    page.locator("label.choice", has_text="critical").click()
    expect(boxes).to_have_count(2)
    assert "severity=critical" in erin.path
    page.get_by_role("link", name=MFA).click()

    fields = page.get_by_role("table", name="Fields before and after")
    state = fields.get_by_role("row").filter(has_text="state").first
    expect(state.locator("td.before")).to_contain_text("enabled")
    expect(state.locator("td.after")).to_contain_text("disabled")
    who = page.get_by_role("region", name="Who did it")
    expect(who).to_contain_text(stage.thief["user_principal_name"])
    expect(who).to_contain_text(ATTACKER_IP)
    expect(who).to_contain_text("Romania (RO) from the sign-in log")
    expect(who).to_contain_text(re.compile("Audit event[A-Za-z]+_[0-9a-f-]{36}"))
    expect(page.get_by_role("region", name="Why it matters")).to_contain_text("ATT&CK")


def plans_the_rollback(erin: Visitor, stage: Stage) -> None:
    """All that is on the timeline, ticked at once; what a filter hides by then is planned with it."""
    page = erin.page
    total = len(story.EXPECTED)
    erin.open("/changes/")
    page.get_by_label("Select all shown changes").check()
    expect(page.get_by_text(f"{total} changes selected")).to_be_visible()
    page.get_by_label("Reason (shown to approvers)").fill("Stolen session of Petra")
    page.locator("label.choice", has_text="critical").click()
    expect(page.get_by_text(f"{total - 2} of them are hidden by this filter")).to_be_visible()
    page.get_by_role("button", name="Plan rollback").click()

    expect(page.get_by_role("heading", name="Stolen session of Petra", level=1)).to_be_visible()
    expect(page.get_by_role("status")).to_contain_text(f"covers {total} selected changes")
    plan = page.get_by_role("region", name="Plan", exact=True)
    expect(plan.get_by_text("Dry run:").first).to_be_visible()
    expect(plan).to_contain_text("Recreates Named location “Calgary clinic”")
    expect(page.get_by_role("region", name="This plan")).to_contain_text("0 were sent")
    assert stage.show.number == 0
    address = erin.path
    erin.open("/changes/")
    expect(page.get_by_text("Select changes to roll back")).to_be_visible()
    erin.open(address)


def cannot_approve_alone(erin: Visitor) -> None:
    page = erin.page
    expect(page.get_by_role("button", name="Approve")).to_have_count(0)
    expect(page.get_by_role("button", name="Execute now")).to_have_count(0)
    expect(page.get_by_text("You requested this rollback, so someone else must approve it.")).to_be_visible()
    plan = Rollback.objects.get().plan
    assert plan is not None
    for act, answer in (("approve", "someone else must approve it"), ("execute", "0 of 2 approvals")):
        erin.post(f"{erin.path}{act}/", digest=plan.digest)
        expect(page.get_by_role("alert")).to_contain_text(answer)
    assert not plan.approvals.exists()


def approves_from_the_overview(page: Page, number: int, comment: str) -> None:
    waiting = page.get_by_role("region", name="1 rollback waiting for your approval")
    waiting.get_by_role("link", name="Review").click()
    expect(page.get_by_role("region", name="Before you decide")).to_contain_text("recreated")
    page.get_by_role("button", name="Approve", exact=True).click()
    page.get_by_label("Comment").fill(comment)
    page.get_by_role("button", name="Approve this plan").click()
    expect(page.get_by_role("status")).to_be_visible()
    assert Rollback.objects.get(pk=number).state != "draft"


def executes(page: Page) -> None:
    """The page follows the execution by itself; the worker's part is played here."""
    page.get_by_role("button", name="Execute now").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text(f"to {ATTACKED}")
    dialog.get_by_role("button", name="Execute the plan").click()
    progress = page.get_by_role("progressbar", name="Steps done")
    expect(page.get_by_role("heading", name="Executing")).to_be_visible()
    expect(progress).to_have_attribute("value", "0")
    tasks.perform(Run.objects.filter(kind=Run.Kind.EXECUTE).latest("pk").pk)
    verification = page.get_by_role("region", name="Verification")
    expect(verification).to_contain_text("the earlier version")
    expect(verification.get_by_role("table", name="Remapped IDs")).to_contain_text("Calgary clinic")
    expect(page.locator(".facts .state.verified")).to_be_visible()
    expect(page.get_by_role("heading", name="Executing")).to_have_count(0)


def reads_everything_and_changes_nothing(otto: Visitor, number: int) -> None:
    page = otto.page
    names = page.get_by_role("navigation", name="Main").get_by_role("link").all_inner_texts()
    assert "Ledger" in names
    for name in names:
        page.get_by_role("navigation", name="Main").get_by_role("link", name=name, exact=True).click()
        expect(page.locator(ACTS)).to_have_count(0)
    for path in (f"/rollbacks/{number}/", f"/changes/{Change.objects.latest('pk').pk}/"):
        otto.open(path)
        expect(page.locator(ACTS)).to_have_count(0)
    before = Rollback.objects.count()
    with otto.refused_with(403):
        otto.open("/rollbacks/new/")
    expect(page.get_by_role("heading", name="You do not have permission")).to_be_visible()
    assert Rollback.objects.count() == before


def sees_nothing_of_the_neighbour(portal: Visitor, stage: Stage, number: int) -> None:
    page = portal.page
    expect(page.get_by_role("main").get_by_role("link", name=OTHER_CUSTOMER, exact=True)).to_be_visible()
    for path in ("/", "/changes/", "/tenants/", "/rollbacks/", "/audit-events/"):
        portal.open(path)
        assert "Aurora" not in page.content()
    with portal.refused_with(404):
        for path in (
            f"/rollbacks/{number}/",
            f"/tenants/{stage.tenant.pk}/",
            f"/changes/{stage.incident()[0].pk}/",
        ):
            portal.open(path)
            assert "Aurora" not in page.content()
            expect(page.locator("main")).to_contain_text("404")
