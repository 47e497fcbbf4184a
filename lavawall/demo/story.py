"""The steps of the demo. Every step checks its results; the first failure ends the demo."""

import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID

from django.core.management import CommandError, call_command
from django.utils import timezone

from changes import selectors as change_selectors
from changes.models import Attribution, Change
from lavawall import pipeline
from lavawall.demo import cast
from lavawall.demo.cast import ATTACKED, CUSTOMERS, Login
from lavawall.demo.show import Show, StepFailed, expect
from lavawall.emulator.attack import AttackStep, run_attack
from rollbacks import selectors as rollback_selectors
from rollbacks.models import Rollback
from snapshots.catalog import words
from snapshots.models import Snapshot, Version
from tenants.models import Run, Tenant
from tenants.runs import leases

SCENARIO = "stolen_global_admin"
ATTACKER_IP = "198.51.100.23"
AUDIT_PATIENCE_SECONDS = 20
AUDIT_PAUSE_SECONDS = 0.5
SHOWN_EVENTS = 3
SEVERITIES = ("informational", "low", "medium", "high", "critical")


@dataclass(frozen=True)
class Expected:
    """One change of the incident, and how it must be detected. `says`: words in the summary of the finding."""

    resource_type: str
    kind: str
    least: str
    what: str
    summary_contains: str = ""

    def is_met_by(self, change: Change) -> bool:
        return (
            (change.resource_type, change.kind) == (self.resource_type, self.kind)
            and SEVERITIES.index(change.severity) >= SEVERITIES.index(self.least)
            and self.summary_contains in change.summary
        )


EXPECTED = (
    Expected("conditionalAccessPolicy", "updated", "critical", "MFA for administrators switched off"),
    Expected("unifiedRoleAssignment", "created", "critical", "A service principal made Global Administrator"),
    Expected("conditionalAccessPolicy", "updated", "high", "An account excluded from MFA", "newly excluded"),
    Expected("conditionalAccessPolicy", "deleted", "high", "A policy deleted"),
    Expected("appRoleAssignment", "created", "high", "An app consented to read all mail", "Mail.ReadWrite"),
    Expected("appRoleAssignment", "created", "high", "and all files", "Files.ReadWrite.All"),
    Expected("oAuth2PermissionGrant", "created", "high", "and both on behalf of all users"),
    Expected("authenticationMethodConfiguration", "updated", "high", "SMS enabled as a factor"),
    Expected("authenticationStrengthPolicy", "updated", "high", "An authentication strength weakened"),
    Expected("application", "updated", "high", "A credential added to an existing app"),
    Expected("namedLocation", "deleted", "medium", "The deleted policy's named location deleted too"),
    Expected("application", "created", "low", "The app itself registered"),
    Expected("servicePrincipal", "created", "low", "and given a service principal"),
)
"""Most severe first; each matches a different change."""


@dataclass
class Stage:
    """State shared by the steps."""

    show: Show
    cloud: dict[str, Any]
    """The emulator's output: url, ca_file, tenants by name."""
    logins: dict[str, Login] = field(default_factory=dict)
    before: Snapshot | None = None
    attack_began: datetime = field(default_factory=timezone.now)
    attack_ended: datetime = field(default_factory=timezone.now)
    rollback: Rollback | None = None
    digest: str = ""
    """The digest of the plan, as printed by `plan`."""

    @property
    def tenant(self) -> Tenant:
        return Tenant.objects.get(name=ATTACKED)

    @property
    def attacked(self) -> dict[str, Any]:
        facts: dict[str, Any] = self.cloud["tenants"][ATTACKED]
        return facts

    @property
    def thief(self) -> dict[str, str]:
        """The administrator whose session is stolen."""
        return self.attacked["admins"][0]  # type: ignore[no-any-return]

    def incident(self) -> list[Change]:
        if self.before is None:
            raise StepFailed("There is no snapshot from before the attack.")
        return list(
            change_selectors.with_details(
                Change.objects.filter(tenant=self.tenant, snapshot_id__gt=self.before.pk)
            ).order_by("id")
        )


def play(stage: Stage) -> None:
    """Runs all steps. Raises the first failure."""
    for title, scene in SCENES:
        with stage.show.step(title, of=len(SCENES)):
            scene(stage)


def connect(stage: Stage) -> None:
    for name, customer in CUSTOMERS.items():
        facts = stage.cloud["tenants"][name]
        answer = _add_tenant(stage.cloud["url"], name, customer, facts)
        missing = answer["reader"]["missing"]
        expect(not missing, f"the reader of {name} lacks {', '.join(missing)}")
        stage.show.say(f"{name} of {customer}: reader and writer signed in over TLS")
    stage.logins = cast.hire()


def snapshot_all(stage: Stage) -> None:
    for name in CUSTOMERS:
        taken = command("snapshot", name)
        expect(taken["status"] == "complete", f"the snapshot of {name} is {taken['status']}")
        stage.show.say(
            f"{name}: {sum(row['count'] for row in taken['coverage'].values())} resources of "
            f"{len(taken['coverage'])} types, {taken['requests']} requests, root {taken['root'][:16]}…"
        )
    rows = Version.objects.filter(tenant=stage.tenant).count()
    unchanged = command("snapshot", ATTACKED)
    expect(not unchanged["changes"], f"an unchanged tenant showed changes: {unchanged['changes']}")
    expect(Version.objects.filter(tenant=stage.tenant).count() == rows, "an unchanged tenant added rows")
    stage.before = Snapshot.objects.get(pk=unchanged["snapshot"])
    stage.show.say(f"{ATTACKED} again, with reordered sets: no changes, no rows added")


def attack(stage: Stage) -> None:
    stage.attack_began = timezone.now()
    run_attack(
        login_url=stage.cloud["url"],
        graph_url=stage.cloud["url"],
        directory_id=stage.attacked["directory_id"],
        user=stage.thief["user_principal_name"],
        password=stage.thief["password"],
        ip=ATTACKER_IP,
        verify=stage.cloud["ca_file"],
        report=lambda step: _tell(stage, step),
        scenario=SCENARIO,
    )
    stage.attack_ended = timezone.now() + timedelta(seconds=1)


def detect(stage: Stage) -> None:
    command("snapshot", ATTACKED)
    unmatched = stage.incident()
    for expected in EXPECTED:
        found = next((change for change in unmatched if expected.is_met_by(change)), None)
        if found is None:
            raise StepFailed(
                f"{expected.what}: no {expected.kind} {expected.resource_type} of severity "
                f"{expected.least} or above was found"
            )
        unmatched.remove(found)
        stage.show.finding(found.severity, expected.what, found.summary)
    expect(not unmatched, f"unexpected changes were found: {', '.join(map(str, unmatched))}")


def attribute(stage: Stage) -> None:
    """Microsoft's audit events arrive late, so this retries until they are there."""
    deadline = time.monotonic() + AUDIT_PATIENCE_SECONDS
    while unknown := [change for change in stage.incident() if _attribution(change) is None]:
        expect(time.monotonic() < deadline, f"{len(unknown)} changes have no audit event: {unknown[0]}")
        time.sleep(AUDIT_PAUSE_SECONDS)
        lease = leases.claim(leases.create(stage.tenant, Run.Kind.ATTRIBUTE, requested_by="demo").pk)
        if lease is not None:
            pipeline.perform(lease)
    attributions = [found for change in stage.incident() if (found := _attribution(change))]
    thief = stage.thief["user_principal_name"]
    actors = {found.event.actor_name for found in attributions}
    expect(
        actors == {thief}, f"the changes were attributed to {', '.join(sorted(actors))}, not to {thief} alone"
    )
    places = {(found.event.ip, found.country) for found in attributions}
    expect(
        all(ip == ATTACKER_IP and country for ip, country in places), f"wrong address or country: {places}"
    )
    _, country = places.pop()
    stage.show.say(f"All {len(attributions)} changes were made by one actor: {thief}")
    stage.show.say(
        f"from {ATTACKER_IP} in {words.country(country)} (by the "
        f"{attributions[0].get_country_source_display()})"
    )
    for found in attributions[:SHOWN_EVENTS]:
        stage.show.say(f"{found.event.activity}: {found.confidence} confidence, event {found.event.event_id}")
    if len(attributions) > SHOWN_EVENTS:
        stage.show.say(f"and {len(attributions) - SHOWN_EVENTS} more")


def plan(stage: Stage) -> None:
    shown = command(
        "plan",
        ATTACKED,
        actor=stage.thief["user_principal_name"],
        since=stage.attack_began,
        until=stage.attack_ended,
        reason="Undo all changes of the stolen session",
        username="erin",
    )
    stage.rollback, stage.digest = Rollback.objects.get(pk=shown["rollback"]), shown["digest"]
    for step in shown["steps"]:
        stage.show.say(step["explanation"], mark=str(step["order"]))
    for warning in shown["warnings"]:
        stage.show.say(warning, mark="!")
    stage.show.say(f"Dry run against the live tenant passed, plan digest {shown['digest'][:16]}…")
    expect(shown["applicable"], f"the plan cannot be executed: {shown['warnings']}")
    expect(shown["complete"], f"the plan is incomplete: {shown['warnings']}")


def approve(stage: Stage) -> None:
    number = _planned(stage).pk
    refused(
        stage,
        "erin approves her own request",
        "someone else must approve",
        lambda: command("approve", number, digest=stage.digest, username="erin"),
    )
    refused(
        stage,
        "erin executes without approvals",
        "0 of 2 approvals",
        lambda: command("execute", number, username="erin"),
    )
    command("approve", number, digest=stage.digest, username="amir")
    stage.show.say("amir approves: one of two")
    refused(
        stage,
        "erin executes with one approval",
        "1 of 2 approvals",
        lambda: command("execute", number, username="erin"),
    )
    command("approve", number, digest=stage.digest, username="aiko")
    stage.show.say("aiko approves: two of two")


def execute(stage: Stage) -> None:
    done = command("execute", _planned(stage).pk, username="erin")
    execution = done["execution"]
    expect(done["state"] == "verified", f"the rollback ended as {done['state']}: {execution}")
    equal = len(execution["verification"]["equal"])
    stage.show.say(
        f"{len(done['steps'])} steps executed, {equal} resources match the state before the attack"
    )
    expect(execution["remapped"], "the purged location was restored without listing its new ID")
    for moved in execution["remapped"]:
        stage.show.say(
            f"The {moved['resource_type']} {moved['display_name']} was restored under a new ID: "
            f"{moved['old_id']} is now {moved['new_id']}"
        )


def compare(stage: Stage) -> None:
    taken = command("snapshot", ATTACKED)
    after = Snapshot.objects.get(pk=taken["snapshot"])
    if stage.before is None:
        raise StepFailed("There is no snapshot from before the attack.")
    differing = rollback_selectors.differing(stage.before, after)
    expect(not differing, f"still different: {', '.join(differing)}")
    stage.show.say("The latest snapshot matches the one before the attack, except for new IDs")
    verified = command("verify")
    expect(verified["ok"], f"the stored history does not verify: {verified['faults']}")
    stage.show.say(f"The stored history verifies, {verified['ledger']['entries']} ledger entries with it")


SCENES: tuple[tuple[str, Callable[[Stage], None]], ...] = (
    ("Connect three tenants of two customers", connect),
    ("Take the first snapshots", snapshot_all),
    ("A stolen Global Administrator session reconfigures Aurora Dental", attack),
    ("Detect and grade every change", detect),
    ("Attribute them through Microsoft's audit log", attribute),
    ("Plan one rollback of all changes by the attacker, with a dry run", plan),
    ("Two other people approve", approve),
    ("Execute step by step, and verify against the live tenant", execute),
    ("Compare with the snapshot from before the attack", compare),
)


def _tell(stage: Stage, step: AttackStep) -> None:
    stage.show.say(step.title, mark=str(step.number))


def _planned(stage: Stage) -> Rollback:
    if stage.rollback is None:
        raise StepFailed("There is no planned rollback.")
    return stage.rollback


def refused(stage: Stage, what: str, because: str, attempt: Callable[[], object]) -> None:
    """The attempt must be refused for this reason."""
    try:
        attempt()
    except CommandError as error:
        expect(because in str(error), f"{what}: refused for the wrong reason: {error}")
        stage.show.refusal(what, str(error))
        return
    raise StepFailed(f"{what}: this was not refused, but it must be.")


def _attribution(change: Change) -> Attribution | None:
    return change_selectors.best_attribution(change)


def command(command: str, /, *arguments: object, **options: Any) -> Any:
    """Runs a management command as a user would type it. Returns its JSON output."""
    out = StringIO()
    call_command(command, *map(str, arguments), json=True, stdout=out, **options)
    return json.loads(out.getvalue())


def _add_tenant(url: str, name: str, customer: str, facts: dict[str, Any]) -> dict[str, Any]:
    """Runs the command with the secrets in the environment, as in the README."""
    reader, writer = facts["reader"], facts["writer"]
    with TemporaryDirectory() as folder:
        certificate = Path(folder) / "reader.pem"
        certificate.write_text(reader["certificate_pem"])
        os.environ["DEMO_WRITER_SECRET"] = writer["secret"]
        try:
            answer: dict[str, Any] = command(
                "add_tenant",
                customer=customer,
                name=name,
                directory_id=UUID(facts["directory_id"]),
                client_id=UUID(reader["client_id"]),
                certificate_file=str(certificate),
                writer_client_id=UUID(writer["client_id"]),
                writer_secret_env="DEMO_WRITER_SECRET",
                login_url=url,
                graph_url=url,
                subscription=[UUID(each) for each in facts["subscriptions"]],
            )
        finally:
            del os.environ["DEMO_WRITER_SECRET"]
    return answer
