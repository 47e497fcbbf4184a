"""Signing in and out, error pages, the health probe, and the headers that guard every page."""

from urllib.parse import quote

import pytest
from django.core.cache import cache
from django.test import Client, RequestFactory
from django.urls import reverse

from tenants.access.matrix import Role
from tenants.models import User
from tests.factories.tenants import UserFactory, person
from tests.pages.conftest import Scene

PASSWORD = "correct horse battery staple"


def test_the_right_password_opens_the_overview(db: None, client: Client) -> None:
    user: User = UserFactory()

    response = client.post(reverse("login"), {"username": user.username, "password": PASSWORD}, follow=True)

    assert response.redirect_chain == [(reverse("overview"), 302)]
    assert f"Signed in as <strong>{user.username}" in response.text


def test_a_wrong_password_is_said_without_saying_which_part_was_wrong(db: None, client: Client) -> None:
    user: User = UserFactory()

    known = client.post(reverse("login"), {"username": user.username, "password": "wrong"})
    unknown = client.post(reverse("login"), {"username": "nobody", "password": "wrong"})

    assert known.context["form"].non_field_errors() == unknown.context["form"].non_field_errors()
    assert 'role="alert"' in known.text


def test_too_many_failures_lock_the_account_even_for_the_right_password(db: None, client: Client) -> None:
    cache.clear()
    user: User = UserFactory()
    for _ in range(8):
        client.post(reverse("login"), {"username": user.username, "password": "wrong"})

    response = client.post(reverse("login"), {"username": user.username, "password": PASSWORD})

    assert response.status_code == 429
    assert "_auth_user_id" not in client.session


def test_signing_in_never_leads_off_the_site(db: None, client: Client) -> None:
    user: User = UserFactory()

    response = client.post(
        reverse("login"), {"username": user.username, "password": PASSWORD, "next": "https://evil.example/"}
    )

    assert response.headers["Location"] == reverse("overview")


def test_signing_out_needs_a_post_and_ends_the_session(scene: Scene, client: Client) -> None:
    client.force_login(scene.engineer, backend="django.contrib.auth.backends.ModelBackend")

    assert client.get(reverse("logout")).status_code == 405
    client.post(reverse("logout"))

    assert client.get(reverse("overview")).status_code == 302


@pytest.mark.parametrize("role", [Role.ADMINISTRATOR, Role.ENGINEER, Role.AUDITOR, Role.PORTAL])
def test_everybody_changes_their_own_password_from_any_page(role: Role, scene: Scene, client: Client) -> None:
    user = person(role, tenant=scene.tenant)
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    for name in ("overview", "timeline", "tenants", "rollbacks"):
        assert f'href="{reverse("password")}"' in client.get(reverse(name)).text
    new = "a long enough phrase 7"

    unknown = client.post(
        reverse("password"), {"old_password": "guessed", "new_password1": new, "new_password2": new}
    )
    assert "Your old password was entered incorrectly" in unknown.text

    changed = client.post(
        reverse("password"),
        {"old_password": PASSWORD, "new_password1": new, "new_password2": new},
        follow=True,
    )
    assert "Your password was changed." in changed.text
    assert changed.redirect_chain == [(reverse("overview"), 302)]
    assert Client().login(request=RequestFactory().post("/"), username=user.username, password=new)


def test_the_administration_leads_to_the_password_page(db: None, client: Client) -> None:
    user = person(Role.ADMINISTRATOR, is_staff=True)
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")

    assert f'href="{reverse("password")}"' in client.get(reverse("admin:index")).text
    assert client.get(reverse("admin:password_change")).headers["Location"] == reverse("password")


@pytest.mark.parametrize("name", ["timeline", "recoverability", "run", "rollback-progress"])
def test_htmx_without_a_session_moves_the_whole_page_to_sign_in(
    name: str, scene: Scene, client: Client
) -> None:
    args = {
        "recoverability": [scene.tenant.pk],
        "run": [scene.run.pk],
        "rollback-progress": [scene.rollback.pk],
    }
    here = "http://testserver/changes/?severity=critical"

    response = client.get(
        reverse(name, args=args.get(name)), headers={"HX-Request": "true", "HX-Current-URL": here}
    )

    assert response.headers["HX-Redirect"] == f"{reverse('login')}?next=/changes/%3Fseverity%3Dcritical"
    assert response.text == ""


def test_a_form_sent_without_a_session_leads_back_to_its_page(scene: Scene, client: Client) -> None:
    page = reverse("rollback", args=[scene.rollback.pk])

    response = client.post(
        reverse("cancel-rollback", args=[scene.rollback.pk]), headers={"Referer": f"http://testserver{page}"}
    )

    assert response.headers["Location"] == f"{reverse('login')}?next={quote(f'http://testserver{page}')}"


def test_a_form_without_its_token_is_refused_in_style(scene: Scene) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(scene.engineer, backend="django.contrib.auth.backends.ModelBackend")

    response = client.post(reverse("take-snapshot", args=[scene.tenant.pk]))

    assert response.status_code == 403
    assert "This form has expired" in response.text


def test_a_page_that_is_not_there_is_404_in_style(scene: Scene, client: Client) -> None:
    client.force_login(scene.engineer, backend="django.contrib.auth.backends.ModelBackend")

    response = client.get("/no/such/page/")

    assert response.status_code == 404
    assert "Page not found" in response.text


def test_the_health_probe_needs_nobody(db: None, client: Client) -> None:
    response = client.get("/healthz")

    assert response.json() == {"status": "ok"}


def test_every_page_forbids_foreign_and_inline_scripts(scene: Scene, client: Client) -> None:
    client.force_login(scene.engineer, backend="django.contrib.auth.backends.ModelBackend")

    response = client.get(reverse("overview"))

    policy = response.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert response.headers["X-Frame-Options"] == "DENY"
    assert "http://" not in response.text
    assert "https://" not in response.text
