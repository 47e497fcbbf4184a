"""`verify` finds every alteration of history: each column of each history table, each row removed, added or swapped.

The attacker writes SQL with the triggers out of the way, and puts them back. The tables and columns come from the
models, so that a new one cannot be forgotten.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.apps import apps
from django.db import IntegrityError, connection, models, transaction
from django.utils import timezone

from changes import services as change_services
from changes.audit import collect
from changes.models import SignIn
from lavawall import integrity
from rollbacks import services
from tenants.access.matrix import Role
from tenants.accounts import user_accounts
from tenants.control import confirmation
from tenants.models import ControlAct, Tenant
from tenants.trust import append_only, proof
from tests.factories.rollbacks import digest_of
from tests.factories.tenants import TenantFactory, person
from tests.rollbacks.conftest import POLICIES, Scene, acting, scene, strike
from tests.rollbacks.test_refused_steps import refuse

__all__ = ["scene"]

OURS = ("tenants", "snapshots", "changes", "rollbacks")
NOT_HISTORY = {
    "tenants.Customer": "present state; its changes are ledger entries",
    "tenants.Tenant": "present state; its changes are ledger entries",
    "tenants.User": "present state; its changes are ledger entries",
    "tenants.User_groups": "present state; its changes are control actions",
    "tenants.User_user_permissions": "not used: roles decide",
    "tenants.TenantUserObjectPermission": "derived from role bindings",
    "tenants.TenantGroupObjectPermission": "derived from role bindings",
    "tenants.CustomerUserObjectPermission": "derived from role bindings",
    "tenants.CustomerGroupObjectPermission": "derived from role bindings",
    "tenants.RoleBinding": "present state; its changes are control actions",
    "tenants.ApiToken": "present state; its changes are control actions",
    "tenants.AppRegistration": "present state",
    "tenants.Connection": "present state",
    "tenants.DataKey": "wrapped keys: an altered one opens nothing",
    "tenants.Run": "work in progress; what it did is history elsewhere",
    "tenants.FailedSignIns": "counters of the current hour; their sums are ledger entries",
    "snapshots.Principal": "names on screen, learned anew from the directory",
    "changes.AuditCursor": "how far the logs are read; to read again does no harm",
}
UNCOVERED = {
    (
        "tenants.LedgerEntry",
        "id",
    ): "a row number that nothing refers to; the sealed sequence is the entry's name",
    ("tenants.ControlAct", "id"): "a row number; a confirmation seals the number of the act that it confirms",
    ("snapshots.Blob", "id"): "a row number that nothing refers to; the digest is the content's name",
}
"""Columns whose alteration changes nothing that the product reads."""

UNGUARDED = {
    "tenants.LedgerHead": "moves with each entry; it is sealed",
}
"""History tables without triggers, and why."""

CONSTRAINED = {
    "snapshots.Coverage.snapshot_id": "every snapshot has one row of each type, and no second one",
    "rollbacks.Step.plan_id": "every plan has its steps from 1 on, and no second one of a number",
}
"""Columns of which a unique constraint refuses any other value."""

PLACES = {
    "tenants.LedgerEntry": r"ledger entry \d+",
    "tenants.LedgerHead": r"ledger entry \d+|control",
    "tenants.ControlAct": "control",
    "snapshots.Snapshot": r"snapshot \d+",
    "snapshots.Coverage": r"snapshot \d+ its coverage",
    "snapshots.Blob": r"\w+ [0-9a-f-]{8,}|snapshot \d+",
    "snapshots.Version": r"snapshot \d+|version",
    "changes.Change": r"snapshot \d+ its changes|change \d+",
    "changes.Finding": r"snapshot \d+ its changes or findings",
    "changes.Acknowledgement": "acknowledgements",
    "changes.Resolution": "resolutions",
    "changes.AuditEvent": "audit events",
    "changes.SignIn": "sign ins",
    "changes.Attribution": "attributions",
    "rollbacks.Rollback": r"rollback \d+",
    "rollbacks.Plan": r"rollback \d+",
    "rollbacks.Step": r"rollback \d+ its plan \d+",
    "rollbacks.Step_changes": r"rollback \d+ its plan \d+",
    "rollbacks.Approval": r"rollback \d+",
    "rollbacks.Execution": r"rollback \d+",
    "rollbacks.Resumption": r"rollback \d+ .*journal",
    "rollbacks.StepRecord": r"rollback \d+ .*journal",
    "rollbacks.Remapping": r"rollback \d+ .*journal",
}
"""What a fault in a table must name."""

Row = models.Model
Alteration = tuple[str, Callable[[], None]]


def labelled() -> dict[str, type[Row]]:
    found = [model for model in apps.get_models(include_auto_created=True) if model._meta.app_label in OURS]
    return {model._meta.label: model for model in found}


def history() -> dict[str, type[Row]]:
    return {label: model for label, model in labelled().items() if label not in NOT_HISTORY}


@pytest.fixture
def written(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> Scene:
    """A tenant with at least two rows in every history table, all of them by the product's own ways."""
    incident = strike(scene, purge=True)
    rollback = scene.approved(incident.changes)
    refuse(scene, "POST", "identity/conditionalAccess/namedLocations")
    scene.execute(rollback)
    scene.execute(rollback)
    scene.cloud.faults.clear()
    scene.execute(rollback)
    scene.observe("conditionalAccessPolicy", "namedLocation")
    counter = services.plan_rollback(acting(scene.requester), tenant=scene.tenant, undo=rollback.pk)
    services.replan(acting(scene.requester), rollback=counter)
    for approver in scene.approvers:
        services.approve(acting(approver), rollback=counter, digest=digest_of(counter))
    scene.execute(counter)
    scene.observe("conditionalAccessPolicy", "namedLocation")
    for name in ("CA001", "CA002"):
        policy = scene.named(POLICIES, name)
        scene.intrude("PATCH", f"{POLICIES}/{policy['id']}", {"displayName": f"{name}: seized"})
    for change in scene.observe("conditionalAccessPolicy"):
        change_services.acknowledge(acting(scene.engineer), change=change, note="seen")
    first, second = (acting(person(Role.ADMINISTRATOR, username=name)) for name in ("root", "second"))
    for name in ("new", "newer"):
        user_accounts.create_user(first, username=name, password="a long enough pass phrase 1")
    confirmation.confirm(second, act=ControlAct.objects.earliest("number"))
    _sign_ins(scene)
    TenantFactory()
    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {append_only.GATE}")
    monkeypatch.setattr(append_only, "faults", _faults_of_triggers(append_only.faults))
    assert list(integrity.faults(Tenant.objects.all())) == []
    return scene


def _sign_ins(scene: Scene) -> None:
    rows = [
        SignIn(tenant=scene.tenant, event_id=f"s{n}", principal_id="p", occurred_at=timezone.now())
        for n in range(2)
    ]
    proof.append(collect.COLLECTION, scene.tenant, rows)


def _faults_of_triggers(ask: Callable[[], list[str]]) -> Callable[[], list[str]]:
    """Asked once: it reads all migrations, and this test puts every trigger back."""
    known = ask()
    return lambda: known


@pytest.mark.django_db
def test_every_table_is_guarded_history_or_says_why_it_is_not() -> None:
    guarded = {trigger.table for trigger in append_only._wanted(connection)}
    tables = {model._meta.db_table: label for label, model in history().items()}
    assert guarded - tables.keys() == set()
    assert {label for table, label in tables.items() if table not in guarded} == UNGUARDED.keys()
    assert NOT_HISTORY.keys() <= labelled().keys()
    assert PLACES.keys() == history().keys()


@pytest.mark.exhaustive("each column of each table; test_append_only shows that history refuses writes")
def test_every_alteration_is_found(written: Scene) -> None:
    del written
    tried, missed = Counter[str](), []
    for label, model in sorted(history().items()):
        rows = list(model._base_manager.order_by("pk"))
        assert len(rows) >= 2, f"the scene has too few {label}"
        for what, alter in alterations(model, rows):
            with undone():
                try:
                    with triggers_away():
                        alter()
                except IntegrityError:
                    continue
                tried[f"{label}.{what.split()[0]}"] += 1
                if not _is_found(PLACES[label]):
                    missed.append(f"{label}: {what}")
    assert not missed, f"{len(missed)} of {tried.total()} are not found:\n" + "\n".join(missed)
    assert untried(tried) == CONSTRAINED.keys()


def untried(tried: Counter[str]) -> set[str]:
    """Columns of history that no alteration reached."""
    columns = {
        (label, field.attname) for label, model in history().items() for field in model._meta.concrete_fields
    }
    return {".".join(column) for column in columns - UNCOVERED.keys()} - tried.keys()


def test_a_confirmation_does_not_move_to_another_act(written: Scene) -> None:
    del written
    confirmed, other = ControlAct.objects.order_by("number")[:2]
    with undone():
        with triggers_away():
            _swap(ControlAct._meta.pk, confirmed, other)()
        assert _is_found("control")


def alterations(model: type[Row], rows: list[Row]) -> Iterator[Alteration]:
    first, last = rows[0], rows[-1]
    for field in model._meta.concrete_fields:
        if (model._meta.label, field.attname) in UNCOVERED:
            continue
        for row in {first.pk: first, last.pk: last}.values():
            yield from altered(field, row)
        if other := next((row for row in rows if _value(row, field) != _value(first, field)), None):
            yield f"{field.attname} of {first.pk} and {other.pk} swapped", _swap(field, first, other)
    for row in {first.pk: first, last.pk: last}.values():
        yield f"row {row.pk} deleted", _delete(row)
        yield f"row {row.pk} inserted again", _insert(row)


def altered(field: Any, row: Row) -> Iterator[Alteration]:
    value = _value(row, field)
    for number, other in enumerate(alternatives(field, value)):
        yield f"{field.attname} of row {row.pk} altered ({number})", _set(row, field, other)
    if field.null and value is not None:
        yield f"{field.attname} of row {row.pk} set to NULL", _set(row, field, None)


def alternatives(field: Any, value: Any) -> Iterator[Any]:
    """Other valid values of the column."""
    if field.is_relation:
        others = field.related_model._base_manager.exclude(pk=value).order_by("pk")
        yield from others.values_list("pk", flat=True)[:12]
    elif field.choices:
        yield next(each for each, _ in field.flatchoices if each != value)
    elif isinstance(field, models.JSONField):
        yield {"altered": True} if not isinstance(value, list) else [*value, "altered"]
    elif isinstance(field, models.BinaryField):
        content = bytes(value)
        yield content[:-1] + bytes([content[-1] ^ 1]) if content else b"x"
    elif isinstance(field, models.BooleanField):
        yield not value
    elif isinstance(field, models.DateTimeField):
        yield (value or datetime.now(tz=timezone.get_current_timezone())) + timedelta(seconds=1)
    elif isinstance(field, models.UUIDField):
        yield UUID(int=1)
    elif isinstance(field, models.IntegerField):
        yield (value or 0) + (1_000_000 if field.primary_key else 1)
    elif isinstance(field, models.GenericIPAddressField):
        yield "192.0.2.1"
    else:
        text = str(value or "")
        yield ("x" if text[:1] != "x" else "y") + text[1:]


def _value(row: Row, field: Any) -> Any:
    value = getattr(row, field.attname)
    return bytes(value) if isinstance(value, memoryview) else value


def _set(row: Row, field: Any, value: Any) -> Callable[[], None]:
    return lambda: _update(row, {field.attname: value})


def _swap(field: Any, one: Row, other: Row) -> Callable[[], None]:
    def swap() -> None:
        if field.unique or field.primary_key:
            _update(one, {field.attname: next(alternatives(field, _value(one, field)))})
            _update(other, {field.attname: _value(one, field)})
            aside = type(one)._base_manager.exclude(pk__in=_all_but(one, field))
            aside.update(**{field.attname: _value(other, field)})
            return
        _update(one, {field.attname: _value(other, field)})
        _update(other, {field.attname: _value(one, field)})

    return swap


def _all_but(one: Row, field: Any) -> list[Any]:
    """Every row but the one that was put aside."""
    rows = type(one)._base_manager.all()
    if not field.primary_key:
        return [row.pk for row in rows if row.pk != one.pk]
    aside = next(alternatives(field, _value(one, field)))
    return [row.pk for row in rows if row.pk != aside]


def _update(row: Row, values: dict[str, Any]) -> None:
    type(row)._base_manager.filter(pk=row.pk).update(**values)


def _delete(row: Row) -> Callable[[], None]:
    def delete() -> None:
        type(row)._base_manager.filter(pk=row.pk)._raw_delete(using="default")

    return delete


def _insert(row: Row) -> Callable[[], None]:
    def insert() -> None:
        model = type(row)
        newest = model._base_manager.order_by("-pk").first()
        assert newest is not None
        values = {field.attname: _value(row, field) for field in model._meta.concrete_fields}
        values[model._meta.pk.attname] = next(alternatives(model._meta.pk, newest.pk))
        for name in [
            None,
            *(field.attname for field in model._meta.concrete_fields if not field.primary_key),
        ]:
            copied = dict(values)
            if name is not None:
                copied[name] = next(alternatives(model._meta.get_field(name), values[name]), values[name])
            try:
                with transaction.atomic():
                    model._base_manager.bulk_create([model(**copied)])
            except IntegrityError:
                continue
            return
        raise IntegrityError("every copy of the row breaks a constraint")

    return insert


@contextmanager
def undone() -> Iterator[None]:
    """Whatever happens inside is taken back."""
    try:
        with transaction.atomic():
            yield
            transaction.set_rollback(True)
    finally:
        connection.needs_rollback = False


@contextmanager
def triggers_away() -> Iterator[None]:
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL session_replication_role = replica")
            yield
            cursor.execute("SET LOCAL session_replication_role = origin")
            return
        cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
        triggers = cursor.fetchall()
        for name, _ in triggers:
            cursor.execute(f'DROP TRIGGER "{name}"')
        yield
        for _, statement in triggers:
            cursor.execute(statement)


def _is_found(location: str) -> bool:
    """Whether some fault names the place."""
    found = integrity.faults(Tenant.objects.all())
    return any(re.search(location, f"{fault.where} {fault.what}") for fault in found)
