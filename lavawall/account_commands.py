"""Records Django's own account commands in the ledger."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.management.base import BaseCommand
from django.db.models.signals import post_save

from lavawall.cli import operator
from tenants.models import User
from tenants.trust import ledger
from tenants.trust.os_accounts import on_the_command_line


class AccountCommand(BaseCommand):
    """Mixin for Django's account commands: records each saved account as an action of the operator."""

    action: str

    def execute(self, *args: Any, **options: Any) -> str | None:
        with on_the_command_line(), _recording(self.action):
            return super().execute(*args, **options)


@contextmanager
def _recording(action: str) -> Iterator[None]:
    """Django's commands prompt between reading and saving, so the entry is written in the transaction of the
    save.
    """

    def record(instance: User, **_: Any) -> None:
        ledger.record(operator(), action, instance.get_username(), superuser=instance.is_superuser)

    post_save.connect(record, sender=User, weak=False)
    try:
        yield
    finally:
        post_save.disconnect(record, sender=User)
