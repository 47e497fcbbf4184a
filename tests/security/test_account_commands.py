"""Accounts and passwords are entries of the ledger by every way in which they are made and set."""

import getpass
import os
import pwd
from collections.abc import Callable
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from tenants.access.matrix import Role
from tenants.models import ControlAct, LedgerEntry, User
from tenants.trust import ledger
from tests.factories.tenants import person

ME = pwd.getpwuid(os.getuid()).pw_name
NEW = "a long enough phrase 7"
OLD = "correct horse battery staple"


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def type_password(monkeypatch: pytest.MonkeyPatch, *answers: str) -> None:
    given = iter(answers)
    monkeypatch.setattr(getpass, "getpass", lambda *_args, **_kwargs: next(given))


def test_a_superuser_made_on_the_command_line_is_in_the_ledger(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", NEW)
    call_command(
        "createsuperuser", username="root", email="root@example.com", interactive=False, stdout=StringIO()
    )
    assert User.objects.get(username="root").is_superuser
    entry = LedgerEntry.objects.get()
    assert (entry.action, entry.target, entry.detail) == ("user:create", "root", {"superuser": True})
    assert (entry.actor, entry.via, entry.os_account) == (f"system:{ME}", "command line", ME)
    assert not ControlAct.objects.exists()
    assert ledger.verify() == []


def test_a_superuser_that_is_refused_leaves_no_entry(db: None) -> None:
    with pytest.raises(CommandError):
        call_command("createsuperuser", username="root", interactive=False)
    assert not LedgerEntry.objects.exists()


def on_the_command_line(user: User, monkeypatch: pytest.MonkeyPatch) -> str:
    type_password(monkeypatch, NEW, NEW)
    call_command("changepassword", user.username, stdout=StringIO())
    return f"system:{ME}"


def with_add_user(user: User, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("NEW_PASSWORD", NEW)
    call_command("add_user", user.username, role="auditor", scope="msp", password_env="NEW_PASSWORD")
    return f"system:{ME}"


def in_the_admin(user: User, _monkeypatch: pytest.MonkeyPatch) -> str:
    administrator = person(Role.ADMINISTRATOR, username="alma", is_staff=True)
    address = reverse("admin:tenants_user_password", args=[user.pk])
    signed_in(administrator).post(address, {"password": NEW, "password_again": NEW})
    return "alma"


def by_themselves(user: User, _monkeypatch: pytest.MonkeyPatch) -> str:
    data = {"old_password": OLD, "new_password1": NEW, "new_password2": NEW}
    signed_in(user).post(reverse("password"), data)
    return user.username


@pytest.mark.parametrize("change", [on_the_command_line, with_add_user, in_the_admin, by_themselves])
def test_a_new_password_is_in_the_ledger_by_every_way(
    db: None, monkeypatch: pytest.MonkeyPatch, change: Callable[[User, pytest.MonkeyPatch], str]
) -> None:
    user = person(username="erin")
    actor = change(user, monkeypatch)
    assert User.objects.get(pk=user.pk).check_password(NEW)
    entry = LedgerEntry.objects.get(action="user:password")
    assert (entry.actor, entry.target) == (actor, "erin")
    assert (entry.os_account is not None) == actor.startswith("system:")
    assert NEW not in str(list(LedgerEntry.objects.values_list()))
    assert ledger.verify() == []


def test_a_password_that_is_refused_leaves_no_entry(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    user = person(username="erin")
    type_password(monkeypatch, *["12345"] * 6)
    with pytest.raises(CommandError):
        call_command("changepassword", user.username, stdout=StringIO(), stderr=StringIO())
    assert not LedgerEntry.objects.filter(action="user:password").exists()


def test_saving_an_account_later_is_no_entry(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    user = person(username="erin")
    on_the_command_line(user, monkeypatch)
    user.save()
    assert LedgerEntry.objects.count() == 1
