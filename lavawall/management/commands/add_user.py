"""Creates a user or binds a role to an existing one. With --token, prints an API token once."""

from typing import Any

from django.core.management.base import CommandParser
from django.db import transaction

from lavawall.cli import ProductCommand, from_environment, operator
from tenants.access.actors import Actor
from tenants.access.matrix import ROLES, TOKEN_SCOPES, Role
from tenants.accounts import user_accounts
from tenants.models import User


class Command(ProductCommand):
    help = __doc__ or ""

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("username")
        parser.add_argument("--role", required=True, choices=[role.value for role in Role])
        parser.add_argument("--scope", required=True, metavar="msp|customer:NAME|tenant:NAME")
        parser.add_argument(
            "--password-env", metavar="VAR", help="Environment variable that contains the password."
        )
        parser.add_argument("--token", action="store_true", help="Issue an API token and print it once.")

    @transaction.atomic
    def handle(self, **options: Any) -> None:
        actor = operator()
        role, scope = Role(options["role"]), user_accounts.parse_scope(options["scope"])
        user = User.objects.filter(username=options["username"]).first()
        created = user is None
        variable = options["password_env"]
        password = None if variable is None else from_environment(variable)
        if user is None:
            user = user_accounts.create_user(actor, username=options["username"], password=password)
        elif password is not None:
            user_accounts.set_password(actor, user=user, password=password)
        user_accounts.bind_role(actor, subject=user, role=role, scope=scope)
        token = self._token(actor, user, role, scope) if options["token"] else None
        self.emit(
            {
                "user": user.pk,
                "username": user.username,
                "created": created,
                "role": role.value,
                "scope": str(scope),
                **({"token": token} if token else {}),
            },
            [
                f"{user.username} is {role.value} on {scope}.",
                *([f"API token (shown only once): {token}"] if token else []),
            ],
            as_json=options["json"],
        )

    def _token(self, actor: Actor, user: User, role: Role, scope: user_accounts.Scope) -> str:
        """A token with only the scopes that the role needs, limited to the role's customer."""
        scopes = frozenset(name for name, actions in TOKEN_SCOPES.items() if actions & ROLES[role])
        customer = scope.customer or (scope.tenant.customer if scope.tenant else None)
        _, text = user_accounts.issue_token(
            actor, user=user, name="add_user", scopes=scopes, customer=customer
        )
        return text
