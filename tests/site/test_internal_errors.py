"""A bug of ours is shown as one: by a reference id under which the log has the traceback, never as anybody's fault."""

import ast
import io
import logging
import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import Client
from rest_framework.test import APIClient

import changes.services
import rollbacks.services
from lavawall import pipeline, tasks
from lavawall.emulator import Emulator
from rollbacks.plans import preparation
from snapshots.canonical import form
from snapshots.catalog.spec import Document, ResourceType
from snapshots.collection import capture, type_reading
from snapshots.models import Coverage
from tenants.access.actors import Actor
from tenants.access.matrix import Role, TokenScope
from tenants.accounts import user_accounts
from tenants.models import LedgerEntry, Run, Tenant, User
from tenants.runs import leases
from tenants.trust import vault
from tests.factories.changes import disabled_mfa
from tests.factories.cloud import impatient_client, onboarded
from tests.factories.rollbacks import digest_of, planned
from tests.factories.tenants import TenantFactory, person

ROOT = Path(__file__).resolve().parents[2]
BUGS = [TypeError, ValueError, AttributeError, KeyError]
SECRET = "hunter2-client-secret"
REFERENCE = re.compile(r"Internal error ([0-9a-f]{10}) in Lavawall\b")


def broken(kind: type[Exception]) -> Any:
    def fail(*_args: Any, **_options: Any) -> None:
        raise kind(SECRET)

    return fail


def reference_in(text: str, log: pytest.LogCaptureFixture) -> str:
    """The one reference that the text shows, which the log holds with the traceback."""
    assert SECRET not in text
    assert "Microsoft" not in text
    (reference,) = {str(found[1]) for found in REFERENCE.finditer(text)}
    (record,) = [each for each in log.records if each.exc_info and reference in each.getMessage()]
    assert record.levelno == logging.ERROR
    assert record.exc_info is not None
    assert SECRET in str(record.exc_info[1])
    assert len([each for each in log.records if each.levelno >= logging.ERROR]) == 1
    return reference


@pytest.fixture
def tenant(db: None) -> Tenant:
    return TenantFactory(name="Contoso")


def page_of(user: User) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def api_of(user: User) -> APIClient:
    _, text = user_accounts.issue_token(
        Actor.person(user, "test"), user=user, name="test", scopes=frozenset(TokenScope)
    )
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {text}")
    return client


@pytest.mark.parametrize("kind", BUGS)
def test_a_page_shows_a_bug_in_a_service_by_its_reference(
    tenant: Tenant, kind: type[Exception], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    change = disabled_mfa(tenant)
    client = page_of(person(Role.ENGINEER, tenant=tenant))
    monkeypatch.setattr(changes.services, "acknowledge", broken(kind))
    answer = client.post(f"/changes/{change.pk}/acknowledge/")
    assert answer.status_code == 500
    reference_in(answer.content.decode(), caplog)


@pytest.mark.parametrize("kind", BUGS)
def test_a_page_shows_a_bug_in_the_planner_by_its_reference(
    tenant: Tenant, kind: type[Exception], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    change = disabled_mfa(tenant)
    client = page_of(person(Role.ENGINEER, tenant=tenant))
    monkeypatch.setattr(preparation, "prepare", broken(kind))
    answer = client.post("/rollbacks/new/", {"change": [change.pk]})
    assert answer.status_code == 500
    reference_in(answer.content.decode(), caplog)


def test_a_fragment_carries_the_message_that_the_page_swaps_in(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    client = page_of(person(Role.ENGINEER, tenant=tenant))
    monkeypatch.setattr("snapshots.services.request_snapshot", broken(TypeError))
    answer = client.post(f"/tenants/{tenant.pk}/snapshot/", headers={"HX-Request": "true"})
    assert answer.status_code == 500
    assert '<div class="messages" id="internal-error">' in answer.content.decode()
    assert "<html" not in answer.content.decode()
    reference_in(answer.content.decode(), caplog)


def test_the_admin_shows_a_bug_by_its_reference(
    db: None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    client = page_of(person(Role.ADMINISTRATOR, is_staff=True))
    monkeypatch.setattr(user_accounts, "create_user", broken(ValueError))
    answer = client.post(
        "/admin/tenants/user/add/",
        {
            "username": "gina",
            "email": "",
            "password": "correct horse battery",
            "password_again": "correct horse battery",
        },
    )
    assert answer.status_code == 500
    reference_in(answer.content.decode(), caplog)


@pytest.mark.parametrize("kind", BUGS)
def test_the_api_answers_a_bug_with_a_problem_that_carries_the_reference(
    tenant: Tenant, kind: type[Exception], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    change = disabled_mfa(tenant)
    client = api_of(person(Role.ENGINEER, tenant=tenant))
    monkeypatch.setattr(preparation, "prepare", broken(kind))
    answer = client.post("/api/v1/rollbacks/", {"tenant": tenant.name, "changes": [change.pk]}, format="json")
    assert answer.status_code == 500
    problem = answer.json()
    assert problem["type"] == "urn:lavawall:problem:internal"
    assert problem["reference"] == reference_in(problem["detail"], caplog)


@pytest.mark.parametrize("kind", BUGS)
def test_a_command_ends_with_one_line_and_the_reference(
    tenant: Tenant, kind: type[Exception], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    change = disabled_mfa(tenant)
    engineer = person(Role.ENGINEER, tenant=tenant)
    monkeypatch.setattr(preparation, "prepare", broken(kind))
    with pytest.raises(CommandError) as caught:
        call_command("plan", tenant.name, "--change", str(change.pk), "--as", engineer.username)
    assert caught.value.returncode == 1
    assert "\n" not in str(caught.value)
    reference_in(str(caught.value), caplog)


def test_a_refusal_is_recorded_in_the_ledger_and_a_bug_is_not_called_one(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    rollback = planned(tenant, person(Role.ENGINEER, tenant=tenant), [disabled_mfa(tenant)])
    approver = Actor.person(person(Role.APPROVER, tenant=tenant), "test")
    monkeypatch.setattr("rollbacks.plans.storage.check", broken(ValueError))
    with pytest.raises(ValueError, match=SECRET):
        rollbacks.services.approve(approver, rollback=rollback, digest=digest_of(rollback))
    assert not LedgerEntry.objects.filter(action="rollback:approve-refused").exists()


def test_a_run_of_the_worker_that_meets_a_bug_fails_with_the_reference(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    run = leases.create(tenant, Run.Kind.COLLECT, requested_by="test")
    monkeypatch.setattr(pipeline, "_observed", broken(TypeError))
    tasks.perform(run.pk)
    run.refresh_from_db()
    assert run.state == Run.State.FAILED
    reference_in(run.error, caplog)


@pytest.mark.parametrize("kind", BUGS)
def test_a_bug_in_the_canonical_form_of_one_type_is_our_error_in_its_coverage_and_costs_no_other_type(
    db: None,
    emulator: Emulator,
    kind: type[Exception],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    tenant = onboarded(emulator)
    genuine = form.canonicalise

    def canonicalise(raw: Document, spec: ResourceType) -> Document:
        if spec.key == "namedLocation":
            raise kind(SECRET)
        return genuine(raw, spec)

    monkeypatch.setattr(type_reading, "canonicalise", canonicalise)
    with closing(impatient_client(tenant)) as client:
        collected = capture.collect(tenant, client, types=["namedLocation", "conditionalAccessPolicy"])
    outcome = collected.outcomes["namedLocation"]
    assert outcome.status == Coverage.Status.FAILED
    reference_in(f"{outcome.reason}. {outcome.remedy}", caplog)
    assert collected.outcomes["conditionalAccessPolicy"].status == Coverage.Status.COMPLETE


def test_altered_contents_are_told_to_the_operator_and_are_an_internal_error_elsewhere(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    change = disabled_mfa(tenant)
    client = page_of(person(Role.ENGINEER, tenant=tenant))

    def mismatch(*_args: Any) -> None:
        raise vault.MasterKeyMismatch(SECRET)

    monkeypatch.setattr(vault, "unseal", mismatch)
    answer = client.get(f"/changes/{change.pk}/")
    assert answer.status_code == 500
    reference_in(answer.content.decode(), caplog)
    with pytest.raises(CommandError, match=SECRET):
        call_command("changes", tenant.name, stdout=io.StringIO())


def test_what_a_person_can_act_upon_is_told_without_a_reference(db: None) -> None:
    with pytest.raises(CommandError, match="There is no tenant called Nowhere") as caught:
        call_command("changes", "Nowhere")
    assert not REFERENCE.search(str(caught.value))


NARROW = frozenset(
    {
        "changes/audit/fields.py",
        "changes/severity/network/address_ranges.py",
        "changes/severity/network/exposure.py",
        "changes/severity/redirects.py",
        "changes/severity/rules/entra/roles/privileged_access.py",
        "changes/severity/rules/entra/applications/token_policies.py",
        "lavawall/api/pagination.py",
        "lavawall/management/commands/add_tenant.py",
        "lavawall/management/commands/changes.py",
        "lavawall/configuration/environment.py",
        "lavawall/configuration/secrets.py",
        "snapshots/api/recoverability.py",
        "snapshots/canonical/form.py",
        "snapshots/catalog/normalisers.py",
        "snapshots/recoverability/verdicts.py",
        "snapshots/store/content_store.py",
        "tenants/accounts/lockout.py",
        "tenants/microsoft/client.py",
        "tenants/microsoft/connection.py",
        "tenants/microsoft/pacing.py",
        "tenants/microsoft/retry.py",
        "tenants/microsoft/tokens.py",
        "tenants/microsoft/wire.py",
        "tenants/trust/os_accounts.py",
    }
)
"""Modules that parse what came from outside: numbers, times, addresses, JSON, keys."""
BUG_NAMES = frozenset({"ValueError", "TypeError", "AttributeError", "KeyError", "LookupError"})


def caught_bugs() -> Iterator[tuple[str, ast.Try, ast.ExceptHandler]]:
    for room in ("tenants", "snapshots", "changes", "rollbacks", "lavawall"):
        for path in sorted((ROOT / room).rglob("*.py")):
            name = path.relative_to(ROOT).as_posix()
            if name.startswith("lavawall/emulator/"):
                continue
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                for handler in node.handlers if isinstance(node, ast.Try) else ():
                    names = {each.id for each in ast.walk(handler.type or node) if isinstance(each, ast.Name)}
                    if names & BUG_NAMES and isinstance(node, ast.Try):
                        yield name, node, handler


def test_only_parsers_catch_what_a_bug_raises() -> None:
    found = list(caught_bugs())
    assert sorted({name for name, _, _ in found} - NARROW) == []
    assert sorted(NARROW - {name for name, _, _ in found}) == [], "no longer needed in the list"
    wide = [f"{name}:{node.lineno}" for name, node, _ in found if len(node.body) > 5]
    assert wide == []
