"""Shared code of all commands: the actor, output of data, and one clear line on stderr for every error.

Exit status: 0 on success, 1 on a refused or failed operation, 2 on usage.
"""

import os
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from typing import Any

import orjson
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import OperationalError, ProgrammingError

from rollbacks import selectors
from rollbacks.models import Rollback
from rollbacks.selectors import visible_rollbacks
from tenants.access.actors import Actor
from tenants.access.matrix import Action
from tenants.access.permissions import NotVisible
from tenants.errors import DomainError, logged
from tenants.models import User
from tenants.trust import os_accounts


def operator() -> Actor:
    """Someone with a shell on the server, who has access to the keys anyway."""
    label = f"system:{os_accounts.real_account()}"
    return Actor(label=label, via="command line", system_actions=frozenset(Action))


def person(username: str) -> Actor:
    """The named user, acting on the command line. Raises CommandError if the user does not exist."""
    user = User.objects.filter(username=username, is_active=True).first()
    if user is None:
        raise CommandError(f"There is no active user called {username}. Create one with add_user.")
    return Actor.person(user, "command line")


def rollback_numbered(actor: Actor, number: int) -> Rollback:
    """Raises NotVisible, with the same message, for a rollback that does not exist or that the actor cannot
    see.
    """
    rollback = visible_rollbacks(actor).filter(pk=number).first()
    if rollback is None:
        raise NotVisible(f"Rollback {number} does not exist, or you do not have access to it.")
    return rollback


def from_environment(variable: str) -> str:
    """A secret from the environment variable with this name. Raises CommandError. The message does not repeat
    the name, because the user may have passed the secret itself.
    """
    value = os.environ.get(variable, "")
    if not value:
        raise CommandError("The environment variable is not set or is empty. Export it and pass its name.")
    return value


class ProductCommand(BaseCommand):
    """A command that prints lines, or with --json one JSON document."""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="Print data as JSON.")

    def execute(self, *args: Any, **options: Any) -> str | None:
        try:
            with os_accounts.on_the_command_line():
                return super().execute(*args, **options)
        except ValidationError as error:
            raise CommandError(_one_line(" ".join(error.messages))) from error
        except DomainError as error:
            raise CommandError(_one_line(str(error)), returncode=error.exit_code) from error
        except OSError as error:
            raise CommandError(_one_line(str(error))) from error
        except CommandError:
            raise
        except Exception as error:
            if _lacks_tables(error):
                raise CommandError("The database is not set up yet. Run: python manage.py migrate") from error
            raise CommandError(str(logged(error, f"command {self._name}"))) from error

    @property
    def _name(self) -> str:
        return type(self).__module__.rpartition(".")[2]

    def emit(self, data: Any, lines: Iterable[str], *, as_json: bool) -> None:
        if as_json:
            self.stdout.write(orjson.dumps(data, option=orjson.OPT_INDENT_2, default=str).decode())
        else:
            for line in lines:
                self.stdout.write(line)


class RollbackCommand(ProductCommand, ABC):
    """An action on one rollback on behalf of a user. Prints the state of the rollback afterwards."""

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("rollback", type=int)
        parser.add_argument("--as", dest="username", required=True, metavar="USER")

    def handle(self, **options: Any) -> None:
        actor = person(options["username"])
        self.act(actor, rollback_numbered(actor, options["rollback"]), options)
        shown = selectors.as_json(rollback_numbered(actor, options["rollback"]))
        self.emit(shown, self.lines(shown), as_json=options["json"])
        self.require_success(shown)

    @abstractmethod
    def act(self, actor: Actor, rollback: Rollback, options: Mapping[str, Any]) -> None: ...

    def lines(self, shown: Mapping[str, Any]) -> Iterable[str]:
        yield f"Rollback {shown['rollback']} is {shown['state']}."

    def require_success(self, shown: Mapping[str, Any]) -> None:
        """Raises CommandError if the action did not succeed."""


def add_digest(parser: CommandParser) -> None:
    parser.add_argument(
        "--digest", required=True, help="The digest of the plan that you reviewed, as printed by plan."
    )


def _lacks_tables(error: Exception) -> bool:
    return isinstance(error, OperationalError | ProgrammingError) and (
        "no such table" in str(error) or "does not exist" in str(error)
    )


def _one_line(text: str) -> str:
    return " ".join(text.split())
