"""The users of the demo: the MSP's staff, with one login per role. Passwords are random and printed once."""

import secrets
from dataclasses import dataclass

from django.db import transaction

from lavawall.cli import operator
from tenants.access.actors import Actor
from tenants.access.matrix import Role
from tenants.accounts import user_accounts
from tenants.models import User

STOLEN_CUSTOMER = "Aurora Dental Group"
OTHER_CUSTOMER = "Brenner Logistics"
CUSTOMERS = {
    "Aurora Dental": STOLEN_CUSTOMER,
    "Aurora Labs": STOLEN_CUSTOMER,
    "Brenner Logistics": OTHER_CUSTOMER,
}
ATTACKED = "Aurora Dental"
LEGIBLE = "abcdefghjkmnpqrstuvwxyz23456789"
"""Characters for passwords that people copy from one screen to another."""

PARTS: tuple[tuple[str, Role, str], ...] = (
    ("alma", Role.ADMINISTRATOR, "msp"),
    ("erin", Role.ENGINEER, "msp"),
    ("amir", Role.APPROVER, "msp"),
    ("aiko", Role.APPROVER, f"customer:{STOLEN_CUSTOMER}"),
    ("otto", Role.AUDITOR, "msp"),
    ("aurora-portal", Role.PORTAL_APPROVER, f"customer:{STOLEN_CUSTOMER}"),
    ("brenner-portal", Role.PORTAL, f"customer:{OTHER_CUSTOMER}"),
)


@dataclass(frozen=True)
class Login:
    """The login of one user."""

    username: str
    password: str
    role: Role
    scope: str

    def actor(self) -> Actor:
        return Actor.person(User.objects.get(username=self.username), "demo")


@transaction.atomic
def hire() -> dict[str, Login]:
    """Creates the accounts and binds their roles."""
    logins: dict[str, Login] = {}
    for username, role, scope in PARTS:
        login = Login(username, "".join(secrets.choice(LEGIBLE) for _ in range(16)), role, scope)
        user = user_accounts.create_user(operator(), username=username, password=login.password)
        user_accounts.bind_role(operator(), subject=user, role=role, scope=user_accounts.parse_scope(scope))
        logins[username] = login
    return logins
