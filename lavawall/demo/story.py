"""The story, scene by scene. Every scene checks that what it shows is true; the first that fails ends the demo."""

import json
import os
import time
from collections.abc import Callable, Iterable
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
from changes.models import Change
from lavawall import pipeline
from lavawall.cli import operator
from lavawall.demo import cast
from lavawall.demo.cast import ATTACKED, CUSTOMERS, Login
from lavawall.demo.show import Show, StepFailed, expect
from lavawall.emulator.attack import AttackStep, run_attack
from rollbacks import selectors as rollback_selectors
from rollbacks.models import Rollback
from snapshots import selectors as snapshot_selectors
from snapshots.models import Snapshot
from tenants import runs
from tenants.access import Refused
from tenants.models import Run, Tenant

SCENARIO = "stolen_global_admin"
ATTACKER_IP = "198.51.100.23"
AUDIT_PATIENCE_SECONDS = 20

EXPECTED: tuple[tuple[str, str, str, str], ...] = (
    ("conditionalAccessPolicy", "updated", "critical", "MFA for administrators switched off"),
    ("conditionalAccessPolicy", "updated", "high", "an account excluded from an MFA policy"),
    ("conditionalAccessPolicy", "deleted", "high", "a policy deleted"),
    ("namedLocation", "deleted", "medium", "the named location it used deleted"),
    ("appRoleAssignment", "created", "high", "Mail.ReadWrite and Files.ReadWrite.All consented"),
    ("unifiedRoleAssignment", "created", "critical", "a service principal made Global Administrator"),
    ("authenticationMethodConfiguration", "updated", "high", "SMS enabled"),
    ("authenticationStrengthPolicy", "updated", "high", "an authentication strength weakened"),
    ("application", "updated", "high", "a credential added to an existing app"),
)
"""Resource type, kind, least severity, what the incident did."""

SEVERITIES = ("informational", "low", "medium", "high", "critical")


@dataclass
class Stage:
    """What the scenes share."""

    show: Show
    cloud: dict[str, Any]
    """What the emulator printed: url, ca_file, tenants by name."""
    logins: dict[str, Login] = field(default_factory=dict)
    before: Snapshot | None = None
    attack_began: datetime = field(default_factory=timezone.now)
    attack_ended: datetime = field(default_factory=timezone.now)
    rollback: Rollback | None = None

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
    """The whole story. Raises the first failure."""
    for title, scene in SCENES:
        with stage.show.step(title):
            scene(stage)


def connect(stage: Stage) -> None:
    for name, customer in CUSTOMERS.items():
        facts = stage.cloud["tenants"][name]
        answer = _add_tenant(stage.cloud["url"], name, customer, facts)
        missing = answer["reader"]["missing"]
        expect(not missing, f"the reader of {name} lacks {', '.join(missing)}")
        stage.show.say(f"{name} ({customer}): reader and writer signed in over TLS")
    stage.logins = cast.hire()


def snapshot_all(stage: Stage) -> None:
    for name in CUSTOMERS:
        taken = _command("snapshot", name)
        expect(taken["status"] == "complete", f"the snapshot of {name} is {taken['status']}")
        stage.show.say(
            f"{name}: {sum(row['count'] for row in taken['coverage'].values())} resources of "
            f"{len(taken['coverage'])} types, {taken['requests']} requests, root {taken['root'][:16]}…"
        )
    again = _command("snapshot", ATTACKED)
    expect(not again["changes"], f"an unchanged tenant showed changes: {again['changes']}")
    stage.before = Snapshot.objects.get(pk=again["snapshot"])
    stage.show.say(f"{ATTACKED} once more, sets shuffled by the cloud: no change, no row added")


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
    taken = _command("snapshot", ATTACKED)
    stage.show.say(f"changes by severity: {taken['changes']}")
    incident = stage.incident()
    for change in sorted(incident, key=lambda change: -SEVERITIES.index(change.severity)):
        stage.show.finding(change.severity, change.summary)
    for resource_type, kind, least, what in EXPECTED:
        expect(
            any(
                change.resource_type == resource_type
                and change.kind == kind
                and SEVERITIES.index(change.severity) >= SEVERITIES.index(least)
                for change in incident
            ),
            f"{what}: no {kind} {resource_type} of severity {least} or above was found",
        )


def attribute(stage: Stage) -> None:
    """Microsoft's audit events come late: look again until they are there."""
    deadline = time.monotonic() + AUDIT_PATIENCE_SECONDS
    while True:
        unknown = [change for change in stage.incident() if change_selectors.best_attribution(change) is None]
        if not unknown:
            break
        expect(
            time.monotonic() < deadline, f"{len(unknown)} changes stayed without an audit event: {unknown[0]}"
        )
        run = runs.create(stage.tenant, Run.Kind.ATTRIBUTE, requested_by="demo")
        lease = runs.claim(run.pk)
        if lease is not None:
            pipeline.perform(lease)
        time.sleep(0.5)
    attributions = [change_selectors.best_attribution(change) for change in stage.incident()]
    actors = {attribution.event.actor_name for attribution in attributions if attribution}
    places = {(attribution.event.ip, attribution.country) for attribution in attributions if attribution}
    thief = stage.thief["user_principal_name"]
    expect(
        actors == {thief}, f"the changes were attributed to {', '.join(sorted(actors))}, not to {thief} alone"
    )
    expect(
        all(ip == ATTACKER_IP and country for ip, country in places), f"address or country is wrong: {places}"
    )
    stage.show.say(f"one actor: {thief} from {ATTACKER_IP} ({next(iter(places))[1]}, by the sign-in log)")
    for change in stage.incident()[:3]:
        found = change_selectors.best_attribution(change)
        if found is not None:
            stage.show.say(
                f"{found.event.activity}: audit event {found.event.event_id}, confidence {found.confidence}"
            )


def plan(stage: Stage) -> None:
    shown = _command(
        "plan",
        ATTACKED,
        actor=stage.thief["user_principal_name"],
        since=stage.attack_began,
        until=stage.attack_ended,
        username="erin",
    )
    stage.rollback = Rollback.objects.get(pk=shown["rollback"])
    for step in shown["steps"]:
        stage.show.say(f"{step['order']:>2}. {step['explanation']}")
    for warning in shown["warnings"]:
        stage.show.say(f"warning: {warning}")
    stage.show.say(f"dry run against the live tenant, digest {shown['digest'][:16]}…")
    expect(shown["applicable"], f"the plan cannot be applied: {shown['warnings']}")
    expect(shown["complete"], f"the plan leaves something out: {shown['warnings']}")


def approve(stage: Stage) -> None:
    rollback = _planned(stage)
    _refused(
        stage, "erin, who asked for it, approves", lambda: _command("approve", rollback.pk, username="erin")
    )
    _refused(
        stage, "erin executes without approvals", lambda: _command("execute", rollback.pk, username="erin")
    )
    _command("approve", rollback.pk, username="amir")
    stage.show.say("amir approves: one of two")
    _refused(
        stage, "erin executes with one approval", lambda: _command("execute", rollback.pk, username="erin")
    )
    _command("approve", rollback.pk, username="aiko")
    stage.show.say("aiko approves: two of two")


def execute(stage: Stage) -> None:
    rollback = _planned(stage)
    done = _command("execute", rollback.pk, username="erin")
    expect(done["state"] == "verified", f"the rollback ended as {done['state']}: {done['execution']}")
    for moved in done["execution"]["remapped"]:
        stage.show.say(
            f"new id: {moved['resource_type']} {moved['display_name']} {moved['old_id']} → {moved['new_id']}"
        )
    stage.show.say(
        f"{len(done['execution']['verification']['equal'])} resources read again and equal to before"
    )


def compare(stage: Stage) -> None:
    _command("snapshot", ATTACKED)
    if stage.before is None:
        raise StepFailed("There is no snapshot from before the attack.")
    after = snapshot_selectors.visible_snapshots(operator()).filter(tenant=stage.tenant).first()
    expect(after, "there is no snapshot after the rollback")
    differing = rollback_selectors.differing(stage.before, after) if after else []
    expect(not differing, f"still different: {', '.join(differing)}")
    stage.show.say("the newest snapshot equals the one before the attack, remapped ids aside")
    verified = _command("verify")
    expect(verified["ok"], f"the stored history does not verify: {verified['faults']}")
    stage.show.say(f"stored history verified, {verified['ledger']['entries']} ledger entries")


SCENES: Iterable[tuple[str, Callable[[Stage], None]]] = (
    ("Connect two customers' three tenants", connect),
    ("Take the first snapshots", snapshot_all),
    ("A stolen Global Administrator session reconfigures Aurora Dental", attack),
    ("Detect and grade every change", detect),
    ("Attribute them through Microsoft's audit log", attribute),
    ("Plan one rollback of all the thief did, and dry-run it", plan),
    ("Two other people approve", approve),
    ("Execute step by step, and verify by reading again", execute),
    ("Compare with the snapshot from before", compare),
)


def _tell(stage: Stage, step: AttackStep) -> None:
    stage.show.say(f"{step.number}. {step.title}")


def _planned(stage: Stage) -> Rollback:
    if stage.rollback is None:
        raise StepFailed("There is no planned rollback.")
    return stage.rollback


def _refused(stage: Stage, what: str, attempt: Callable[[], object]) -> None:
    try:
        attempt()
    except (CommandError, Refused) as error:
        stage.show.say(f"refused: {what} — {error}")
        return
    raise StepFailed(f"{what}: this must be refused, and was not.")


def _command(command: str, /, *arguments: object, **options: Any) -> Any:
    """A management command exactly as a person would type it; its JSON answer."""
    out = StringIO()
    call_command(command, *map(str, arguments), json=True, stdout=out, **options)
    return json.loads(out.getvalue())


def _add_tenant(url: str, name: str, customer: str, facts: dict[str, Any]) -> dict[str, Any]:
    """Through the command, with the secrets in the environment, as the README shows it."""
    reader, writer = facts["reader"], facts["writer"]
    with TemporaryDirectory() as folder:
        certificate = Path(folder) / "reader.pem"
        certificate.write_text(reader["certificate_pem"])
        os.environ["DEMO_WRITER_SECRET"] = writer["secret"]
        try:
            answer: dict[str, Any] = _command(
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
            )
        finally:
            del os.environ["DEMO_WRITER_SECRET"]
    return answer
