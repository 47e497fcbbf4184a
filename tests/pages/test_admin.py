"""The admin: scoped to what the person may see, history read-only for everybody, acts through services only."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from tenants.access.matrix import Role
from tenants.models import (
    ApiToken,
    AppRegistration,
    Customer,
    LedgerEntry,
    RoleBinding,
    Tenant,
    User,
)
from tests.factories.tenants import UserFactory, person
from tests.pages.conftest import Scene

SignIn = Callable[[User], Client]

MODELS = sorted(admin.site._registry, key=lambda model: model._meta.label)
EDITABLE = {RoleBinding, User, ApiToken, Tenant}
HISTORY = [model for model in MODELS if model not in EDITABLE]


def url(model: Any, page: str, *args: Any) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


def superuser() -> User:
    user: User = UserFactory(is_superuser=True, is_staff=True)
    return user


def staff(role: Role, **scope: Any) -> User:
    return person(role, is_staff=True, **scope)


def test_only_the_products_own_models_are_registered() -> None:
    assert {model._meta.app_label for model in MODELS} == {"tenants", "snapshots", "changes", "rollbacks"}
    assert not {"Blob", "DataKey"} & {model.__name__ for model in MODELS}


@pytest.mark.parametrize("model", HISTORY, ids=lambda model: model.__name__)
def test_history_is_read_only_even_for_a_superuser(model: Any, scene: Scene, signed_in: SignIn) -> None:
    client = signed_in(superuser())

    assert client.get(url(model, "changelist")).status_code == 200
    assert client.get(url(model, "add")).status_code == 403
    row = model._default_manager.first()
    if row is not None:
        assert client.get(url(model, "change", row.pk)).status_code == 200
        assert client.post(url(model, "change", row.pk), {}).status_code == 403
        assert client.post(url(model, "delete", row.pk), {"post": "yes"}).status_code == 403
        assert model._default_manager.filter(pk=row.pk).exists()


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_there_is_no_bulk_deletion(model: Any, scene: Scene, signed_in: SignIn) -> None:
    assert "delete_selected" not in signed_in(superuser()).get(url(model, "changelist")).text


@pytest.mark.parametrize("model", HISTORY, ids=lambda model: model.__name__)
def test_foreign_rows_are_neither_listed_nor_found_nor_opened(
    model: Any, scene: Scene, foreign: Scene, signed_in: SignIn
) -> None:
    client = signed_in(staff(Role.ADMINISTRATOR, tenant=foreign.tenant))
    scoped = admin.site._registry[model]

    shown = client.get(url(model, "changelist"))
    found = client.get(url(model, "changelist"), {"q": "e"}) if scoped.search_fields else shown

    assert shown.status_code == found.status_code == 200
    mine = {row.pk for row in shown.context["cl"].result_list} | {
        row.pk for row in found.context["cl"].result_list
    }
    for row in model._default_manager.exclude(pk__in=mine):
        assert client.get(url(model, "change", row.pk)).status_code == 302
    assert scene.tenant.name not in shown.text
    if model not in {Customer, AppRegistration, LedgerEntry}:
        path = getattr(scoped, "tenant_path", "tenant")
        assert not model._default_manager.filter(pk__in=mine, **{path: scene.tenant.pk}).exists()


def test_an_account_without_a_staff_role_stays_outside(scene: Scene, signed_in: SignIn) -> None:
    client = signed_in(person(Role.PORTAL, tenant=scene.tenant))

    assert client.get(reverse("admin:index"), follow=True).status_code == 403


def test_the_admin_is_entered_through_the_products_own_sign_in(db: None, client: Client) -> None:
    response = client.get(reverse("admin:index"), follow=True)

    assert response.redirect_chain[-1][0].startswith(reverse("login"))


def test_an_auditor_can_look_and_nothing_else(scene: Scene, signed_in: SignIn) -> None:
    client = signed_in(staff(Role.AUDITOR))

    page = client.get(reverse("admin:index")).text
    assert client.post(url(Tenant, "change", scene.tenant.pk), {"required_approvals": 1}).status_code == 403
    assert client.get(url(User, "add")).status_code == 403
    assert client.get(url(RoleBinding, "add")).status_code == 403
    assert "Ledger entries" in page
    assert "Role bindings" not in page


def policy(**changed: Any) -> dict[str, Any]:
    return {
        "is_active": "on",
        "snapshot_interval_minutes": 60,
        "required_approvals": 2,
        "required_approvals_critical": 2,
        "plan_lifetime_hours": 24,
        **changed,
    }


def test_a_changed_policy_is_in_the_ledger_with_both_sides(scene: Scene, signed_in: SignIn) -> None:
    client = signed_in(staff(Role.ADMINISTRATOR, tenant=scene.tenant))

    client.post(url(Tenant, "change", scene.tenant.pk), policy(required_approvals_critical=3))

    scene.tenant.refresh_from_db()
    entry = LedgerEntry.objects.get(action="tenant:policy")
    assert scene.tenant.required_approvals_critical == 3
    assert entry.detail == {"changed": {"required_approvals_critical": [2, 3]}}
    assert entry.via == "admin"


def test_a_policy_below_one_approval_is_refused(scene: Scene, signed_in: SignIn) -> None:
    client = signed_in(staff(Role.ADMINISTRATOR, tenant=scene.tenant))

    response = client.post(url(Tenant, "change", scene.tenant.pk), policy(required_approvals=0))

    assert response.status_code == 200
    scene.tenant.refresh_from_db()
    assert scene.tenant.required_approvals == 2


def test_a_role_is_bound_and_unbound_through_the_services(scene: Scene, signed_in: SignIn) -> None:
    client = signed_in(staff(Role.ADMINISTRATOR))
    somebody: User = UserFactory()

    given = {"user": somebody.pk, "role": "auditor", "scope": "tenant", "tenant": scene.tenant.pk}
    client.post(url(RoleBinding, "add"), {**given, "confirmed": "on"})
    binding = RoleBinding.objects.get(user=somebody)
    somebody.refresh_from_db()
    assert somebody.is_staff
    client.post(url(RoleBinding, "delete", binding.pk), {"post": "yes"})

    assert not RoleBinding.objects.filter(user=somebody).exists()
    actions = LedgerEntry.objects.values_list("action", flat=True)
    assert {"role:bind", "role:unbind"} <= set(actions)


@pytest.mark.parametrize(
    ("given", "refusal"),
    [
        ({}, "This field is required."),
        ({"scope": ""}, "This field is required."),
        ({"scope": "tenant"}, "Choose the tenant."),
        ({"scope": "customer"}, "Choose the customer."),
        ({"scope": "msp", "tenant": "any"}, "This does not match the chosen scope."),
        ({"scope": "msp", "confirmed": ""}, "This field is required."),
        ({"scope": "msp", "user": ""}, "Choose a person or a group."),
    ],
    ids=str,
)
def test_a_role_holds_only_where_somebody_chose_and_confirmed_it(
    given: dict[str, Any], refusal: str, scene: Scene, signed_in: SignIn
) -> None:
    client = signed_in(staff(Role.ADMINISTRATOR))
    somebody: User = UserFactory()
    data = {"user": somebody.pk, "role": "approver", "confirmed": "on", **given}
    if data.get("tenant"):
        data["tenant"] = scene.tenant.pk

    answer = client.post(url(RoleBinding, "add"), data)

    assert refusal in answer.text
    assert not RoleBinding.objects.filter(user=somebody).exists()


def test_an_administrator_of_one_tenant_cannot_bind_beyond_it(
    scene: Scene, foreign: Scene, signed_in: SignIn
) -> None:
    client = signed_in(staff(Role.ADMINISTRATOR, tenant=scene.tenant))
    given = {"user": scene.engineer.pk, "role": "administrator", "confirmed": "on"}

    page = client.get(url(RoleBinding, "add")).text
    for scope in (
        {"scope": "msp"},
        {"scope": "tenant", "tenant": foreign.tenant.pk},
        {"scope": "customer", "customer": scene.tenant.customer_id},
    ):
        response = client.post(url(RoleBinding, "add"), {**given, **scope})
        assert response.status_code == 200

    assert foreign.tenant.name not in page
    assert not re.search(rf"\b{foreign.engineer.username}\b", page)
    assert not RoleBinding.objects.filter(user=scene.engineer, role="administrator").exists()


def test_a_new_person_gets_an_account_and_a_weak_password_does_not_pass(db: None, signed_in: SignIn) -> None:
    client = signed_in(staff(Role.ADMINISTRATOR))
    good = "a long enough phrase 7"

    weak = client.post(url(User, "add"), {"username": "nina", "password": "12345", "password_again": "12345"})
    assert weak.status_code == 200
    assert not User.objects.filter(username="nina").exists()
    client.post(url(User, "add"), {"username": "nina", "password": good, "password_again": good})

    assert User.objects.get(username="nina").check_password(good)
    assert good not in str(list(LedgerEntry.objects.values()))


def test_only_a_superuser_resets_a_superusers_password(db: None, signed_in: SignIn) -> None:
    above, administrator = superuser(), staff(Role.ADMINISTRATOR)
    new = {"password": "a long enough phrase 7", "password_again": "a long enough phrase 7"}
    address = reverse("admin:tenants_user_password", args=[above.pk])

    assert signed_in(administrator).post(address, new).status_code == 403
    assert signed_in(superuser()).post(address, new).status_code == 302

    above.refresh_from_db()
    assert above.check_password(new["password"])


def test_rights_cannot_be_given_by_editing_an_account(db: None, signed_in: SignIn) -> None:
    somebody: User = UserFactory()
    client = signed_in(staff(Role.ADMINISTRATOR))

    client.post(
        url(User, "change", somebody.pk), {"email": "x@msp.example", "is_superuser": "on", "is_staff": "on"}
    )

    somebody.refresh_from_db()
    assert somebody.email == "x@msp.example"
    assert not somebody.is_superuser
    assert not somebody.is_staff
    assert not somebody.is_active


def test_a_token_is_shown_once_and_can_be_revoked(scene: Scene, signed_in: SignIn) -> None:
    engineer = staff(Role.ENGINEER, tenant=scene.tenant)
    client = signed_in(engineer)

    issued = client.post(url(ApiToken, "add"), {"user": engineer.pk, "name": "script", "scopes": ["read"]})
    token = ApiToken.objects.get()
    text = issued.context["text"]
    assert text in issued.text
    assert text not in client.get(url(ApiToken, "changelist")).text
    client.post(url(ApiToken, "changelist"), {"action": "revoke", "_selected_action": [token.pk]})

    token.refresh_from_db()
    assert token.revoked_at is not None


def test_nobody_issues_a_token_for_somebody_else_without_the_right(scene: Scene, signed_in: SignIn) -> None:
    client = signed_in(staff(Role.ENGINEER, tenant=scene.tenant))

    response = client.post(
        url(ApiToken, "add"), {"user": scene.approver.pk, "name": "theirs", "scopes": ["approve"]}
    )

    assert response.status_code == 200
    assert not ApiToken.objects.exists()


def test_sealed_columns_are_on_no_page(scene: Scene, signed_in: SignIn) -> None:
    client = signed_in(superuser())
    app = AppRegistration.objects.create(
        name="app",
        client_id="7f1f0b0e-6a1c-4b8e-9b58-0d4b2f6f9a02",
        tenant=scene.tenant,
        credential_kind="secret",
        sealed_credential=b"sealed-bytes",
        fingerprint="fingerprint-value",
    )

    for model, row in ((AppRegistration, app), (type(scene.event), scene.event)):
        page = client.get(url(model, "change", row.pk)).text
        assert "sealed" not in page.lower().replace(scene.tenant.name.lower(), "")
        assert "fingerprint-value" not in page
