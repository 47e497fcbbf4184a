"""How one signs in to the API."""

from datetime import timedelta

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from tenants.access.actors import Actor
from tenants.access.matrix import Role, TokenScope
from tenants.accounts import user_accounts
from tenants.models import ApiToken, LedgerEntry
from tests.api.conftest import World, bearer, with_token


def issue(world: World) -> tuple[ApiToken, str]:
    user = world.people[Role.ENGINEER]
    return user_accounts.issue_token(
        Actor.person(user, "test"), user=user, name="test", scopes=frozenset({TokenScope.READ})
    )


def test_a_live_token_signs_in(world: World) -> None:
    _token, text = issue(world)
    assert with_token(text).get("/api/v1/tenants/").status_code == 200


def test_an_expired_token_does_not(world: World) -> None:
    token, text = issue(world)
    ApiToken.objects.filter(pk=token.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    assert with_token(text).get("/api/v1/tenants/").status_code == 401


def test_a_revoked_token_does_not(world: World) -> None:
    token, text = issue(world)
    user_accounts.revoke_token(Actor.person(world.people[Role.ENGINEER], "test"), token)
    assert with_token(text).get("/api/v1/tenants/").status_code == 401


def test_the_token_of_a_deactivated_user_does_not(world: World) -> None:
    token, text = issue(world)
    token.user.is_active = False
    token.user.save()
    assert with_token(text).get("/api/v1/tenants/").status_code == 401


@pytest.mark.parametrize(
    "header", ["Bearer", "Bearer lw_nonsense", "Bearer lw_a lw_b", "Bearer \xff", "Basic abc"]
)
def test_a_wrong_header_does_not_and_is_not_repeated_in_the_answer(world: World, header: str) -> None:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=header)
    response = client.get("/api/v1/tenants/")
    assert response.status_code == 401
    assert response["WWW-Authenticate"].startswith("Bearer")
    assert "lw_" not in response.content.decode()


def test_a_browser_session_reads(world: World) -> None:
    client = APIClient()
    client.force_login(world.people[Role.PORTAL], backend="django.contrib.auth.backends.ModelBackend")
    assert client.get("/api/v1/tenants/").status_code == 200


def test_a_browser_session_writes_only_with_a_csrf_token(world: World) -> None:
    client = APIClient(enforce_csrf_checks=True)
    client.force_login(world.people[Role.ENGINEER], backend="django.contrib.auth.backends.ModelBackend")
    body = {"tenant": "Contoso"}
    refused = client.post("/api/v1/snapshots/", body)
    assert refused.status_code == 403
    client.cookies["csrftoken"] = "a" * 32
    assert client.post("/api/v1/snapshots/", body, HTTP_X_CSRFTOKEN="a" * 32).status_code == 202


def test_the_ledger_says_through_which_token_somebody_acted(world: World) -> None:
    bearer(world.people[Role.ENGINEER]).post("/api/v1/snapshots/", {"tenant": "Contoso"})
    entry = LedgerEntry.objects.get(action="snapshot:request")
    assert entry.actor == "engineer"
    assert entry.via.startswith("api token lw_")
