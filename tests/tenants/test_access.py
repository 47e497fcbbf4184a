"""Who may do what on which tenant: the matrix on every kind of scope, for people, groups, tokens and the system."""

from dataclasses import dataclass
from datetime import timedelta

import pytest
from django.contrib.auth.models import Group
from django.utils import timezone

from tenants.access import permissions
from tenants.access.actors import Actor
from tenants.access.matrix import ROLES, TOKEN_SCOPES, Action, Role, TokenScope
from tenants.access.permissions import NotVisible, Refused
from tenants.accounts import user_accounts
from tenants.accounts.user_accounts import Scope
from tenants.models import ApiToken, RoleBinding, Tenant, User
from tests.factories.tenants import CustomerFactory, TenantFactory, UserFactory, bind, person

OPERATOR = Actor.system("test", *Action)
READ = frozenset({TokenScope.READ})


@dataclass(frozen=True)
class World:
    """Two customers; the first has two tenants."""

    first: Tenant
    sibling: Tenant
    stranger: Tenant

    def scope(self, kind: str) -> Scope:
        if kind == "tenant":
            return Scope(tenant=self.first)
        return Scope(customer=self.first.customer) if kind == "customer" else Scope()

    def reached(self, kind: str) -> set[Tenant]:
        reach = {"tenant": 1, "customer": 2, "msp": 3}[kind]
        return set([self.first, self.sibling, self.stranger][:reach])


@pytest.fixture
def world(db: None) -> World:
    first: Tenant = TenantFactory()
    return World(first, TenantFactory(customer=first.customer), TenantFactory())


def actor_of(user: User) -> Actor:
    return Actor.person(User.objects.get(pk=user.pk), "page")


def token_of(user: User, **facts: object) -> Actor:
    given = {
        "name": "test",
        "prefix": f"lw_{user.pk}",
        "token_hash": str(user.pk),
        "scopes": ["read"],
        **facts,
    }
    token = ApiToken.objects.create(user=user, expires_at=timezone.now() + timedelta(days=1), **given)
    return Actor.bearer(token)


@pytest.mark.parametrize("through_a_group", [False, True], ids=["user", "group"])
@pytest.mark.parametrize("kind", ["msp", "customer", "tenant"])
@pytest.mark.parametrize("role", list(Role))
def test_a_role_gives_exactly_its_actions_on_exactly_its_scope(
    world: World, role: Role, kind: str, through_a_group: bool
) -> None:
    user: User = UserFactory()
    subject: User | Group = user
    if through_a_group:
        subject = Group.objects.create(name="team")
        user.groups.add(subject)
    user_accounts.bind_role(OPERATOR, subject=subject, role=role, scope=world.scope(kind))
    actor = actor_of(user)
    for action in Action:
        expected = world.reached(kind) if action in ROLES[role] else set()
        assert set(permissions.visible_tenants(actor, action)) == expected, action
        for tenant in (world.first, world.sibling, world.stranger):
            assert permissions.can(actor, action, tenant) == (tenant in expected)
        assert permissions.can_everywhere(actor, action) == (kind == "msp" and action in ROLES[role])


def test_somebody_without_a_role_sees_nothing(world: World) -> None:
    actor = Actor.person(UserFactory(), "page")
    assert not permissions.visible_tenants(actor).exists()
    assert not permissions.visible_customers(actor).exists()


def test_what_is_out_of_sight_does_not_exist_and_what_is_in_sight_is_refused(world: World) -> None:
    actor = Actor.person(person(Role.AUDITOR, tenant=world.first), "page")
    permissions.require(actor, Action.EXPORT, world.first)
    with pytest.raises(Refused, match="may not take snapshot on") as refused:
        permissions.require(actor, Action.TAKE_SNAPSHOT, world.first)
    assert not isinstance(refused.value, NotVisible)
    for action in Action:
        with pytest.raises(NotVisible) as hidden:
            permissions.require(actor, action, world.sibling)
        assert world.sibling.name not in str(hidden.value)


def test_a_tenant_is_found_by_name_and_by_id_and_only_in_sight(world: World) -> None:
    actor = Actor.person(person(Role.ENGINEER, tenant=world.first), "page")
    assert permissions.tenant_named(actor, world.first.name) == world.first
    assert permissions.tenant_named(actor, str(world.first.pk), Action.TAKE_SNAPSHOT) == world.first
    for name in (world.stranger.name, str(world.stranger.pk), "no such", "9" * 30, "-1", ""):
        with pytest.raises(NotVisible):
            permissions.tenant_named(actor, name)
    with pytest.raises(Refused, match="approve rollback"):
        permissions.tenant_named(actor, world.first.name, Action.APPROVE_ROLLBACK)


def test_a_tenant_whose_name_is_the_id_of_another_is_found_by_its_name(world: World) -> None:
    named = TenantFactory(name=str(world.first.pk), customer__name="AAA")
    assert permissions.tenant_named(OPERATOR, str(world.first.pk)) == named


def test_a_superuser_may_do_everything_until_he_is_made_inactive(world: World) -> None:
    user = UserFactory(is_superuser=True)
    assert all(permissions.visible_tenants(actor_of(user), action).count() == 3 for action in Action)
    user.is_active = False
    user.save()
    for action in Action:
        assert not permissions.visible_tenants(actor_of(user), action).exists()
        assert not permissions.can_everywhere(actor_of(user), action)


@pytest.mark.parametrize("kind", ["msp", "customer", "tenant"])
def test_an_inactive_person_keeps_no_sight(world: World, kind: str) -> None:
    user: User = UserFactory()
    user_accounts.bind_role(OPERATOR, subject=user, role=Role.ENGINEER, scope=world.scope(kind))
    User.objects.filter(pk=user.pk).update(is_active=False)
    assert not permissions.visible_tenants(actor_of(user)).exists()
    assert not permissions.visible_customers(actor_of(user)).exists()


def test_the_system_may_do_only_what_it_was_made_for(world: World) -> None:
    actor = Actor.system("collection", Action.TAKE_SNAPSHOT)
    assert permissions.visible_tenants(actor, Action.TAKE_SNAPSHOT).count() == 3
    assert not permissions.visible_tenants(actor, Action.VIEW).exists()
    assert not permissions.can_everywhere(actor, Action.MANAGE)


def test_customers_are_seen_by_their_own_grants_and_through_their_tenants(world: World) -> None:
    assert set(permissions.visible_customers(actor_of(person(Role.AUDITOR, tenant=world.sibling)))) == {
        world.first.customer
    }
    other = person(Role.AUDITOR, customer=world.stranger.customer)
    assert set(permissions.visible_customers(actor_of(other))) == {world.stranger.customer}
    assert permissions.visible_customers(actor_of(person(Role.AUDITOR))).count() == 2


@pytest.mark.parametrize("scope", list(TokenScope))
def test_a_token_carries_at_most_its_scopes_of_what_its_user_may_do(world: World, scope: TokenScope) -> None:
    actor = token_of(UserFactory(is_superuser=True), scopes=[scope.value])
    for action in Action:
        assert permissions.can(actor, action, world.first) == (action in TOKEN_SCOPES[scope])
    limited = token_of(person(Role.AUDITOR, tenant=world.first), scopes=[each.value for each in TokenScope])
    for action in Action:
        carried = any(action in actions for actions in TOKEN_SCOPES.values())
        assert permissions.can(limited, action, world.first) == (carried and action in ROLES[Role.AUDITOR])


def test_no_token_can_manage_or_bind(world: World) -> None:
    actor = token_of(UserFactory(is_superuser=True), scopes=[each.value for each in TokenScope])
    for action in (Action.MANAGE, Action.BIND_ROLES):
        assert not permissions.visible_tenants(actor, action).exists()
        assert not permissions.can_everywhere(actor, action)


@pytest.mark.parametrize("superuser", [False, True])
def test_a_token_of_a_customer_reaches_only_that_customer(world: World, superuser: bool) -> None:
    user = person(Role.ENGINEER, is_superuser=superuser)
    actor = token_of(user, customer=world.first.customer)
    assert set(permissions.visible_tenants(actor)) == {world.first, world.sibling}
    assert set(permissions.visible_customers(actor)) == {world.first.customer}
    assert not permissions.can_everywhere(actor, Action.VIEW)
    with pytest.raises(Refused):
        permissions.require_on_customer(actor, Action.VIEW, world.stranger.customer)
    with pytest.raises(Refused):
        permissions.require_everywhere(actor, Action.VIEW)


def test_a_token_without_scopes_carries_nothing(world: World) -> None:
    assert not permissions.visible_tenants(token_of(UserFactory(is_superuser=True), scopes=[])).exists()


def test_a_role_on_one_tenant_is_no_role_on_its_customer(world: World) -> None:
    on_tenant = actor_of(person(Role.ADMINISTRATOR, tenant=world.first))
    on_customer = actor_of(person(Role.ADMINISTRATOR, customer=world.first.customer))
    with pytest.raises(Refused):
        permissions.require_on_customer(on_tenant, Action.BIND_ROLES, world.first.customer)
    permissions.require_on_customer(on_customer, Action.BIND_ROLES, world.first.customer)
    permissions.require_on_customer(OPERATOR, Action.BIND_ROLES, world.first.customer)
    with pytest.raises(Refused):
        permissions.require_on_customer(on_customer, Action.BIND_ROLES, world.stranger.customer)
    with pytest.raises(Refused):
        permissions.require_on_customer(on_customer, Action.EXPORT, world.first.customer)


def test_unbinding_takes_away_only_what_no_other_role_gives(world: World) -> None:
    user: User = UserFactory()
    scope = world.scope("tenant")
    auditor = user_accounts.bind_role(OPERATOR, subject=user, role=Role.AUDITOR, scope=scope)
    user_accounts.bind_role(OPERATOR, subject=user, role=Role.APPROVER, scope=scope)
    user_accounts.unbind_role(OPERATOR, auditor)
    held = {action for action in Action if permissions.can(actor_of(user), action, world.first)}
    assert held == ROLES[Role.APPROVER]


def test_unbinding_a_narrow_scope_keeps_the_wide_one(world: World) -> None:
    user: User = UserFactory()
    user_accounts.bind_role(OPERATOR, subject=user, role=Role.ENGINEER, scope=world.scope("customer"))
    narrow = user_accounts.bind_role(OPERATOR, subject=user, role=Role.ENGINEER, scope=world.scope("tenant"))
    user_accounts.unbind_role(OPERATOR, narrow)
    assert set(permissions.visible_tenants(actor_of(user))) == {world.first, world.sibling}


@pytest.mark.parametrize("kind", ["msp", "customer", "tenant"])
def test_unbinding_holds_at_once_even_for_an_actor_who_was_asked_before(world: World, kind: str) -> None:
    actor = Actor.person(UserFactory(), "page")
    assert actor.user is not None
    user_accounts.bind_role(OPERATOR, subject=actor.user, role=Role.APPROVER, scope=world.scope(kind))
    assert permissions.can(actor, Action.APPROVE_ROLLBACK, world.first)
    user_accounts.unbind_role(OPERATOR, RoleBinding.objects.get())
    assert not permissions.can(actor, Action.APPROVE_ROLLBACK, world.first)


def test_leaving_a_group_takes_its_roles_away(world: World) -> None:
    user, group = UserFactory(), Group.objects.create(name="team")
    user.groups.add(group)
    user_accounts.bind_role(OPERATOR, subject=group, role=Role.ENGINEER, scope=Scope())
    assert permissions.can(actor_of(user), Action.TAKE_SNAPSHOT, world.first)
    user.groups.remove(group)
    assert not permissions.can(actor_of(user), Action.TAKE_SNAPSHOT, world.first)


def test_grants_that_no_binding_explains_are_removed(world: World) -> None:
    user = person(Role.AUDITOR, tenant=world.first)
    bind(user, Role.ENGINEER, customer=world.first.customer)
    RoleBinding.objects.filter(role=Role.ENGINEER).delete()
    permissions.sync_grants(user)
    assert set(permissions.visible_tenants(actor_of(user))) == {world.first}
    assert not permissions.can(actor_of(user), Action.TAKE_SNAPSHOT, world.first)


def test_a_customer_without_tenants_is_seen_by_its_own_people_only(db: None) -> None:
    customer = CustomerFactory()
    assert set(permissions.visible_customers(actor_of(person(Role.AUDITOR, customer=customer)))) == {customer}
    assert not permissions.visible_customers(
        actor_of(person(Role.AUDITOR, customer=CustomerFactory()))
    ).filter(pk=customer.pk)
