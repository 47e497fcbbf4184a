"""The commands as scripts use them: JSON as the contract says, one clear line on stderr, exit 0, 1 or 2."""

import io
import json
import stat
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection
from pytest_django import Settings

from lavawall.emulator import Emulator
from rollbacks.models import Approval, Rollback
from snapshots.models import Snapshot
from tenants.access.matrix import Role
from tenants.accounts import user_accounts
from tenants.microsoft.connection import SecretCredential
from tenants.models import ApiToken, DataKey, LedgerEntry, RoleBinding, Run, Tenant, User
from tenants.runs import leases
from tenants.trust import vault
from tenants.trust.append_only import retention_gate
from tests.factories.changes import disabled_mfa, mfa_policy
from tests.factories.cloud import TENANT, onboarded
from tests.factories.rollbacks import digest_of, planned
from tests.factories.tenants import TenantFactory, person

ROOT = Path(__file__).resolve().parents[2]
TYPES = ("--type", "conditionalAccessPolicy", "--type", "namedLocation")


def command(name: str, *arguments: str) -> Any:
    output = io.StringIO()
    call_command(name, *arguments, "--json", stdout=output)
    return json.loads(output.getvalue())


def lines(name: str, *arguments: str) -> list[str]:
    output = io.StringIO()
    call_command(name, *arguments, stdout=output)
    return output.getvalue().splitlines()


def refusal(name: str, *arguments: str) -> CommandError:
    """What the command says when it refuses; always one line."""
    with pytest.raises(CommandError) as caught:
        call_command(name, *arguments, "--json", stdout=io.StringIO())
    assert len(str(caught.value).splitlines()) == 1
    return caught.value


def shell(*arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def arguments(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Of add_tenant, for a seeded tenant with reader and writer."""
    info = emulator.tenants[TENANT]
    monkeypatch.setenv("READER_SECRET", info.reader.secret)
    monkeypatch.setenv("WRITER_SECRET", info.writer.secret)
    given = {
        "--customer": info.customer,
        "--name": TENANT,
        "--directory-id": info.directory_id,
        "--client-id": info.reader.client_id,
        "--secret-env": "READER_SECRET",
        "--writer-client-id": info.writer.client_id,
        "--writer-secret-env": "WRITER_SECRET",
        "--login-url": emulator.url,
        "--graph-url": emulator.url,
    }
    return [word for pair in given.items() for word in pair]


# add_tenant


def test_add_tenant_says_what_the_connection_may_and_may_not_do(
    db: None, emulator: Emulator, arguments: list[str]
) -> None:
    reported = command("add_tenant", *arguments)
    assert reported["tenant"] == Tenant.objects.get().pk
    assert (reported["name"], reported["customer"]) == (TENANT, emulator.tenants[TENANT].customer)
    assert set(reported["reader"]["granted"]) == set(emulator.tenants[TENANT].reader.permissions)
    assert reported["reader"]["missing"] == {}
    assert reported["writer"]["granted"]


def test_add_tenant_names_each_missing_permission_and_what_stays_unread(
    db: None, emulator: Emulator, arguments: list[str]
) -> None:
    info = emulator.tenants[TENANT]
    emulator.set_permissions(info.directory_id, info.reader.client_id, ["Application.Read.All"])
    shown = lines("add_tenant", *arguments)
    lacking = [line for line in shown if line.startswith("Reader lacks Policy.Read.All: it may not read")]
    assert len(lacking) == 1
    assert "Conditional Access policies" in lacking[0]


def test_add_tenant_says_what_the_reader_may_read_in_azure(
    db: None, emulator: Emulator, arguments: list[str]
) -> None:
    (subscription,) = emulator.tenants[TENANT].subscriptions
    stranger = str(uuid4())
    reported = command("add_tenant", *arguments, "--subscription", subscription, "--subscription", stranger)
    assert reported["subscriptions"][subscription] == {}
    assert "role Reader" in reported["subscriptions"][stranger]["keyVault"]


def test_add_tenant_tells_people_what_stays_unread_in_azure(
    db: None, emulator: Emulator, arguments: list[str]
) -> None:
    stranger = str(uuid4())
    shown = lines("add_tenant", *arguments, "--subscription", stranger)
    (line,) = [line for line in shown if stranger in line]
    assert line.startswith("Reader may not read ")
    assert "Key vaults" in line
    assert not any("Key vaults" in each for each in shown if each != line)


def test_add_tenant_reads_a_certificate_file(
    db: None, emulator: Emulator, arguments: list[str], tmp_path: Path
) -> None:
    pem = tmp_path / "reader.pem"
    pem.write_text(emulator.tenants[TENANT].reader.certificate_pem)
    location = arguments.index("--secret-env")
    assert command(
        "add_tenant", *arguments[:location], "--certificate-file", str(pem), *arguments[location + 2 :]
    )["reader"]
    pem.write_text("not pem")
    error = refusal(
        "add_tenant", *arguments[:location], "--certificate-file", str(pem), *arguments[location + 2 :]
    )
    assert "not PEM" in str(error)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"READER_SECRET": "wrong"}, "secret"),
        ({"READER_SECRET": ""}, "environment variable is not set"),
        ({"REQUESTS_CA_BUNDLE": ""}, "REQUESTS_CA_BUNDLE"),
    ],
)
def test_add_tenant_refuses_with_one_line_and_stores_nothing(
    db: None, monkeypatch: pytest.MonkeyPatch, arguments: list[str], change: dict[str, str], words: str
) -> None:
    for name, value in change.items():
        monkeypatch.setenv(name, value)
    error = refusal("add_tenant", *arguments)
    assert words in str(error)
    assert error.returncode == 1
    assert not Tenant.objects.exists()
    assert not LedgerEntry.objects.exists()


@pytest.mark.parametrize("option", ["--secret-env", "--writer-secret-env"])
def test_a_secret_given_in_place_of_its_variables_name_is_not_repeated(
    db: None, arguments: list[str], option: str
) -> None:
    arguments[arguments.index(option) + 1] = "s3cr3t~value"
    assert "s3cr3t" not in str(refusal("add_tenant", *arguments))


def test_add_user_repeats_no_password_given_in_place_of_its_variables_name(db: None) -> None:
    error = refusal(
        "add_user", "maria", "--role", "auditor", "--scope", "msp", "--password-env", "Tr0ub4dor&3"
    )
    assert "Tr0ub4dor" not in str(error)
    assert not User.objects.exists()


def test_add_tenant_refuses_an_unknown_directory(db: None, arguments: list[str]) -> None:
    arguments[arguments.index("--directory-id") + 1] = str(uuid4())
    assert "directory" in str(refusal("add_tenant", *arguments)).lower()
    assert not Tenant.objects.exists()


def test_add_tenant_wants_a_writers_id_and_credential_together(db: None, arguments: list[str]) -> None:
    location = arguments.index("--writer-secret-env")
    error = refusal("add_tenant", *arguments[:location], *arguments[location + 2 :])
    assert (error.returncode, "--writer-client-id" in str(error)) == (2, True)


# add_user


def test_add_user_creates_binds_and_prints_a_token_once(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    tenant: Tenant = TenantFactory(name="Contoso")
    monkeypatch.setenv("PASSWORD", "a long enough sentence")
    reported = command(
        "add_user",
        "maria",
        "--role",
        "engineer",
        "--scope",
        "tenant:Contoso",
        "--password-env",
        "PASSWORD",
        "--token",
    )
    assert (reported["username"], reported["created"], reported["scope"]) == ("maria", True, "tenant:Contoso")
    token = user_accounts.token_for(reported["token"])
    assert token is not None
    assert (token.customer, set(token.scopes)) == (tenant.customer, {"read", "request"})
    assert User.objects.get().check_password("a long enough sentence")
    repeated = command("add_user", "maria", "--role", "approver", "--scope", "msp")
    assert (repeated["created"], "token" in repeated) == (False, False)
    assert RoleBinding.objects.count() == 2


@pytest.mark.parametrize("scope", ["tenant:none", "customer:none", "moon"])
def test_add_user_refuses_an_unknown_scope_and_leaves_no_user(db: None, scope: str) -> None:
    refusal("add_user", "maria", "--role", "auditor", "--scope", scope)
    assert not User.objects.exists()


def test_add_user_refuses_a_weak_password_and_leaves_nothing(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PASSWORD", "short")
    error = refusal(
        "add_user", "maria", "--role", "auditor", "--scope", "msp", "--password-env", "PASSWORD", "--token"
    )
    assert "too short" in str(error)
    assert not User.objects.exists()
    assert not ApiToken.objects.exists()


# snapshot, changes, verify, export, rotate_keys


def test_snapshot_prints_what_the_contract_says(committed_db: None, emulator: Emulator) -> None:
    tenant = onboarded(emulator)
    reported = command("snapshot", TENANT)
    assert reported.keys() >= {"snapshot", "root", "status", "coverage", "changes", "requests", "seconds"}
    snapshot = Snapshot.objects.get()
    assert (reported["snapshot"], reported["root"], reported["status"]) == (
        snapshot.pk,
        snapshot.root,
        "complete",
    )
    assert reported["coverage"]["group"].keys() >= {"status", "count", "reason"}
    assert reported["changes"] == {}
    assert reported["requests"] > 0
    assert command("snapshot", str(tenant.pk), *TYPES)["coverage"]["group"]["status"] == "not_requested"
    assert command("verify", TENANT)["ok"]


def test_a_snapshot_records_the_mode_that_was_used_and_not_the_one_asked_for(
    committed_db: None, emulator: Emulator
) -> None:
    onboarded(emulator)
    reported = command("snapshot", TENANT, "--mode", "incremental", *TYPES)
    assert reported["mode"] == Snapshot.objects.get().mode == "full"


def test_snapshot_says_in_words_what_was_not_read(committed_db: None, emulator: Emulator) -> None:
    onboarded(emulator)
    emulator.faults.add("answer", method="GET", path="namedLocations$", status=403)
    shown = lines("snapshot", TENANT, *TYPES)
    assert "is partial" in shown[0]
    assert any(line.startswith("namedLocation: forbidden.") and "Policy.Read.All" in line for line in shown)


def test_snapshot_refuses_what_cannot_be(committed_db: None, emulator: Emulator) -> None:
    tenant = onboarded(emulator, credential=SecretCredential("wrong"))
    assert "no tenant called nowhere" in str(refusal("snapshot", "nowhere"))
    assert "Did you mean group" in str(refusal("snapshot", TENANT, "--type", "grop"))
    assert "secret" in str(refusal("snapshot", TENANT))
    assert Run.objects.latest("id").state == "failed"
    held = leases.claim(leases.create(tenant, Run.Kind.COLLECT, requested_by="test").pk)
    assert held is not None
    assert "already running" in str(refusal("snapshot", TENANT))
    assert Run.objects.latest("id").state == "failed"


def test_changes_are_listed_filtered_and_told_in_words(db: None) -> None:
    change = disabled_mfa(TenantFactory(name="Contoso"))
    (reported,) = command("changes", "Contoso")
    assert (reported["id"], reported["severity"]) == (change.pk, "critical")
    assert command("changes", "Contoso", "--severity", "low", "--severity", "high") == []
    assert len(command("changes", "Contoso", "--severity", "critical", "--since", "24h")) == 1
    assert command("changes", "Contoso", "--since", "2999-01-01T00:00:00Z") == []
    assert change.summary in lines("changes", "Contoso")[0]
    assert "no tenant called" in str(refusal("changes", "nowhere"))


def test_verify_fails_with_the_faults_when_history_was_altered(
    committed_db: None, emulator: Emulator
) -> None:
    onboarded(emulator)
    command("snapshot", TENANT, *TYPES)
    reported = command("verify")
    assert (reported["ok"], reported["tenants"], reported["faults"]) == (True, [TENANT], [])
    assert reported["ledger"]["entries"] == LedgerEntry.objects.count()
    with retention_gate("a test"), connection.cursor() as cursor:
        cursor.execute("UPDATE tenants_ledgerentry SET actor = 'x' WHERE sequence = 1")
        cursor.execute("UPDATE snapshots_snapshot SET root = 'x'")
    output = io.StringIO()
    with pytest.raises(CommandError, match="3 faults") as caught:
        call_command("verify", "--json", stdout=output)
    assert caught.value.returncode == 1
    assert {fault["where"] for fault in json.loads(output.getvalue())["faults"]} == {
        "snapshot 1",
        "ledger entry 1",
    }


def test_export_writes_every_resource_for_the_owner_only(db: None, tmp_path: Path) -> None:
    change = disabled_mfa(TenantFactory(name="Contoso"))
    out = tmp_path / "export.json"
    reported = command("export", "Contoso", "--snapshot", str(change.snapshot_id), "--out", str(out))
    assert reported["resources"] == 1
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    exported = json.loads(out.read_bytes())
    (resource,) = exported["resources"]
    assert (resource["type"], resource["document"]["state"]) == ("conditionalAccessPolicy", "disabled")
    assert exported["root"] == change.snapshot.root
    assert LedgerEntry.objects.get(action="snapshot:export").tenant_id == change.tenant_id


def test_export_refuses_a_foreign_snapshot_and_an_unwritable_place(db: None, tmp_path: Path) -> None:
    change = disabled_mfa(TenantFactory(name="Contoso"))
    TenantFactory(name="Fabrikam")
    out = str(tmp_path / "export.json")
    number = str(change.snapshot_id)
    assert "has no snapshot" in str(refusal("export", "Fabrikam", "--snapshot", number, "--out", out))
    refusal("export", "Contoso", "--snapshot", number, "--out", str(tmp_path / "none" / "x.json"))
    assert not LedgerEntry.objects.filter(action="snapshot:export").exists()
    assert not list(tmp_path.iterdir())


def test_rotate_keys_moves_every_key_to_the_new_master_key(db: None, settings: Settings) -> None:
    tenant: Tenant = TenantFactory()
    envelope = vault.seal(tenant, b"content", "blob:1")
    vault.ledger_key()
    old, new = settings.SECRETS.master_key, bytes(range(50, 82))
    settings.SECRETS = replace(settings.SECRETS, master_key=new)
    vault.forget()
    assert "LAVAWALL_PREVIOUS_MASTER_KEY" in str(refusal("rotate_keys"))
    settings.SECRETS = replace(settings.SECRETS, previous_master_key=old)
    assert command("rotate_keys") == {"rewrapped": DataKey.objects.count()}
    settings.SECRETS = replace(settings.SECRETS, previous_master_key=None)
    vault.forget()
    assert vault.unseal(tenant, envelope, "blob:1") == b"content"
    assert LedgerEntry.objects.get(action="keys:rotate").detail == {"count": 2}
    assert command("verify")["ok"]


# approve, reject, cancel


@pytest.fixture
def rollback(db: None) -> Rollback:
    tenant: Tenant = TenantFactory(name="Contoso")
    for name in ("ada", "ben"):
        person(Role.APPROVER, tenant=tenant, username=name)
    return planned(
        tenant, person(Role.ENGINEER, tenant=tenant, username="erin"), [disabled_mfa(tenant)], reason="attack"
    )


def test_approve_signs_the_plan_whose_digest_it_is_given(
    rollback: Rollback, monkeypatch: pytest.MonkeyPatch
) -> None:
    number, digest = str(rollback.pk), digest_of(rollback)
    wrong = refusal("approve", number, "--digest", "e" * 64, "--as", "ada")
    assert "the digest is wrong" in str(wrong)
    assert not Approval.objects.exists()
    assert command("approve", number, "--digest", digest, "--as", "ada")["state"] == "awaiting_approval"
    monkeypatch.setattr("os.getuid", lambda: 61_001)
    assert command("approve", number, "--digest", digest, "--as", "ben")["state"] == "approved"


def test_reject_ends_the_rollback_whose_plan_has_the_digest(rollback: Rollback) -> None:
    number = str(rollback.pk)
    refusal("reject", number, "--digest", "e" * 64, "--reason", "wrong customer", "--as", "ada")
    refusal("reject", number, "--digest", digest_of(rollback), "--reason", " ", "--as", "ada")
    assert not Approval.objects.exists()
    reported = command(
        "reject", number, "--digest", digest_of(rollback), "--reason", "wrong customer", "--as", "ada"
    )
    assert reported["state"] == "rejected"
    assert reported["approvals"][0]["comment"] == "wrong customer"


@pytest.mark.parametrize("name", ["approve", "reject"])
def test_signing_without_a_digest_is_a_usage_error(name: str) -> None:
    answer = shell(name, "1", "--as", "ada")
    assert (answer.returncode, "--digest" in answer.stderr) == (2, True)


def test_cancel_ends_a_rollback_of_which_nothing_was_written(rollback: Rollback) -> None:
    number = str(rollback.pk)
    refusal("cancel", number, "--as", "ada")
    assert command("cancel", number, "--as", "erin")["state"] == "cancelled"
    assert "cancelled" in str(refusal("cancel", number, "--as", "erin"))


# grade

Write = Callable[[str, Any], str]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def save(name: str, value: Any) -> str:
        path = tmp_path / name
        path.write_text(value if isinstance(value, str) else json.dumps(value))
        return str(path)

    return save


def test_grade_answers_as_the_contract_says(write: Write) -> None:
    before, after = write("before", mfa_policy()), write("after", mfa_policy(state="disabled"))
    reported = command("grade", "--type", "conditionalAccessPolicy", "--before", before, "--after", after)
    assert reported.keys() >= {"changed", "severity", "findings", "patch"}
    assert (reported["changed"], reported["severity"]) == (True, "critical")
    assert reported["patch"] == [{"op": "replace", "path": "/state", "value": "disabled"}]
    assert reported["findings"][0].keys() >= {"rule", "severity", "reason", "technique"}
    shown = lines("grade", "--type", "conditionalAccessPolicy", "--before", before, "--after", after)
    assert shown[0] == "critical"


def test_grade_of_two_spellings_of_one_state_says_unchanged(write: Write) -> None:
    before = write("before", mfa_policy())
    after = write("after", mfa_policy(modifiedDateTime="2026-01-01T00:00:00Z"))
    reported = command("grade", "--type", "conditionalAccessPolicy", "--before", before, "--after", after)
    assert (reported["changed"], reported["patch"]) == (False, [])
    assert (
        lines("grade", "--type", "conditionalAccessPolicy", "--before", before, "--after", after)[0]
        == "unchanged"
    )


def test_a_missing_file_means_that_the_object_did_not_exist(write: Write) -> None:
    after = write("after", mfa_policy())
    created = command("grade", "--type", "conditionalAccessPolicy", "--before", "/no/such", "--after", after)
    assert created["changed"]
    assert created["patch"][0]["op"] == "add"
    assert (
        command("grade", "--type", "conditionalAccessPolicy", "--before", after)["patch"][0]["op"] == "remove"
    )
    both = refusal(
        "grade", "--type", "conditionalAccessPolicy", "--before", "/no/such", "--after", "/nor/this"
    )
    assert (both.returncode, "At least one of --before and --after" in str(both)) == (2, True)


def test_grade_takes_one_method_configuration_on_its_own(write: Write) -> None:
    sms = {
        "@odata.type": "#microsoft.graph.smsAuthenticationMethodConfiguration",
        "id": "Sms",
        "state": "disabled",
    }
    reported = command(
        "grade",
        "--type",
        "authenticationMethodConfiguration",
        "--before",
        write("before", sms),
        "--after",
        write("after", {**sms, "state": "enabled"}),
    )
    assert reported["changed"]
    assert reported["severity"] in {"high", "medium"}


def test_grade_uses_the_context_it_is_given(write: Write) -> None:
    group = {"id": "11111111-1111-4111-8111-111111111111", "displayName": "Admins", "members": []}
    after = {**group, "members": [{"id": "22222222-2222-4222-8222-222222222222"}]}
    policy = mfa_policy()
    policy["conditions"] = {
        "users": {"excludeGroups": [group["id"]]},
        "applications": {"includeApplications": ["All"]},
    }
    types = {"conditionalAccessPolicy": {str(policy["id"]): policy}}
    context = write("context", {"before": types, "after": types, "principals": {}})
    pair = ("--type", "group", "--before", write("before", group), "--after", write("after", after))
    alone, within = command("grade", *pair), command("grade", *pair, "--context", context)
    assert alone["patch"] == within["patch"]
    assert alone["findings"] != within["findings"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{", "is not JSON"),
        ("[1]", "does not contain a JSON object"),
        ('"x"', "does not contain a JSON object"),
    ],
)
def test_grade_refuses_what_is_no_object(write: Write, content: str, words: str) -> None:
    error = refusal("grade", "--type", "group", "--after", write("after", content))
    assert (error.returncode, words in str(error)) == (1, True)


@pytest.mark.parametrize(
    "content", ["{", "[]", '{"before": 1}', '{"before": {"group": []}}', '{"before": {"x": {"1": {}}}}']
)
def test_grade_refuses_a_context_of_another_form(write: Write, content: str) -> None:
    refusal(
        "grade", "--type", "group", "--after", write("after", {"id": "1"}), "--context", write("c", content)
    )


def test_grade_suggests_the_type_that_was_meant(write: Write) -> None:
    after = write("after", {"id": "1"})
    assert "Did you mean conditionalAccessPolicy" in str(
        refusal("grade", "--type", "conditionalAcessPolicy", "--after", after)
    )


def test_only_one_side_is_read_from_standard_input() -> None:
    assert refusal("grade", "--type", "group", "--before", "-", "--after", "-").returncode == 2


def test_from_a_shell_success_is_0_refusal_1_and_usage_2(write: Write) -> None:
    before = write("before", mfa_policy())
    pair = ("grade", "--type", "conditionalAccessPolicy", "--before", before, "--after", "-", "--json")
    fine = shell(*pair, stdin=json.dumps(mfa_policy(state="disabled")))
    assert (fine.returncode, fine.stderr) == (0, "")
    assert json.loads(fine.stdout)["severity"] == "critical"
    refused = shell(*pair, stdin="{")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert len(refused.stderr.splitlines()) == 1
    assert "Standard input is not JSON" in refused.stderr
    assert shell("grade", "--before", before).returncode == 2
    assert shell("grade", "--type", "group").returncode == 2


def test_grade_looks_into_the_methods_inside_their_policy(tmp_path: Path) -> None:
    def policy(state: str) -> str:
        sms = {
            "@odata.type": "#microsoft.graph.smsAuthenticationMethodConfiguration",
            "id": "Sms",
            "state": state,
        }
        path = tmp_path / f"{state}.json"
        path.write_text(
            json.dumps({"id": "authenticationMethodsPolicy", "authenticationMethodConfigurations": [sms]})
        )
        return str(path)

    out = io.StringIO()
    call_command(
        "grade",
        type="authenticationMethodsPolicy",
        before=policy("disabled"),
        after=policy("enabled"),
        json=True,
        stdout=out,
    )
    answer = json.loads(out.getvalue())
    assert (answer["changed"], answer["severity"]) == (True, "high")
    assert answer["patch"] == [
        {"op": "replace", "path": "/authenticationMethodConfigurations/Sms/state", "value": "enabled"}
    ]
