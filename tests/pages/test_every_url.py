"""Every page, for everybody: nobody, a stranger, somebody without the right, somebody with it. A URL that is not in
the table fails the first test."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from tenants.access.matrix import Role
from tenants.models import User
from tests.factories.tenants import person
from tests.pages.conftest import POLICY, Scene

SignIn = Callable[[User], Client]

WITHOUT_SIGN_IN = {"login", "logout"}
NOT_PAGES = ("admin/", "api/")


@dataclass(frozen=True)
class Page:
    """How to call one URL, with which role it answers, and with which it refuses (None: everybody may)."""

    name: str
    allowed: Role
    refused: Role | None = None
    method: str = "get"
    of: Callable[[Scene], list[Any]] = lambda _scene: []
    query: Callable[[Scene], dict[str, Any]] = lambda _scene: {}
    data: Callable[[Scene], dict[str, Any]] = lambda _scene: {}
    names_an_object: bool = True
    answers: int = 200

    def call(self, client: Client, scene: Scene) -> Any:
        url = reverse(self.name, args=self.of(scene), query=self.query(scene) or None)
        return client.get(url) if self.method == "get" else client.post(url, self.data(scene))


def _tenant(scene: Scene) -> list[Any]:
    return [scene.tenant.pk]


def _rollback(scene: Scene) -> list[Any]:
    return [scene.rollback.pk]


def _rejection(scene: Scene) -> dict[str, Any]:
    return {**_digest(scene), "reason": "not now"}


def _digest(scene: Scene) -> dict[str, Any]:
    assert scene.rollback.plan is not None
    return {"digest": scene.rollback.plan.digest}


def _act(
    name: str,
    allowed: Role,
    refused: Role,
    of: Callable[[Scene], list[Any]],
    data: Callable[[Scene], dict[str, Any]] = lambda _scene: {},
) -> Page:
    return Page(name, allowed, refused, method="post", of=of, data=data, answers=302)


PAGES = [
    Page("overview", Role.AUDITOR, names_an_object=False),
    Page("timeline", Role.AUDITOR, names_an_object=False),
    Page("change", Role.AUDITOR, of=lambda scene: [scene.change.pk]),
    Page("compare", Role.AUDITOR, query=lambda scene: {"base": scene.before.pk, "target": scene.after.pk}),
    Page("resource", Role.AUDITOR, of=lambda scene: [scene.tenant.pk, "conditionalAccessPolicy", POLICY]),
    Page("audit-events", Role.AUDITOR, names_an_object=False),
    Page("audit-event", Role.AUDITOR, of=lambda scene: [scene.event.pk]),
    Page("tenants", Role.AUDITOR, names_an_object=False),
    Page("tenant", Role.AUDITOR, of=_tenant),
    Page("recoverability", Role.AUDITOR, of=_tenant),
    Page("snapshot", Role.AUDITOR, of=lambda scene: [scene.after.pk]),
    Page("run", Role.AUDITOR, of=lambda scene: [scene.run.pk]),
    Page("ledger", Role.AUDITOR, Role.ENGINEER, names_an_object=False),
    Page("confirmations", Role.AUDITOR, Role.ENGINEER, names_an_object=False),
    _act("confirm-act", Role.ADMINISTRATOR, Role.AUDITOR, lambda scene: [scene.act.number]),
    Page("password", Role.PORTAL, names_an_object=False),
    Page("rollbacks", Role.AUDITOR, names_an_object=False),
    Page("rollback", Role.AUDITOR, of=_rollback),
    Page("rollback-progress", Role.AUDITOR, of=_rollback, answers=302),
    Page("plan-rollback", Role.ENGINEER, Role.APPROVER, query=lambda scene: {"tenant": scene.tenant.pk}),
    _act("acknowledge", Role.ENGINEER, Role.AUDITOR, lambda scene: [scene.change.pk]),
    _act("take-snapshot", Role.ENGINEER, Role.AUDITOR, _tenant),
    _act("test-connection", Role.ADMINISTRATOR, Role.ENGINEER, lambda scene: [scene.tenant.pk, "reader"]),
    _act("approve-rollback", Role.APPROVER, Role.AUDITOR, _rollback, _digest),
    _act("reject-rollback", Role.APPROVER, Role.AUDITOR, _rollback, _rejection),
    _act("execute-rollback", Role.ENGINEER, Role.APPROVER, _rollback),
    _act("cancel-rollback", Role.ENGINEER, Role.AUDITOR, _rollback),
    _act("replan-rollback", Role.ENGINEER, Role.APPROVER, _rollback),
]
NAMES = [page.name for page in PAGES]


def test_every_url_is_in_the_table() -> None:
    assert set(_names(get_resolver())) == set(NAMES) | WITHOUT_SIGN_IN


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_whoever_is_not_signed_in_is_sent_to_sign_in(page: Page, scene: Scene, client: Client) -> None:
    response = page.call(client, scene)

    assert response.status_code == 302
    assert response.url.startswith(reverse("login"))


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_what_belongs_to_somebody_else_does_not_exist(
    page: Page, scene: Scene, foreign: Scene, signed_in: SignIn
) -> None:
    response = page.call(signed_in(person(page.allowed, tenant=foreign.tenant)), scene)

    if page.names_an_object:
        assert response.status_code == 404
    else:
        assert response.status_code == 200
        assert f"/tenants/{scene.tenant.pk}/" not in response.text
        assert f"/changes/{scene.change.pk}/" not in response.text
        assert f"/rollbacks/{scene.rollback.pk}/" not in response.text


@pytest.mark.parametrize("page", [page for page in PAGES if page.refused], ids=lambda page: page.name)
def test_whoever_lacks_the_right_is_refused(page: Page, scene: Scene, signed_in: SignIn) -> None:
    assert page.refused is not None
    response = page.call(signed_in(person(page.refused, tenant=scene.tenant)), scene)

    if page.method == "get":
        assert response.status_code == 403
        assert "may not" in response.text
    else:
        assert response.status_code == 302
        (message,) = get_messages(response.wsgi_request)
        assert message.level_tag == "error"
        assert "may not" in str(message)


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_whoever_has_the_right_is_answered(page: Page, scene: Scene, signed_in: SignIn) -> None:
    response = page.call(signed_in(person(page.allowed, tenant=scene.tenant)), scene)

    assert response.status_code == page.answers
    if page.method == "post":
        assert "may not" not in " ".join(map(str, get_messages(response.wsgi_request)))


@pytest.mark.parametrize(
    "page",
    [page for page in PAGES if page.method == "get" and page.answers == 200],
    ids=lambda page: page.name,
)
def test_names_from_a_tenant_are_never_markup(page: Page, scene: Scene, signed_in: SignIn) -> None:
    response = page.call(signed_in(person(page.allowed, tenant=scene.tenant)), scene)

    assert "<script>alert" not in response.text
    assert "no-store" in response.headers["Cache-Control"]
    assert " style=" not in response.text
    assert " onclick=" not in response.text


def _names(resolver: URLResolver) -> Iterator[str]:
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLResolver):
            if not str(pattern.pattern).startswith(NOT_PAGES):
                yield from _names(pattern)
        elif isinstance(pattern, URLPattern):
            yield str(pattern.name)
