"""Django's changepassword, recorded in the ledger."""

from django.contrib.auth.management.commands import changepassword

from lavawall.account_commands import AccountCommand


class Command(AccountCommand, changepassword.Command):
    action = "user:password"
