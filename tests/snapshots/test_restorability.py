"""The verdict on one document: what its declaration promises, case by case, and what is lost by name."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from snapshots.catalog import registry
from snapshots.catalog.spec import (
    Action,
    Create,
    Delete,
    Document,
    EndsByItself,
    Guards,
    Identity,
    Loss,
    Permissions,
    Read,
    ResetsToDefault,
    ResourceType,
    Restore,
    Undelete,
    Update,
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

WRITABLE = ("displayName", "colour")
READ = Read(path="/v1.0/things")
CREATED = Create(path="/v1.0/things")
UPDATED = Update(path=PATH)
DELETED = Delete(path=PATH)


def thing(restore: Restore, *, read: Read = READ, identity: tuple[str, ...] = ("id",)) -> ResourceType:
    """A type whose properties the service sets, unless `restore` says otherwise."""
    create = replace(restore.create, given=restore.create.given or tuple(DOCUMENT))
    return ResourceType(
        key="thing",
        label="Thing",
        plural="Things",
        area="Tests",
        read=read,
        permissions=Permissions(
            read=("Thing.Read.All",), write=("Thing.Write.All",), write_also=("Directory.Write.All",)
        ),
        identity=Identity(properties=identity),
        restore=replace(restore, create=create),
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
        thing(Restore(writable=WRITABLE, update=UPDATED)),
        (Verdict.IN_PLACE, Verdict.IN_PLACE, None, None),
    ),
    "one that is made anew": (
        thing(
            Restore(
                writable=WRITABLE,
                create=CREATED,
                update=UPDATED,
                delete=DELETED,
            )
        ),
        (Verdict.NEW_ID, Verdict.IN_PLACE, Verdict.NEW_ID, None),
    ),
    "one that is made again under the id that we choose": (
        thing(
            Restore(
                writable=WRITABLE,
                update=UPDATED,
                create=Create(path="/v1.0/things", caller_chooses_id=True),
                delete=DELETED,
            )
        ),
        (Verdict.IN_PLACE, Verdict.IN_PLACE, Verdict.IN_PLACE, None),
    ),
    "one that is known by its name": (
        thing(
            Restore(
                writable=WRITABLE,
                create=CREATED,
                update=UPDATED,
                delete=DELETED,
            ),
            identity=("displayName",),
        ),
        (Verdict.IN_PLACE, Verdict.IN_PLACE, Verdict.IN_PLACE, None),
    ),
    "one that is undeleted": (
        thing(
            Restore(
                writable=WRITABLE,
                create=CREATED,
                update=UPDATED,
                delete=DELETED,
                undelete=CONTAINER,
            )
        ),
        (Verdict.IN_PLACE, Verdict.IN_PLACE, Verdict.IN_PLACE, Verdict.NEW_ID),
    ),
    "one whose container is doubtful": (
        thing(
            Restore(
                writable=WRITABLE,
                create=CREATED,
                update=UPDATED,
                delete=DELETED,
                undelete=DOUBTED,
            )
        ),
        (Verdict.NEW_ID, Verdict.IN_PLACE, Verdict.NEW_ID, Verdict.NEW_ID),
    ),
    "one that a delete only resets": (
        thing(
            Restore(
                writable=WRITABLE,
                update=UPDATED,
                create=CREATED,
                delete=Delete(
                    path=PATH, quirks=(ResetsToDefault(lambda document: document["colour"] == "red"),)
                ),
            )
        ),
        (Verdict.IN_PLACE, Verdict.IN_PLACE, None, None),
    ),
    "one that only an undelete brings back": (
        thing(Restore(writable=WRITABLE, update=UPDATED, undelete=CONTAINER)),
        (Verdict.IN_PLACE, Verdict.IN_PLACE, Verdict.IN_PLACE, Verdict.NOT_RESTORABLE),
    ),
    "one that can be deleted and not made": (
        thing(Restore(writable=WRITABLE, update=UPDATED, delete=DELETED)),
        (Verdict.PARTLY, Verdict.IN_PLACE, Verdict.NOT_RESTORABLE, None),
    ),
    "one that nobody changes": (
        thing(Restore(create=Create(only=("displayName",), path="/v1.0/things"), delete=DELETED)),
        (Verdict.NEW_ID, None, Verdict.NEW_ID, None),
    ),
    "one that is replaced when it differs": (
        thing(
            Restore(
                create=Create(only=("displayName",), recreate_for=("displayName",), path="/v1.0/things"),
                delete=DELETED,
            )
        ),
        (Verdict.NEW_ID, Verdict.NEW_ID, Verdict.NEW_ID, None),
    ),
    "one with a secret": (
        thing(
            Restore(
                writable=WRITABLE,
                create=CREATED,
                update=UPDATED,
                delete=DELETED,
                undelete=CONTAINER,
                losses=(SECRET,),
            )
        ),
        (Verdict.PARTLY, Verdict.PARTLY, Verdict.IN_PLACE, Verdict.PARTLY),
    ),
    "one that an action writes": (
        thing(
            Restore(
                create=CREATED,
                delete=DELETED,
                update=Update(actions=(Action("secret", PATH, lambda _wanted, _live: {}),)),
                losses=(Loss("secret", "is"),),
            )
        ),
        (Verdict.NEW_ID, Verdict.IN_PLACE, Verdict.NEW_ID, None),
    ),
    "one with something fixed": (
        thing(
            Restore(
                writable=WRITABLE,
                update=UPDATED,
                create=Create(path="/v1.0/things", caller_chooses_id=True),
                delete=DELETED,
                losses=(Loss("colour", "is chosen once", fixed=True),),
            )
        ),
        (Verdict.PARTLY, Verdict.PARTLY, Verdict.IN_PLACE, None),
    ),
    "one that loses something only when made anew": (
        thing(
            Restore(
                writable=WRITABLE,
                create=CREATED,
                update=UPDATED,
                delete=DELETED,
                undelete=CONTAINER,
                losses=(Loss("end", "is another", recreated_only=True),),
            )
        ),
        (Verdict.IN_PLACE, Verdict.IN_PLACE, Verdict.IN_PLACE, Verdict.PARTLY),
    ),
    "one whose loss it does not have": (
        thing(
            Restore(
                writable=WRITABLE,
                update=UPDATED,
                create=Create(path="/v1.0/things", caller_chooses_id=True),
                delete=DELETED,
                losses=(Loss("logo", "is not kept"), Loss("id", "is new")),
            )
        ),
        (Verdict.IN_PLACE, Verdict.IN_PLACE, Verdict.IN_PLACE, None),
    ),
    "one with a property that no request is known to set": (
        thing(
            Restore(
                writable=WRITABLE,
                update=UPDATED,
                create=Create(path="/v1.0/things", given=("secret",)),
                delete=DELETED,
            )
        ),
        (Verdict.PARTLY, Verdict.IN_PLACE, Verdict.NOT_RESTORABLE, None),
    ),
    "one that is protected": (
        thing(
            Restore(
                writable=WRITABLE,
                create=CREATED,
                update=UPDATED,
                delete=DELETED,
                guards=Guards(protected=lambda _document: "It is synchronised."),
            )
        ),
        (Verdict.NOT_RESTORABLE, Verdict.NOT_RESTORABLE, Verdict.NOT_RESTORABLE, None),
    ),
    "one that has ended": (
        thing(
            Restore(
                writable=WRITABLE,
                create=CREATED,
                update=UPDATED,
                delete=DELETED,
                guards=Guards(quirks=(EndsByItself("end"),)),
            )
        ),
        (Verdict.NOT_RESTORABLE, Verdict.NOT_RESTORABLE, Verdict.NOT_RESTORABLE, None),
    ),
    "one that nobody writes": (
        thing(Restore()),
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
    found = judged(
        thing(
            Restore(
                writable=WRITABLE,
                create=CREATED,
                update=UPDATED,
                delete=DELETED,
                losses=(SECRET,),
            )
        )
    )
    (lost,) = found.losses
    assert (lost.path, lost.items) == ("secret", ("CI",))
    assert str(lost) == "secret: cannot be given back (CI)"
    assert (
        judged(
            thing(
                Restore(
                    writable=WRITABLE,
                    create=CREATED,
                    update=UPDATED,
                    delete=DELETED,
                    losses=(SECRET,),
                )
            ),
            {**DOCUMENT, "secret": []},
        ).losses
        == ()
    )


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
    stored, doubted = (
        judged(
            thing(
                Restore(
                    writable=WRITABLE,
                    create=CREATED,
                    update=UPDATED,
                    delete=DELETED,
                    undelete=container,
                )
            )
        ).deleted
        for container in (CONTAINER, DOUBTED)
    )
    assert stored is not None
    assert doubted is not None
    assert "within 30 days" in stored.reason
    assert "Not every tenant keeps things." in doubted.reason
    assert "recreated" in doubted.reason


def test_a_protected_one_says_why() -> None:
    assert (
        judged(
            thing(
                Restore(
                    writable=WRITABLE,
                    update=UPDATED,
                    guards=Guards(protected=lambda _document: "It is synchronised."),
                )
            )
        ).reason
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
    spec = thing(
        Restore(
            writable=WRITABLE,
            create=CREATED,
            update=UPDATED,
            delete=DELETED,
        )
    )
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
    spec = thing(
        Restore(
            writable=WRITABLE,
            update=UPDATED,
            guards=Guards(protected=lambda _document: "It is built in."),
        )
    )
    found = judged(spec, obstacle=obstacle_to(spec, None))
    assert (found.reason, found.remedy) == ("It is built in.", "")


def test_azures_roles_are_not_in_the_token() -> None:
    assert (
        obstacle_to(
            thing(
                Restore(writable=WRITABLE, update=UPDATED),
                read=Read(path="/v1.0/things", service="arm"),
            ),
            frozenset(),
        )
        is None
    )


def test_only_what_may_get_a_new_id_has_somebody_to_repoint() -> None:
    referrer = Referrer("group", "1", "All staff")
    moving = judged(
        thing(
            Restore(
                writable=WRITABLE,
                create=CREATED,
                update=UPDATED,
                delete=DELETED,
                undelete=CONTAINER,
            )
        )
    ).remapping([referrer])
    staying = judged(thing(Restore(writable=WRITABLE, update=UPDATED))).remapping([referrer])
    assert (moving.remapped, staying.remapped) == ((referrer,), ())


@pytest.mark.parametrize("spec", registry.all_types(), ids=lambda spec: spec.key)
def test_every_declared_type_has_a_verdict_with_a_reason_even_for_an_empty_document(
    spec: ResourceType,
) -> None:
    found = judged(spec, {})
    assert found.verdict in Verdict
    assert found.reason.endswith(".")
    assert found.changed is not None or found.deleted is not None
