"""The verdict on one document: what its declaration promises, case by case, and what is lost by name."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from snapshots.catalog import registry
from snapshots.catalog.spec import (
    Action,
    Document,
    Loss,
    Permissions,
    Read,
    ResourceType,
    Restore,
    Undelete,
)
from snapshots.recoverability.verdicts import (
    Answer,
    Obstacle,
    Referrer,
    Restorability,
    Verdict,
    obstacle_to,
    restorability,
)

NOW = datetime(2026, 11, 24, tzinfo=UTC)
PATH = "/v1.0/things/{id}"
CONTAINER = Undelete(item_path=PATH, restore_path=PATH, days=30)
DOUBTED = replace(CONTAINER, doubt="Not every tenant keeps things.")
DOCUMENT: Document = {"displayName": "One", "colour": "red", "secret": [{"name": "CI"}], "end": "2026-11-23"}

WRITTEN: dict[str, Any] = {"writable": ("displayName", "colour"), "update_path": PATH}
CREATED: dict[str, Any] = {"create_path": "/v1.0/things", "delete_path": PATH}


def thing(
    *, read: dict[str, Any] | None = None, identity: tuple[str, ...] = ("id",), **restore: Any
) -> ResourceType:
    return ResourceType(
        key="thing",
        label="Thing",
        plural="Things",
        area="Tests",
        read=Read(path="/v1.0/things", **(read or {})),
        permissions=Permissions(
            read=("Thing.Read.All",), write=("Thing.Write.All",), write_also=("Directory.Write.All",)
        ),
        restore=Restore(**{"given": tuple(DOCUMENT), **restore}),
        identity=identity,
    )


def judged(
    spec: ResourceType, document: Document = DOCUMENT, obstacle: Obstacle | None = None
) -> Restorability:
    return restorability(spec, document, now=NOW, obstacle=obstacle)


def verdict_of(answer: Answer | None) -> Verdict | None:
    return None if answer is None else answer.verdict


SECRET = Loss(
    "secret", "cannot be given back", items=lambda document: [each["name"] for each in document["secret"]]
)
SPECS = {
    "a setting that nobody deletes": (
        thing(**WRITTEN),
        (Verdict.IN_PLACE, Verdict.IN_PLACE, None, None),
    ),
    "one that is made anew": (
        thing(**WRITTEN, **CREATED),
        (Verdict.NEW_ID, Verdict.IN_PLACE, Verdict.NEW_ID, None),
    ),
    "one that is made again under the id that we choose": (
        thing(**WRITTEN, **CREATED, caller_chooses_id=True),
        (Verdict.IN_PLACE, Verdict.IN_PLACE, Verdict.IN_PLACE, None),
    ),
    "one that is known by its name": (
        thing(**WRITTEN, **CREATED, identity=("displayName",)),
        (Verdict.IN_PLACE, Verdict.IN_PLACE, Verdict.IN_PLACE, None),
    ),
    "one that is undeleted": (
        thing(**WRITTEN, **CREATED, undelete=CONTAINER),
        (Verdict.IN_PLACE, Verdict.IN_PLACE, Verdict.IN_PLACE, Verdict.NEW_ID),
    ),
    "one whose container is doubtful": (
        thing(**WRITTEN, **CREATED, undelete=DOUBTED),
        (Verdict.NEW_ID, Verdict.IN_PLACE, Verdict.NEW_ID, Verdict.NEW_ID),
    ),
    "one that a delete only resets": (
        thing(**WRITTEN, **CREATED, delete_resets_to_default=lambda document: document["colour"] == "red"),
        (Verdict.IN_PLACE, Verdict.IN_PLACE, None, None),
    ),
    "one that only an undelete brings back": (
        thing(**WRITTEN, undelete=CONTAINER),
        (Verdict.IN_PLACE, Verdict.IN_PLACE, Verdict.IN_PLACE, Verdict.NOT_RESTORABLE),
    ),
    "one that can be deleted and not made": (
        thing(**WRITTEN, delete_path=PATH),
        (Verdict.PARTLY, Verdict.IN_PLACE, Verdict.NOT_RESTORABLE, None),
    ),
    "one that nobody changes": (
        thing(create_only=("displayName",), **CREATED),
        (Verdict.NEW_ID, None, Verdict.NEW_ID, None),
    ),
    "one that is replaced when it differs": (
        thing(create_only=("displayName",), recreate_for=("displayName",), **CREATED),
        (Verdict.NEW_ID, Verdict.NEW_ID, Verdict.NEW_ID, None),
    ),
    "one with a secret": (
        thing(**WRITTEN, **CREATED, undelete=CONTAINER, losses=(SECRET,)),
        (Verdict.PARTLY, Verdict.PARTLY, Verdict.IN_PLACE, Verdict.PARTLY),
    ),
    "one that an action writes": (
        thing(
            **CREATED,
            actions=(Action("secret", PATH, lambda _wanted, _live: {}),),
            losses=(Loss("secret", "is"),),
        ),
        (Verdict.NEW_ID, Verdict.IN_PLACE, Verdict.NEW_ID, None),
    ),
    "one with something fixed": (
        thing(
            **WRITTEN,
            **CREATED,
            caller_chooses_id=True,
            losses=(Loss("colour", "is chosen once", fixed=True),),
        ),
        (Verdict.PARTLY, Verdict.PARTLY, Verdict.IN_PLACE, None),
    ),
    "one that loses something only when made anew": (
        thing(**WRITTEN, **CREATED, undelete=CONTAINER, losses=(Loss("end", "is another", anew=True),)),
        (Verdict.IN_PLACE, Verdict.IN_PLACE, Verdict.IN_PLACE, Verdict.PARTLY),
    ),
    "one whose loss it does not have": (
        thing(
            **WRITTEN,
            **CREATED,
            caller_chooses_id=True,
            losses=(Loss("logo", "is not kept"), Loss("id", "is new")),
        ),
        (Verdict.IN_PLACE, Verdict.IN_PLACE, Verdict.IN_PLACE, None),
    ),
    "one with a property that no request is known to set": (
        thing(**WRITTEN, **CREATED, given=("secret",)),
        (Verdict.PARTLY, Verdict.IN_PLACE, Verdict.NOT_RESTORABLE, None),
    ),
    "one that is protected": (
        thing(**WRITTEN, **CREATED, protected=lambda _document: "It is synchronised."),
        (Verdict.NOT_RESTORABLE, Verdict.NOT_RESTORABLE, Verdict.NOT_RESTORABLE, None),
    ),
    "one that has ended": (
        thing(**WRITTEN, **CREATED, ends="end"),
        (Verdict.NOT_RESTORABLE, Verdict.NOT_RESTORABLE, Verdict.NOT_RESTORABLE, None),
    ),
    "one that nobody writes": (
        thing(),
        (Verdict.NOT_RESTORABLE, Verdict.NOT_RESTORABLE, Verdict.NOT_RESTORABLE, None),
    ),
}


@pytest.mark.parametrize(("spec", "expected"), SPECS.values(), ids=SPECS.keys())
def test_the_verdict_is_the_worse_case(
    spec: ResourceType, expected: tuple[Verdict, Verdict | None, Verdict | None, Verdict | None]
) -> None:
    found = judged(spec)
    cases = (verdict_of(found.changed), verdict_of(found.deleted), verdict_of(found.purged))
    assert (found.verdict, *cases) == expected
    assert found.reason


def test_what_is_lost_is_named_item_by_item() -> None:
    found = judged(thing(**WRITTEN, **CREATED, losses=(SECRET,)))
    (lost,) = found.losses
    assert (lost.path, lost.items) == ("secret", ("CI",))
    assert str(lost) == "secret: cannot be given back (CI)"
    assert judged(thing(**WRITTEN, **CREATED, losses=(SECRET,)), {**DOCUMENT, "secret": []}).losses == ()


def test_secrets_and_certificates_are_lost_by_name_key_id_and_expiry() -> None:
    document = {
        "displayName": "Payroll",
        "appId": "6d0e5f10-0000-4000-8000-000000000001",
        "passwordCredentials": [{"displayName": "CI", "keyId": "k-1", "endDateTime": "2027-01-31T00:00:00Z"}],
        "keyCredentials": [{"keyId": "k-2"}],
    }
    found = judged(registry.get("application"), document)
    assert found.verdict is Verdict.PARTLY
    secret, certificate = "CI, key id k-1, expires 2027-01-31", "without a name, key id k-2, expires never"
    assert [lost.items for lost in found.losses] == [(secret,)]
    of_principal = judged(registry.get("servicePrincipal"), document)
    assert [lost.items for lost in of_principal.losses] == [(secret,), (certificate,)]
    assert found.purged is not None
    assert "appId" in [lost.path for lost in found.purged.losses]


def test_the_container_is_told_with_its_days_and_its_doubts() -> None:
    kept, doubted = (
        judged(thing(**WRITTEN, **CREATED, undelete=container)).deleted for container in (CONTAINER, DOUBTED)
    )
    assert kept is not None
    assert doubted is not None
    assert "within 30 days" in kept.reason
    assert "Not every tenant keeps things." in doubted.reason
    assert "recreated" in doubted.reason


def test_a_protected_one_says_why() -> None:
    assert (
        judged(thing(**WRITTEN, protected=lambda _document: "It is synchronised.")).reason
        == "It is synchronised."
    )


@pytest.mark.parametrize(
    ("granted", "remedy"),
    [
        (None, "Connect a writer"),
        (frozenset({"Thing.Read.All"}), "Grant Thing.Write.All"),
        (frozenset({"Thing.Write.All"}), None),
        (frozenset({"Directory.Write.All"}), None),
    ],
)
def test_what_the_writer_lacks_stands_in_the_way_for_the_present(
    granted: frozenset[str] | None, remedy: str | None
) -> None:
    spec = thing(**WRITTEN, **CREATED)
    obstacle = obstacle_to(spec, granted)
    found = judged(spec, obstacle=obstacle)
    if remedy is None:
        assert (obstacle, found.verdict, found.remedy) == (None, Verdict.NEW_ID, "")
    else:
        assert found.verdict is Verdict.NOT_RESTORABLE
        assert found.reason.startswith("Currently not restorable")
        assert found.remedy.startswith(remedy)
        assert verdict_of(found.deleted) is Verdict.NEW_ID, "what it would be, is told all the same"


def test_no_remedy_is_given_for_what_is_hopeless_anyway() -> None:
    spec = thing(**WRITTEN, protected=lambda _document: "It is built in.")
    found = judged(spec, obstacle=obstacle_to(spec, None))
    assert (found.reason, found.remedy) == ("It is built in.", "")


def test_azures_roles_are_not_in_the_token() -> None:
    assert obstacle_to(thing(read={"service": "arm"}, **WRITTEN), frozenset()) is None


def test_only_what_may_get_a_new_id_has_somebody_to_repoint() -> None:
    referrer = Referrer("group", "1", "All staff")
    moving = judged(thing(**WRITTEN, **CREATED, undelete=CONTAINER)).remapping([referrer])
    staying = judged(thing(**WRITTEN)).remapping([referrer])
    assert (moving.remapped, staying.remapped) == ((referrer,), ())


@pytest.mark.parametrize("spec", registry.all_types(), ids=lambda spec: spec.key)
def test_every_declared_type_has_a_verdict_with_a_reason_even_for_an_empty_document(
    spec: ResourceType,
) -> None:
    found = judged(spec, {})
    assert found.verdict in Verdict
    assert found.reason.endswith(".")
    assert found.changed is not None or found.deleted is not None
