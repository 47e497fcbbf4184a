"""The ledger says from which operating-system account a command was typed, and on a real tenant one such account
signs a plan once at most.
"""

import os
import pwd
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.urls import reverse

from lavawall import tasks
from rollbacks import selectors
from rollbacks.approvals import signatures
from rollbacks.execution import runner
from rollbacks.models import Execution, Rollback
from rollbacks.states import State
from tenants.access.matrix import Role
from tenants.models import Connection, LedgerEntry, Tenant, User
from tenants.trust import ledger
from tests.factories.changes import disabled_mfa
from tests.factories.rollbacks import digest_of, planned
from tests.factories.tenants import TenantFactory, give_writer, person
from tests.rollbacks.conftest import Incident, Scene, without_sleep
from tests.tenants.test_ledger import tamper

ROOT = Path(__file__).resolve().parents[2]
ME = pwd.getpwuid(os.getuid()).pw_name
ALICE, BOB = 61_001, 61_002
"""User IDs without a name."""


@contextmanager
def typed_by(uid: int) -> Iterator[None]:
    with mock.patch("os.getuid", return_value=uid):
        yield


@pytest.fixture
def rollback(db: None) -> Rollback:
    """On a tenant of Microsoft's own cloud, requested on the page by the requester."""
    tenant: Tenant = TenantFactory()
    give_writer(tenant, ["Policy.ReadWrite.ConditionalAccess"])
    for name in ("ada", "ben"):
        person(Role.APPROVER, tenant=tenant, username=name)
    return planned(tenant, person(Role.ENGINEER, tenant=tenant), [disabled_mfa(tenant)])


def approve(rollback: Rollback, name: str, uid: int) -> None:
    with typed_by(uid):
        call_command("approve", rollback.pk, username=name, digest=digest_of(rollback))


def approve_on_the_page(rollback: Rollback, name: str) -> None:
    data = {"digest": digest_of(rollback)}
    signed_in(name).post(reverse("approve-rollback", args=[rollback.pk]), data)


def approve_over_the_api(rollback: Rollback, name: str) -> None:
    address = f"/api/v1/rollbacks/{rollback.pk}/approve/"
    data = {"digest": digest_of(rollback)}
    assert signed_in(name).post(address, data, content_type="application/json").status_code == 200


def signed_in(name: str) -> Client:
    client = Client()
    client.force_login(User.objects.get(username=name), backend="django.contrib.auth.backends.ModelBackend")
    return client


def state_of(rollback: Rollback) -> str:
    return Rollback.objects.get(pk=rollback.pk).state


def verdicts(rollback: Rollback) -> dict[str, tuple[bool, str]]:
    shown = selectors.as_json(Rollback.objects.get(pk=rollback.pk))
    return {each["by"]: (each["counts"], each["reason"]) for each in shown["approvals"]}


def move_to_microsofts_cloud(tenant: Tenant) -> None:
    Connection.objects.filter(tenant=tenant).update(cloud=Connection.Cloud.COMMERCIAL)


# What the ledger says


def test_every_entry_of_a_command_has_the_account_that_typed_it(scene: Scene) -> None:
    before = ledger.head()[0]
    call_command("snapshot", scene.tenant.name, type=["conditionalAccessPolicy", "namedLocation"])
    policy = scene.named("/beta/identity/conditionalAccess/policies", "CA001")
    scene.intrude("PATCH", f"/beta/identity/conditionalAccess/policies/{policy['id']}", {"state": "disabled"})
    call_command("snapshot", scene.tenant.name, type=["conditionalAccessPolicy", "namedLocation"])
    change = scene.tenant.changes.get()
    call_command("plan", scene.tenant.name, change=[change.pk], username="rita")
    rollback = Rollback.objects.get()
    for name in ("ada", "ben"):
        call_command("approve", rollback.pk, username=name, digest=digest_of(rollback))
    call_command("execute", rollback.pk, username="eve")

    assert state_of(rollback) == State.VERIFIED
    entries = LedgerEntry.objects.filter(sequence__gt=before)
    assert {"system:collection", "rita", "ada", "ben", "eve", "system:execution"} <= {
        entry.actor for entry in entries
    }
    assert {entry.os_account for entry in entries} == {ME}
    assert ledger.verify() == []


def test_pages_api_and_tasks_have_none(rollback: Rollback) -> None:
    before = ledger.head()[0]
    approve_on_the_page(rollback, "ada")
    approve_over_the_api(rollback, "ben")
    tasks.tick()
    entries = LedgerEntry.objects.filter(sequence__gt=before)
    assert {"ada", "ben"} <= {entry.actor for entry in entries}
    assert {entry.os_account for entry in entries} == {None}


def test_the_account_is_the_real_one_whatever_the_environment_says(committed_db: None) -> None:
    tenant = TenantFactory()
    pretended = dict.fromkeys(("USER", "LOGNAME", "USERNAME", "SUDO_USER", "LNAME"), "mallory")
    settings = connection.settings_dict
    url = f"sqlite:///{settings['NAME']}"
    if connection.vendor == "postgresql":
        url = f"postgres://{settings['USER']}:{settings['PASSWORD']}@{settings['HOST']}:{settings['PORT']}/{settings['NAME']}"
    done = subprocess.run(
        [sys.executable, "manage.py", "policy", tenant.name, "--approvals", "3", "--critical-approvals", "3"],
        cwd=ROOT,
        env={**os.environ, **pretended, "DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "tests.settings"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    entry = LedgerEntry.objects.get(action="tenant:policy")
    assert (entry.os_account, entry.actor) == (ME, f"system:{ME}")


def test_a_user_id_without_a_name_is_told_by_its_number(db: None) -> None:
    tenant = TenantFactory()
    with typed_by(ALICE):
        call_command("policy", tenant.name, required_approvals=3, required_approvals_critical=3)
    entry = LedgerEntry.objects.get(action="tenant:policy")
    assert (entry.os_account, entry.actor) == (f"uid {ALICE}", f"system:uid {ALICE}")


def test_page_api_and_admin_show_the_account(db: None) -> None:
    tenant = TenantFactory()
    with typed_by(ALICE):
        call_command("policy", tenant.name, required_approvals=3, required_approvals_critical=3)
    person(Role.AUDITOR, username="otto", is_staff=True)
    client, shown = signed_in("otto"), f"uid {ALICE}"

    assert f"command line as {shown}" in client.get(reverse("ledger")).text
    assert len(client.get(reverse("ledger"), {"actor": f"d {ALICE}"}).context["entries"].rows) == 1
    assert shown in client.get(reverse("admin:tenants_ledgerentry_changelist")).text
    found = client.get("/api/v1/ledger/", {"os_account": shown}).json()["results"]
    assert [(entry["action"], entry["os_account"]) for entry in found] == [("tenant:policy", shown)]


# Which signatures count


def test_one_account_signs_a_plan_once(rollback: Rollback) -> None:
    approve(rollback, "ada", ALICE)
    with pytest.raises(CommandError, match=rf"from the same operating-system account \(uid {ALICE}\)"):
        approve(rollback, "ben", ALICE)
    refusal = LedgerEntry.objects.get(action="rollback:approve-refused")
    assert (refusal.actor, refusal.os_account) == ("ben", f"uid {ALICE}")
    assert state_of(rollback) == State.AWAITING_APPROVAL

    approve(rollback, "ben", BOB)
    assert state_of(rollback) == State.APPROVED


def test_who_was_refused_on_the_command_line_still_signs_elsewhere(rollback: Rollback) -> None:
    approve(rollback, "ada", ALICE)
    with pytest.raises(CommandError, match="approve on the rollback's page or through the API"):
        approve(rollback, "ben", ALICE)
    approve_on_the_page(rollback, "ben")
    assert state_of(rollback) == State.APPROVED


@pytest.mark.parametrize("sign", [approve_on_the_page, approve_over_the_api])
def test_signatures_of_pages_and_api_are_not_concerned(
    rollback: Rollback, sign: Callable[[Rollback, str], None]
) -> None:
    for name in ("ada", "ben"):
        sign(rollback, name)
    assert state_of(rollback) == State.APPROVED


def test_a_tenant_without_connections_is_no_emulator(db: None) -> None:
    tenant: Tenant = TenantFactory()
    for name in ("ada", "ben"):
        person(Role.APPROVER, tenant=tenant, username=name)
    rollback = planned(tenant, person(Role.ENGINEER, tenant=tenant), [disabled_mfa(tenant)])
    approve(rollback, "ada", ALICE)
    with pytest.raises(CommandError, match="the same operating-system account"):
        approve(rollback, "ben", ALICE)


@pytest.fixture
def requested(scene: Scene, incident: Incident) -> Rollback:
    """Planned on the command line by ALICE."""
    with typed_by(ALICE):
        changes = [word for each in incident.changes for word in ("--change", str(each.pk))]
        call_command("plan", scene.tenant.name, *changes, "--as", "rita")
    return Rollback.objects.get()


def test_whoever_requested_on_the_command_line_signs_not_from_there(requested: Rollback) -> None:
    move_to_microsofts_cloud(requested.tenant)
    with pytest.raises(
        CommandError, match=rf"requested from the same operating-system account \(uid {ALICE}\)"
    ):
        approve(requested, "ada", ALICE)
    approve(requested, "ada", BOB)
    approve_on_the_page(requested, "ben")
    assert state_of(requested) == State.APPROVED


def test_planning_it_again_on_the_page_does_not_change_who_requested_it(requested: Rollback) -> None:
    signed_in("rita").post(reverse("replan-rollback", args=[requested.pk]))
    assert requested.plans.count() == 2
    move_to_microsofts_cloud(requested.tenant)
    with pytest.raises(CommandError, match="requested from the same operating-system account"):
        approve(requested, "ada", ALICE)


@pytest.fixture
def signed_twice_by_one(scene: Scene, incident: Incident) -> Rollback:
    """Approved from one account while the tenant was an emulator's, which is allowed."""
    rollback = scene.plan(incident.changes)
    for name in ("ada", "ben"):
        approve(rollback, name, ALICE)
    assert state_of(rollback) == State.APPROVED
    return rollback


def test_page_api_and_command_say_which_signature_does_not_count_and_why(
    signed_twice_by_one: Rollback,
) -> None:
    rollback = signed_twice_by_one
    assert [counts for counts, _ in verdicts(rollback).values()] == [True, True]
    move_to_microsofts_cloud(rollback.tenant)

    reason = signatures.SAME_ACCOUNT_SIGNED.format(account=f"uid {ALICE}")
    assert verdicts(rollback) == {"ada": (True, signatures.INDEPENDENT), "ben": (False, reason)}
    client = signed_in("ada")
    page = client.get(reverse("rollback", args=[rollback.pk])).text
    assert reason in page
    assert "does not count" in page
    shown: Any = client.get(f"/api/v1/rollbacks/{rollback.pk}/").json()
    assert [each["reason"] for each in shown["approvals"]] == [signatures.INDEPENDENT, reason]


def test_it_is_judged_again_when_the_execution_is_claimed(signed_twice_by_one: Rollback) -> None:
    move_to_microsofts_cloud(signed_twice_by_one.tenant)
    with pytest.raises(CommandError, match="has 1 of 2 approvals"):
        call_command("execute", signed_twice_by_one.pk, username="eve")
    assert not Execution.objects.exists()


def test_and_before_the_first_write(scene: Scene, signed_twice_by_one: Rollback) -> None:
    lease = scene.claim(signed_twice_by_one)
    scene.cloud.requests.clear()
    move_to_microsofts_cloud(scene.tenant)
    ended = runner.perform(lease, sleep=without_sleep)
    assert ended.outcome == State.FAILED
    assert "has 1 of 2 approvals" in ended.message
    assert scene.writes() == []


def test_an_entry_that_somebody_slipped_in_gives_a_signature_no_other_account(
    signed_twice_by_one: Rollback,
) -> None:
    forged = LedgerEntry.objects.filter(action="rollback:approve").latest("sequence")
    forged.pk, forged.sequence, forged.digest = None, ledger.head()[0] + 1, "f" * 64
    forged.os_account = "somebody"
    forged.save(force_insert=True)
    move_to_microsofts_cloud(signed_twice_by_one.tenant)
    assert [counts for counts, _ in verdicts(signed_twice_by_one).values()] == [True, False]


@pytest.mark.parametrize("action", ["rollback:approve", "rollback:plan"])
def test_an_account_that_was_altered_in_the_ledger_makes_no_signature_count(
    rollback: Rollback, action: str
) -> None:
    approve(rollback, "ada", ALICE)
    tamper("UPDATE tenants_ledgerentry SET os_account = %s WHERE action = %s", "somebody", action)
    assert not any(counts for counts, _ in verdicts(rollback).values())
    with pytest.raises(CommandError):
        approve(rollback, "ben", BOB)
