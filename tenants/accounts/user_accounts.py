"""People: creating them, binding roles, issuing and revoking API tokens."""

import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from django.contrib.auth.models import Group
from django.contrib.auth.password_validation import validate_password
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from tenants.access import permissions
from tenants.access.actors import Actor
from tenants.access.matrix import STAFF_ROLES, Action, Role, TokenScope
from tenants.control.graph import EVERYWHERE, ControlScope, Kind
from tenants.control.record import control_scope_of
from tenants.control.watch import Watch
from tenants.errors import InvalidInput
from tenants.models import ApiToken, Customer, RoleBinding, Tenant, User
from tenants.trust import ledger

TOKEN_PREFIX = "lw_"
DEFAULT_TOKEN_LIFE = timedelta(days=365)
OWN_TOKEN_LIFE = timedelta(days=90)
"""The longest life of a token that somebody issues for himself: nobody else has looked at it."""
HARMLESS_SCOPES = frozenset({TokenScope.READ})
"""What a token in somebody else's name may carry: it cannot act, so it cannot sign in that name."""


@dataclass(frozen=True)
class Scope:
    """Where a role holds: one tenant, one customer, or (neither) the whole MSP."""

    customer: Customer | None = None
    tenant: Tenant | None = None

    @property
    def control_scope(self) -> ControlScope:
        if self.tenant is not None:
            return control_scope_of(self.tenant)
        return ControlScope(self.customer.pk) if self.customer is not None else EVERYWHERE

    def __str__(self) -> str:
        if self.tenant is not None:
            return f"tenant:{self.tenant.name}"
        return f"customer:{self.customer.name}" if self.customer is not None else "msp"


class UnknownScope(InvalidInput):
    """The scope names nothing that exists."""


def parse_scope(text: str) -> Scope:
    """`msp`, `customer:NAME` or `tenant:NAME`. Raises UnknownScope."""
    kind, _, name = text.partition(":")
    if kind == "msp" and not name:
        return Scope()
    if kind == "customer":
        customer = Customer.objects.filter(name=name).first()
        if customer is None:
            raise UnknownScope(f"There is no customer called {name!r}.")
        return Scope(customer=customer)
    if kind == "tenant":
        tenant = Tenant.objects.filter(name=name).first()
        if tenant is None:
            raise UnknownScope(f"There is no tenant called {name!r}.")
        return Scope(tenant=tenant)
    raise UnknownScope(f"{text!r} is no scope. Use msp, customer:NAME or tenant:NAME.")


@transaction.atomic
def create_user(actor: Actor, *, username: str, password: str | None, email: str = "") -> User:
    """A new account without any role. Raises ValidationError for a weak password."""
    permissions.require_everywhere(actor, Action.BIND_ROLES)
    user = User(username=username, email=email)
    if password is None:
        user.set_unusable_password()
    else:
        validate_password(password, user)
        user.set_password(password)
    user.full_clean(exclude=["password"])
    user.save()
    Watch(actor, [user]).record("user:create", username, [Kind.CREATE])
    return user


@transaction.atomic
def set_password(actor: Actor, *, user: User, password: str) -> None:
    """Somebody's new password, or one's own. It ends the account's sessions and API tokens.

    Raises Refused, or ValidationError for a weak password.
    """
    if actor.token is not None or not _is_self(actor, user):
        permissions.require_account_admin(actor, user)
    validate_password(password, user)
    watch = Watch(actor, [user])
    ended = _end_tokens(user)
    user.set_password(password)
    user.save(update_fields=["password"])
    watch.record("user:password", user.get_username(), [Kind.PASSWORD], revoked=ended)


@transaction.atomic
def bind_role(actor: Actor, *, subject: User | Group, role: Role, scope: Scope) -> RoleBinding:
    """Binds a role to a user or group on a scope; binding it again changes nothing. Nobody binds one to themselves.

    A portal's account that becomes a person of the MSP loses its API tokens: others could issue those.
    """
    _require_on(actor, scope)
    users = _users(subject)
    _require_others(actor, users, "bind a role to")
    promoted = [user for user in users if role in STAFF_ROLES and is_portal_account(user)]
    watch = Watch(actor, users, scope.control_scope)
    owner = {"user": subject} if isinstance(subject, User) else {"group": subject}
    binding, created = RoleBinding.objects.get_or_create(
        **owner, role=role.value, customer=scope.customer, tenant=scope.tenant
    )
    if created:
        ended = [name for user in promoted for name in _end_tokens(user)]
        permissions.sync_grants(subject)
        _sync_staff(users)
        watch.record(
            "role:bind",
            str(subject),
            [Kind.ROLE],
            tenant=scope.tenant,
            customer=scope.customer,
            act={"role": role.value},
            role=role.value,
            scope=str(scope),
            **({"revoked": ended} if ended else {}),
        )
    return binding


@transaction.atomic
def unbind_role(actor: Actor, binding: RoleBinding) -> None:
    scope = Scope(customer=binding.customer, tenant=binding.tenant)
    _require_on(actor, scope)
    subject = binding.user or binding.group
    if subject is None:
        raise ValueError("A role binding without a subject cannot exist.")
    role, users = binding.role, _users(subject)
    watch = Watch(actor, users, scope.control_scope)
    binding.delete()
    permissions.sync_grants(subject)
    _sync_staff(users)
    watch.record(
        "role:unbind",
        str(subject),
        tenant=scope.tenant,
        customer=scope.customer,
        role=role,
        scope=str(scope),
    )


@transaction.atomic
def set_groups(actor: Actor, *, user: User, groups: Iterable[str]) -> None:
    """Makes the user a member of exactly the groups of these names; a new name makes a new group.

    Nobody changes their own groups. Membership gives the roles that are bound to the group. Raises Refused.
    """
    permissions.require_account_admin(actor, user)
    _require_others(actor, [user], "change the groups of")
    wanted = [Group.objects.get_or_create(name=name)[0] for name in sorted(set(groups))]
    before = set(user.groups.values_list("name", flat=True))
    after = {group.name for group in wanted}
    if before == after:
        return
    watch = Watch(actor, [user])
    is_promoted = is_portal_account(user)
    user.groups.set(wanted)
    ended = _end_tokens(user) if is_promoted and not is_portal_account(user) else []
    _sync_staff([user])
    joined, left = sorted(after - before), sorted(before - after)
    watch.record(
        "user:groups",
        user.get_username(),
        [Kind.GROUP] if joined else [],
        act={"groups": joined},
        joined=joined,
        left=left,
        revoked=ended,
    )


@transaction.atomic
def issue_token(
    actor: Actor,
    *,
    user: User,
    name: str,
    scopes: frozenset[TokenScope],
    customer: Customer | None = None,
    life: timedelta = DEFAULT_TOKEN_LIFE,
) -> tuple[ApiToken, str]:
    """A new bearer token and, this once, its text.

    People may issue their own, for OWN_TOKEN_LIFE at most. Administrators may issue other people's, which act only
    where they are a customer portal's; the operator at the command line is free. Raises Refused.
    """
    if actor.token is not None:
        raise permissions.Refused("An API token cannot issue another one. Sign in, or ask an administrator.")
    if _is_self(actor, user):
        life = min(life, OWN_TOKEN_LIFE)
    else:
        permissions.require_account_admin(actor, user)
        if actor.user is not None and scopes - HARMLESS_SCOPES and not is_portal_account(user):
            raise permissions.Refused(
                f"A token that requests or approves acts in the name of {user.get_username()}, who must issue it. "
                "For others you may issue such tokens only where the account is a customer portal's."
            )
    watch = Watch(actor, [user] if scopes - HARMLESS_SCOPES else [], Scope(customer).control_scope)
    text = TOKEN_PREFIX + secrets.token_urlsafe(32)
    token = ApiToken.objects.create(
        user=user,
        name=name,
        prefix=text[:10],
        token_hash=hash_token(text),
        scopes=sorted(scope.value for scope in scopes),
        customer=customer,
        expires_at=timezone.now() + life,
    )
    watch.record(
        "api:issue",
        user.get_username(),
        [Kind.TOKEN],
        customer=customer,
        act={"name": name},
        name=name,
        scopes=token.scopes,
    )
    return token, text


@transaction.atomic
def revoke_token(actor: Actor, token: ApiToken) -> None:
    if not _is_self(actor, token.user):
        permissions.require_everywhere(actor, Action.BIND_ROLES)
    ApiToken.objects.filter(pk=token.pk, revoked_at__isnull=True).update(revoked_at=timezone.now())
    ledger.record(actor, "api:revoke", token.user.get_username(), customer=token.customer, name=token.name)


def token_for(text: str) -> ApiToken | None:
    """The live token with this text: neither expired nor revoked, of an active user."""
    token = (
        ApiToken.objects.select_related("user", "customer")
        .filter(
            token_hash=hash_token(text),
            revoked_at__isnull=True,
            expires_at__gt=timezone.now(),
            user__is_active=True,
        )
        .first()
    )
    if token is not None:
        ApiToken.objects.filter(pk=token.pk).update(last_used_at=timezone.now())
    return token


def is_portal_account(user: User) -> bool:
    """Whether the account is a customer portal's: it has roles, and none of them is the MSP's own."""
    if user.is_staff or user.is_superuser:
        return False
    bindings = RoleBinding.objects.filter(Q(user=user) | Q(group__user=user))
    roles = set(bindings.values_list("role", flat=True))
    return bool(roles) and roles.isdisjoint(STAFF_ROLES)


def bindings_over(user: User, tenant: Tenant) -> QuerySet[RoleBinding]:
    """The user's role bindings that hold on this tenant, their groups' included."""
    on_it = Q(tenant=tenant) | Q(customer=tenant.customer_id) | Q(tenant=None, customer=None)
    return RoleBinding.objects.filter(Q(user=user) | Q(group__user=user)).filter(on_it)


def hash_token(text: str) -> str:
    """A token has 256 random bits: a plain hash is enough, and lets the database find it."""
    return hashlib.sha256(text.encode()).hexdigest()


def _is_self(actor: Actor, user: User) -> bool:
    return actor.user is not None and actor.user.pk == user.pk


def _end_tokens(user: User) -> list[str]:
    """Revokes every token of the account; returns their names."""
    live = user.api_tokens.filter(revoked_at__isnull=True)
    names = list(live.values_list("name", flat=True))
    live.update(revoked_at=timezone.now())
    return names


def _users(subject: User | Group) -> list[User]:
    return [subject] if isinstance(subject, User) else list(User.objects.filter(groups=subject))


def _require_others(actor: Actor, users: Iterable[User], what: str) -> None:
    if any(_is_self(actor, user) for user in users):
        raise permissions.Refused(
            f"You may not {what} yourself, nor to a group that you are in. Ask another administrator."
        )


def _require_on(actor: Actor, scope: Scope) -> None:
    if scope.tenant is not None:
        permissions.require(actor, Action.BIND_ROLES, scope.tenant)
    elif scope.customer is not None:
        permissions.require_on_customer(actor, Action.BIND_ROLES, scope.customer)
    else:
        permissions.require_everywhere(actor, Action.BIND_ROLES)


def _sync_staff(users: Iterable[User]) -> None:
    """Only the MSP's own roles open the admin."""
    staff_roles = [role.value for role in STAFF_ROLES]
    for user in users:
        is_staff = user.is_superuser or (
            RoleBinding.objects.filter(user=user, role__in=staff_roles).exists()
            or RoleBinding.objects.filter(group__in=user.groups.all(), role__in=staff_roles).exists()
        )
        if user.is_staff != is_staff:
            user.is_staff = is_staff
            user.save(update_fields=["is_staff"])
