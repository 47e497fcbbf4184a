"""Django's createsuperuser, recorded in the ledger."""

from django.contrib.auth.management.commands import createsuperuser

from lavawall.account_commands import AccountCommand


class Command(AccountCommand, createsuperuser.Command):
    action = "user:create"
