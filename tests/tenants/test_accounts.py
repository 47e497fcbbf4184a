"""People, their roles and their tokens: who may give what to whom, and what the ledger keeps of it."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from tenants.access import permissions
from tenants.access.actors import Actor
from tenants.access.matrix import STAFF_ROLES, Action, Role, TokenScope
from tenants.access.permissions import NotVisible, Refused
from tenants.accounts import user_accounts
from tenants.accounts.user_accounts import Scope, UnknownScope
from tenants.models import ApiToken, LedgerEntry, RoleBinding, Tenant, User
from tenants.trust import ledger
from tests.factories.tenants import TenantFactory, UserFactory, person

OPERATOR = Actor.system("test", *Action)
PASSWORD = "a long enough sentence"


@pytest.fixture
def tenant(db: None) -> Tenant:
    tenant: Tenant = TenantFactory()
    return tenant


def actor(role: Role | None = None, **scope: object) -> Actor:
    return Actor.person(person(role, **scope), "page")  # type: ignore[arg-type]


def acts() -> list[str]:
    return list(LedgerEntry.objects.order_by("sequence").values_list("action", flat=True))


def test_scopes_are_read_from_their_three_forms(tenant: Tenant) -> None:
    assert user_accounts.parse_scope("msp") == Scope()
    assert user_accounts.parse_scope(f"customer:{tenant.customer.name}") == Scope(customer=tenant.customer)
    assert user_accounts.parse_scope(f"tenant:{tenant.name}") == Scope(tenant=tenant)
    for scope in (Scope(), Scope(customer=tenant.customer), Scope(tenant=tenant)):
        assert user_accounts.parse_scope(str(scope)) == scope


@pytest.mark.parametrize("text", ["", "msp:x", "tenant:", "tenant:none", "customer:none", "planet:earth"])
def test_an_unknown_scope_is_refused_by_name(tenant: Tenant, text: str) -> None:
    with pytest.raises(UnknownScope):
        user_accounts.parse_scope(text)


def test_a_created_user_can_sign_in_and_may_do_nothing(tenant: Tenant) -> None:
    user = user_accounts.create_user(OPERATOR, username="maria", password=PASSWORD)
    assert user.check_password(PASSWORD)
    assert not user.is_staff
    assert not permissions.visible_tenants(Actor.person(user, "page")).exists()
    assert acts() == ["user:create"]


def test_a_user_without_a_password_cannot_sign_in(db: None) -> None:
    assert not user_accounts.create_user(OPERATOR, username="portal", password=None).has_usable_password()


@pytest.mark.parametrize("password", ["short", "123456789012345", "password1234", "mariamariamaria"])
def test_a_weak_password_is_refused_and_nothing_is_stored(db: None, password: str) -> None:
    with pytest.raises(ValidationError):
        user_accounts.create_user(OPERATOR, username="mariamariamaria", password=password)
    assert not User.objects.exists()
    user = UserFactory()
    with pytest.raises(ValidationError):
        user_accounts.set_password(OPERATOR, user=user, password="short")
    assert acts() == []


def test_a_user_name_is_taken_only_once(db: None) -> None:
    user_accounts.create_user(OPERATOR, username="maria", password=PASSWORD)
    with pytest.raises(ValidationError):
        user_accounts.create_user(OPERATOR, username="maria", password=PASSWORD)


def test_a_new_password_replaces_the_old_one(db: None) -> None:
    user = user_accounts.create_user(OPERATOR, username="maria", password=PASSWORD)
    user_accounts.set_password(OPERATOR, user=user, password="another long sentence")
    assert User.objects.get().check_password("another long sentence")
    assert acts() == ["user:create", "user:password"]


def test_only_administrators_of_the_whole_msp_make_accounts(tenant: Tenant) -> None:
    for other in (
        actor(Role.ADMINISTRATOR, tenant=tenant),
        actor(Role.ENGINEER),
        actor(Role.AUDITOR),
        actor(),
    ):
        with pytest.raises(Refused):
            user_accounts.create_user(other, username="maria", password=PASSWORD)
        with pytest.raises(Refused):
            user_accounts.set_password(other, user=UserFactory(), password=PASSWORD)
    user_accounts.create_user(actor(Role.ADMINISTRATOR), username="maria", password=PASSWORD)


def test_binding_twice_is_one_binding_and_one_entry(tenant: Tenant) -> None:
    user = UserFactory()
    first = user_accounts.bind_role(OPERATOR, subject=user, role=Role.AUDITOR, scope=Scope(tenant=tenant))
    assert (
        user_accounts.bind_role(OPERATOR, subject=user, role=Role.AUDITOR, scope=Scope(tenant=tenant))
        == first
    )
    assert acts() == ["role:bind"]
    entry = LedgerEntry.objects.get()
    assert (entry.target, entry.tenant_id) == (user.username, tenant.pk)
    assert entry.detail == {"role": "auditor", "scope": f"tenant:{tenant.name}"}


def test_the_database_refuses_a_second_equal_binding_and_a_binding_of_nobody(tenant: Tenant) -> None:
    user = UserFactory()
    for facts in ({"user": user}, {"user": user, "customer": tenant.customer}):
        RoleBinding.objects.create(role="auditor", **facts)
        with pytest.raises(IntegrityError), transaction.atomic():
            RoleBinding.objects.create(role="auditor", **facts)
    for wrong in (
        {},
        {"user": user, "group": Group.objects.create(name="team")},
        {"user": user, "customer": tenant.customer, "tenant": tenant},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            RoleBinding.objects.create(role="engineer", **wrong)


def test_an_administrator_binds_roles_only_where_he_is_one(tenant: Tenant) -> None:
    stranger = TenantFactory()
    administrator = actor(Role.ADMINISTRATOR, tenant=tenant)
    subject = UserFactory()
    user_accounts.bind_role(administrator, subject=subject, role=Role.ENGINEER, scope=Scope(tenant=tenant))
    for scope in (Scope(), Scope(customer=tenant.customer)):
        with pytest.raises(Refused):
            user_accounts.bind_role(administrator, subject=subject, role=Role.ENGINEER, scope=scope)
    with pytest.raises(NotVisible):
        user_accounts.bind_role(
            administrator, subject=subject, role=Role.ENGINEER, scope=Scope(tenant=stranger)
        )
    foreign = user_accounts.bind_role(
        OPERATOR, subject=subject, role=Role.AUDITOR, scope=Scope(tenant=stranger)
    )
    with pytest.raises(NotVisible):
        user_accounts.unbind_role(administrator, foreign)
    assert RoleBinding.objects.filter(pk=foreign.pk).exists()


@pytest.mark.parametrize("role", list(Role))
def test_only_the_msps_own_roles_open_the_admin(tenant: Tenant, role: Role) -> None:
    user = UserFactory()
    binding = user_accounts.bind_role(OPERATOR, subject=user, role=role, scope=Scope(tenant=tenant))
    assert User.objects.get(pk=user.pk).is_staff == (role in STAFF_ROLES)
    user_accounts.unbind_role(OPERATOR, binding)
    assert not User.objects.get(pk=user.pk).is_staff
    assert acts() == ["role:bind", "role:unbind"]


def test_a_groups_role_opens_the_admin_to_its_members(tenant: Tenant) -> None:
    group = Group.objects.create(name="team")
    member, other = UserFactory(), UserFactory()
    member.groups.add(group)
    binding = user_accounts.bind_role(OPERATOR, subject=group, role=Role.ENGINEER, scope=Scope())
    assert User.objects.get(pk=member.pk).is_staff
    assert not User.objects.get(pk=other.pk).is_staff
    user_accounts.unbind_role(OPERATOR, binding)
    assert not User.objects.get(pk=member.pk).is_staff


def test_a_token_is_found_by_its_text_which_is_kept_nowhere(db: None) -> None:
    user = UserFactory()
    token, text = user_accounts.issue_token(
        OPERATOR, user=user, name="ci", scopes=frozenset({TokenScope.READ})
    )
    found = user_accounts.token_for(text)
    assert found == token
    assert text not in str({**vars(ApiToken.objects.get()), **LedgerEntry.objects.get().detail})
    assert ApiToken.objects.get().last_used_at is not None
    assert user_accounts.token_for(text + "x") is None
    assert user_accounts.token_for(token.token_hash) is None


@pytest.mark.parametrize(
    "facts",
    [{"revoked_at": timezone.now()}, {"expires_at": timezone.now() - timedelta(seconds=1)}],
    ids=["revoked", "expired"],
)
def test_a_dead_token_is_not_found(db: None, facts: dict[str, object]) -> None:
    _, text = user_accounts.issue_token(OPERATOR, user=UserFactory(), name="ci", scopes=frozenset())
    ApiToken.objects.update(**facts)
    assert user_accounts.token_for(text) is None


def test_a_token_of_somebody_inactive_is_not_found(db: None) -> None:
    user = UserFactory()
    _, text = user_accounts.issue_token(OPERATOR, user=user, name="ci", scopes=frozenset())
    User.objects.update(is_active=False)
    assert user_accounts.token_for(text) is None


def test_a_revoked_token_stays_revoked_since_the_first_time(db: None) -> None:
    token, text = user_accounts.issue_token(OPERATOR, user=UserFactory(), name="ci", scopes=frozenset())
    user_accounts.revoke_token(OPERATOR, token)
    first = ApiToken.objects.get().revoked_at
    user_accounts.revoke_token(OPERATOR, token)
    assert ApiToken.objects.get().revoked_at == first
    assert user_accounts.token_for(text) is None


def test_people_issue_and_revoke_their_own_tokens_and_nobody_elses(db: None) -> None:
    me, other = UserFactory(), UserFactory()
    mine, _ = user_accounts.issue_token(Actor.person(me, "page"), user=me, name="own", scopes=frozenset())
    with pytest.raises(Refused):
        user_accounts.issue_token(Actor.person(me, "page"), user=other, name="foreign", scopes=frozenset())
    with pytest.raises(Refused):
        user_accounts.revoke_token(Actor.person(other, "page"), mine)
    user_accounts.revoke_token(Actor.person(me, "page"), mine)
    user_accounts.issue_token(actor(Role.ADMINISTRATOR), user=other, name="given", scopes=frozenset())


def test_a_token_cannot_issue_a_token(db: None) -> None:
    user = UserFactory(is_superuser=True)
    token, _ = user_accounts.issue_token(OPERATOR, user=user, name="ci", scopes=frozenset(TokenScope))
    with pytest.raises(Refused, match="cannot issue another"):
        user_accounts.issue_token(Actor.bearer(token), user=user, name="more", scopes=frozenset(TokenScope))


def test_the_ledger_holds_every_act_and_verifies(tenant: Tenant) -> None:
    user = user_accounts.create_user(OPERATOR, username="maria", password=PASSWORD)
    user_accounts.bind_role(OPERATOR, subject=user, role=Role.AUDITOR, scope=Scope(customer=tenant.customer))
    token, _ = user_accounts.issue_token(
        OPERATOR, user=user, name="ci", scopes=frozenset(), customer=tenant.customer
    )
    user_accounts.revoke_token(OPERATOR, token)
    assert acts() == ["user:create", "role:bind", "api:issue", "api:revoke"]
    assert ledger.verify() == []
