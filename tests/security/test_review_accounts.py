"""What an independent review found about accounts and tokens. Each xfail is a defect; it turns to green when mended."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib import admin
from django.core.cache import cache
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from rollbacks import services
from rollbacks.models import Rollback
from tenants.access import permissions
from tenants.access.actors import Actor
from tenants.access.matrix import Action, Role, TokenScope
from tenants.accounts import administration, user_accounts
from tenants.errors import DomainError
from tenants.models import LedgerEntry
from tenants.trust import ledger
from tests.factories.changes import disabled_mfa
from tests.factories.rollbacks import digest_of, planned
from tests.factories.tenants import TenantFactory, bind, person

EVERY_SCOPE = frozenset(TokenScope)


def _signed_in(user: object) -> Client:
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")  # type: ignore[arg-type]
    return client


def _bearer(text: str) -> APIClient:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {text}")
    return client


def test_a_password_hash_cannot_be_guessed_through_the_list_of_users(db: None) -> None:
    tenant = TenantFactory()
    administrator = person(Role.ADMINISTRATOR, customer=tenant.customer, is_staff=True)
    victim = person(Role.APPROVER, customer=tenant.customer, username="victim")
    bind(victim, Role.ADMINISTRATOR)
    client = _signed_in(administrator)

    def reported(guess: str) -> bool:
        answer = client.get("/admin/tenants/user/", {"username": "victim", "password__startswith": guess})
        return 'id="result_list"' in answer.content.decode()

    right, wrong = victim.password[:12], victim.password[:11] + "~"
    assert reported(right) == reported(wrong)


def test_an_administrator_cannot_become_a_superuser_by_a_token(db: None) -> None:
    tenant = TenantFactory()
    administrator = person(Role.ADMINISTRATOR)
    root = person(is_superuser=True, is_staff=True)
    assert not permissions.can(Actor.person(administrator, "test"), Action.APPROVE_ROLLBACK, tenant)
    with pytest.raises(permissions.Refused):
        user_accounts.issue_token(
            Actor.person(administrator, "test"), user=root, name="x", scopes=EVERY_SCOPE
        )


def test_a_requester_cannot_sign_with_tokens_issued_in_the_approvers_names(db: None) -> None:
    tenant = TenantFactory()
    mallory = person(Role.ADMINISTRATOR, username="mallory")
    bind(mallory, Role.ENGINEER)
    approvers = [person(Role.APPROVER, username=name) for name in ("alice", "bob")]
    rollback = planned(tenant, mallory, [disabled_mfa(tenant)])
    for approver in approvers:
        try:
            _, text = user_accounts.issue_token(
                Actor.person(mallory, "test"), user=approver, name="x", scopes=EVERY_SCOPE
            )
        except permissions.Refused:
            continue
        _bearer(text).post(
            f"/api/v1/rollbacks/{rollback.pk}/approve/", {"digest": digest_of(rollback)}, format="json"
        )
    assert Rollback.objects.get(pk=rollback.pk).state != Rollback.State.APPROVED


def test_a_requester_cannot_sign_with_accounts_of_their_own_making(db: None) -> None:
    tenant = TenantFactory()
    mallory = person(Role.ADMINISTRATOR, username="mallory")
    bind(mallory, Role.ENGINEER)
    actor = Actor.person(mallory, "test")
    rollback = planned(tenant, mallory, [disabled_mfa(tenant)])
    for name in ("puppet-one", "puppet-two"):
        puppet = user_accounts.create_user(actor, username=name, password="long enough to pass 4711")
        user_accounts.bind_role(
            actor, subject=puppet, role=Role.APPROVER, scope=user_accounts.Scope(tenant=tenant)
        )
        try:
            services.approve(
                Actor.person(puppet, "page"),
                rollback=Rollback.objects.get(pk=rollback.pk),
                digest=digest_of(rollback),
            )
        except DomainError:
            continue
    assert Rollback.objects.get(pk=rollback.pk).state != Rollback.State.APPROVED


def test_a_new_password_ends_the_accounts_tokens_as_it_ends_its_sessions(db: None) -> None:
    engineer = person(Role.ENGINEER)
    _, text = user_accounts.issue_token(
        Actor.person(engineer, "page"), user=engineer, name="of the thief", scopes=EVERY_SCOPE
    )
    user_accounts.set_password(
        Actor.person(person(Role.ADMINISTRATOR), "admin"),
        user=engineer,
        password="a new one after the theft 1",
    )
    assert user_accounts.token_for(text) is None


def test_deactivating_ends_tokens_at_once(db: None) -> None:
    engineer = person(Role.ENGINEER)
    _, text = user_accounts.issue_token(
        Actor.person(engineer, "page"), user=engineer, name="t", scopes=EVERY_SCOPE
    )
    administration.change_account(
        Actor.person(person(Role.ADMINISTRATOR), "admin"), user=engineer, email="", is_active=False
    )
    assert user_accounts.token_for(text) is None


@pytest.mark.parametrize("model", ["user", "tenant", "customer", "connection", "rolebinding"])
def test_autocompletion_tells_an_engineer_nothing_of_others(db: None, model: str) -> None:
    """The autocomplete view takes any relation of any registered model; its rows must be scoped as the lists are."""
    ours, foreign = TenantFactory(name="Ours"), TenantFactory(name="Foreign")
    person(Role.ADMINISTRATOR, tenant=foreign, username="foreign-admin")
    client = _signed_in(person(Role.ENGINEER, tenant=ours, is_staff=True))
    for field in ("user", "tenant", "customer", "group", "app_registration", "requester"):
        for source in (model, "rollback"):
            answer = client.get(
                "/admin/autocomplete/",
                {
                    "app_label": "rollbacks" if source == "rollback" else "tenants",
                    "model_name": source,
                    "field_name": field,
                    "term": "",
                },
            )
            assert answer.status_code in (403, 404) or b"oreign" not in answer.content


def test_a_password_written_in_the_address_bar_finds_no_foreign_user_through_a_relation(db: None) -> None:
    tenant = TenantFactory()
    client = _signed_in(person(Role.ENGINEER, tenant=tenant, is_staff=True))
    answer = client.get("/admin/rollbacks/rollback/", {"requester__password__startswith": "md5"})
    assert answer.status_code in (302, 400)
    assert answer.status_code == 400 or answer["Location"].endswith("?e=1")


def test_lockout_cannot_be_reset_by_a_forwarded_address(db: None) -> None:
    person(username="alice")
    cache.clear()
    client, last = Client(), 0
    for attempt in range(12):
        last = client.post(
            "/sign-in/",
            {"username": "alice", "password": f"guess {attempt}"},
            HTTP_X_FORWARDED_FOR=f"198.51.100.{attempt}",
            HTTP_X_REAL_IP=f"198.51.100.{attempt}",
        ).status_code
    assert last == 429


def test_lockout_holds_against_guesses_from_many_addresses(db: None) -> None:
    person(username="alice")
    cache.clear()
    statuses = [
        Client()
        .post(
            "/sign-in/",
            {"username": "alice", "password": f"guess {attempt}"},
            REMOTE_ADDR=f"198.51.100.{attempt}",
        )
        .status_code
        for attempt in range(100)
    ]
    assert 429 in statuses


def test_no_list_of_the_admin_takes_a_regular_expression(db: None) -> None:
    tenant = TenantFactory()
    disabled_mfa(tenant)
    client = _signed_in(person(Role.AUDITOR, tenant=tenant, is_staff=True))
    answer = client.get("/admin/changes/change/", {"summary__regex": "(x+x+)+y"})
    assert answer.status_code in (302, 400)


def test_the_api_answers_with_and_without_the_last_slash(db: None) -> None:
    engineer = person(Role.ENGINEER, tenant=TenantFactory())
    _, text = user_accounts.issue_token(
        Actor.person(engineer, "test"), user=engineer, name="t", scopes=EVERY_SCOPE
    )
    assert [_bearer(text).get(path).status_code for path in ("/api/v1/tenants/", "/api/v1/tenants")] == [
        200,
        200,
    ]


@pytest.mark.parametrize("model", list(admin.site._registry), ids=lambda model: model._meta.label)
def test_a_list_can_be_asked_for_nothing_but_its_own_filters(db: None, model: Any) -> None:
    TenantFactory()
    client = _signed_in(person(is_superuser=True, is_staff=True))
    page = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
    for asked in ("password__startswith", "user__password__startswith", "token_hash", "id__regex"):
        assert client.get(page, {asked: "a"}).status_code == 400
    for each in admin.site._registry[model].list_filter:
        assert client.get(page, {f"{each}__exact": "1"}).status_code == 200
        assert client.get(page, {f"{each}__exact": "\x00"}).status_code == 400


@pytest.mark.parametrize(
    "value", ["9" * 5000, "²", "-1", "\x00"], ids=["long", "no digit", "negative", "NUL"]
)
def test_an_absurd_tenant_filters_a_list_of_the_admin_to_nothing(db: None, value: str) -> None:
    TenantFactory()
    client = _signed_in(person(is_superuser=True, is_staff=True))
    assert client.get("/admin/changes/change/", {"in_tenant": value}).status_code in (200, 400)


@pytest.mark.parametrize("scope", [TokenScope.REQUEST, TokenScope.APPROVE])
def test_a_token_that_acts_in_another_name_is_issued_for_portals_alone(db: None, scope: TokenScope) -> None:
    tenant = TenantFactory()
    administrator = Actor.person(person(Role.ADMINISTRATOR), "admin")
    portal = person(Role.PORTAL_APPROVER, customer=tenant.customer)
    both = person(Role.PORTAL_APPROVER, customer=tenant.customer)
    bind(both, Role.ENGINEER, tenant=tenant)
    for other in (person(Role.APPROVER, tenant=tenant), both, person()):
        user_accounts.issue_token(
            administrator, user=other, name="reads", scopes=frozenset({TokenScope.READ})
        )
        with pytest.raises(permissions.Refused, match="who must issue it"):
            user_accounts.issue_token(administrator, user=other, name="acts", scopes=frozenset({scope}))
    user_accounts.issue_token(administrator, user=portal, name="acts", scopes=frozenset({scope}))


def test_a_portals_tokens_end_when_the_account_becomes_one_of_the_msps_own(db: None) -> None:
    tenant = TenantFactory()
    administrator = Actor.person(person(Role.ADMINISTRATOR), "admin")
    portal = person(Role.PORTAL, tenant=tenant)
    _, text = user_accounts.issue_token(administrator, user=portal, name="theirs", scopes=EVERY_SCOPE)
    scope = user_accounts.Scope(tenant=tenant)
    user_accounts.bind_role(administrator, subject=portal, role=Role.PORTAL_APPROVER, scope=scope)
    assert user_accounts.token_for(text) is not None
    user_accounts.bind_role(administrator, subject=portal, role=Role.APPROVER, scope=scope)
    assert user_accounts.token_for(text) is None
    assert LedgerEntry.objects.order_by("sequence").last().detail["revoked"] == ["theirs"]  # type: ignore[union-attr]
    assert ledger.verify() == []


def test_the_operator_issues_any_token_and_a_superuser_only_his_own_kind(db: None) -> None:
    root, other_root = (person(is_superuser=True, is_staff=True) for _ in range(2))
    operator = Actor.system("command line", *Action)
    token, _ = user_accounts.issue_token(operator, user=root, name="x", scopes=EVERY_SCOPE)
    assert token.expires_at > timezone.now() + user_accounts.OWN_TOKEN_LIFE
    reading = frozenset({TokenScope.READ})
    user_accounts.issue_token(Actor.person(root, "admin"), user=other_root, name="x", scopes=reading)
    with pytest.raises(permissions.Refused):
        user_accounts.issue_token(Actor.person(root, "admin"), user=other_root, name="x", scopes=EVERY_SCOPE)


def test_ones_own_token_lives_ninety_days_at_most(db: None) -> None:
    engineer = person(Role.ENGINEER)
    for life, longest in ((timedelta(days=400), timedelta(days=90)), (timedelta(days=1), timedelta(days=1))):
        token, _ = user_accounts.issue_token(
            Actor.person(engineer, "page"), user=engineer, name="x", scopes=EVERY_SCOPE, life=life
        )
        assert abs(token.expires_at - timezone.now() - longest) < timedelta(minutes=1)


def test_an_administrator_sets_no_superusers_password_by_any_service(db: None) -> None:
    root = person(is_superuser=True)
    with pytest.raises(permissions.Refused):
        user_accounts.set_password(
            Actor.person(person(Role.ADMINISTRATOR), "admin"), user=root, password="a long enough phrase 7"
        )


def test_a_token_cannot_set_its_owners_password(db: None) -> None:
    engineer = person(Role.ENGINEER)
    token, _ = user_accounts.issue_token(
        Actor.person(engineer, "page"), user=engineer, name="x", scopes=EVERY_SCOPE
    )
    with pytest.raises(permissions.Refused):
        user_accounts.set_password(Actor.bearer(token), user=engineer, password="a long enough phrase 7")


def test_changing_ones_own_password_ends_ones_tokens(db: None) -> None:
    engineer = person(Role.ENGINEER, is_staff=True)
    _, text = user_accounts.issue_token(
        Actor.person(engineer, "page"), user=engineer, name="x", scopes=EVERY_SCOPE
    )
    answer = _signed_in(engineer).post(
        "/password/",
        {
            "old_password": "correct horse battery staple",
            "new_password1": "a long enough phrase 7",
            "new_password2": "a long enough phrase 7",
        },
    )
    assert answer.status_code == 302
    assert user_accounts.token_for(text) is None
    assert LedgerEntry.objects.get(action="user:password").detail == {"revoked": ["x"]}


def test_roles_on_a_whole_customer_are_shown_to_those_who_may_bind_them(db: None) -> None:
    tenant = TenantFactory()
    person(Role.PORTAL_APPROVER, customer=tenant.customer, username="of-the-customer")
    person(Role.ENGINEER, tenant=tenant, username="of-the-tenant")
    shown = {}
    for name, scope in (("tenant", {"tenant": tenant}), ("customer", {"customer": tenant.customer})):
        client = _signed_in(person(Role.ADMINISTRATOR, is_staff=True, **scope))
        for model in ("rolebinding", "user"):
            page = client.get(f"/admin/tenants/{model}/").content.decode()
            assert "of-the-tenant" in page
            shown[name, model] = "of-the-customer" in page
    assert shown == {
        ("tenant", "rolebinding"): False,
        ("tenant", "user"): False,
        ("customer", "rolebinding"): True,
        ("customer", "user"): True,
    }
