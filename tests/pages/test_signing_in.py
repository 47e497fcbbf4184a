"""Signing in and out, error pages, the health probe, and the headers that guard every page."""

from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from tenants.models import User
from tests.factories.tenants import UserFactory
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
    assert "There is nothing here" in response.text


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
