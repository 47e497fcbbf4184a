"""Plans for types of an unusual kind: ids that the caller chooses, elements that cannot be removed, switches that
come last, references inside other texts. The types are made up; the catalogue's own are played as round trips.
"""

from typing import Any

from rollbacks.planning.bodies import update_body
from rollbacks.planning.build import build
from rollbacks.planning.effects import comparable
from rollbacks.planning.model import Key, LiveState, PlanDraft, StepKind, Target
from rollbacks.planning.references import repointed
from rollbacks.selection.dangling import _pruned
from snapshots.canonical.form import canonicalise
from snapshots.canonical.references import Mention, mentions, principals_of
from snapshots.catalog import registry
from snapshots.catalog.spec import (
    ChosenKeys,
    Comparison,
    Create,
    Delete,
    Document,
    Order,
    Part,
    Permissions,
    Read,
    Reference,
    RepeatsId,
    ResourceType,
    Restore,
    RetiredElements,
    SetOf,
    Update,
    WrittenLast,
)
from snapshots.collection.addresses import with_location

GROUP = "0c9e0b0a-1111-4222-8333-444455556666"
NEW_GROUP = "aa9e0b0a-1111-4222-8333-444455556666"
GRAPH = "https://graph.microsoft.com"


def made_up(key: str, **facts: Any) -> ResourceType:
    declared: dict[str, Any] = {
        "key": key,
        "label": key,
        "plural": f"{key}s",
        "area": "Tests",
        "read": Read(path=f"/v1.0/{key}s", item_path=f"/v1.0/{key}s/{{id}}"),
        "permissions": Permissions(read=("Thing.Read.All",), write=("Thing.ReadWrite.All",)),
    }
    return ResourceType(**declared | facts)


SHELF = made_up(
    "shelf",
    parts=(
        Part(
            "books",
            "/v1.0/shelfs/{id}/books",
            create_path="/v1.0/shelfs/{id}/books",
            element_path="/v1.0/shelfs/{id}/books/{element}",
            quirks=(
                ChosenKeys(),
                RetiredElements({"isActive": False}),
            ),
        ),
    ),
    restore=Restore(
        writable=("name",),
        create=Create(
            path="/v1.0/shelfs",
            only=("id",),
            caller_chooses_id=True,
        ),
        update=Update(path="/v1.0/shelfs/{id}"),
    ),
)
SWITCH = made_up(
    "switch",
    restore=Restore(
        writable=("on",),
        update=Update(path="/v1.0/switchs/{id}"),
        order=Order(quirks=(WrittenLast(lambda wanted: wanted.get("on") is True),)),
    ),
)
LETTER = made_up(
    "letter",
    comparison=Comparison(sets=(SetOf("to", key="query"),)),
    references=(
        Reference("to[].query", to="user", prefix="/users/"),
        Reference("to[].query", to="group", prefix="/groups/", suffix="/members"),
        Reference("values[].value", to="group", guids=True),
    ),
    restore=Restore(
        writable=("to",), update=Update(path="/v1.0/letters/{id}"), delete=Delete(path="/v1.0/letters/{id}")
    ),
)
BADGE = made_up(
    "badge",
    parts=(
        Part(
            "appliesTo",
            "/v1.0/badges/{id}/appliesTo",
            add_ref="/v1.0/{holder}/{element}/badges/$ref",
            remove_ref="/v1.0/{holder}/{element}/badges/{id}/$ref",
            holders={"#microsoft.graph.user": "users"},
            holds="/v1.0/badges/{id}",
            reference="directoryObject",
        ),
    ),
    restore=Restore(writable=("name",), update=Update(path="/v1.0/badges/{id}")),
)
CATALOGUE = {spec.key: spec for spec in (SHELF, SWITCH, LETTER, BADGE)}


def plan_of(targets: list[Target], live: dict[Key, LiveState]) -> PlanDraft:
    found = {target.key: live.get(target.key, LiveState()) for target in targets}
    return build(targets, found, CATALOGUE, graph_url=GRAPH)


def shelf(name: str, **books: bool) -> Document:
    held = [{"id": book, "isActive": active} for book, active in books.items()]
    return canonicalise({"id": "s1", "name": name, "books": held}, SHELF)


def test_what_is_created_under_a_chosen_id_sends_it_and_is_addressed_by_it() -> None:
    draft = plan_of([Target("shelf", "s1", shelf("first", poems=True))], {})
    create, add = [planned.request for step in draft.steps for planned in step.requests]
    assert (create.path, create.body) == ("/v1.0/shelfs", {"id": "s1", "name": "first"})
    assert (add.path, add.body) == ("/v1.0/shelfs/s1/books", {"id": "poems", "isActive": True})


def test_an_element_that_cannot_be_removed_is_retired_and_the_plan_says_so() -> None:
    live, wanted = shelf("first", poems=True, spam=True), shelf("first", poems=True)
    draft = plan_of([Target("shelf", "s1", wanted)], {("shelf", "s1"): LiveState(live)})
    ((planned,),) = [step.requests for step in draft.steps]
    assert (planned.request.method, planned.request.path) == ("PATCH", "/v1.0/shelfs/s1/books/spam")
    assert planned.request.body == {"isActive": False}
    assert draft.steps[0].target == shelf("first", poems=True, spam=False)
    assert not draft.complete


def test_an_element_that_is_retired_already_is_not_written_again() -> None:
    live, wanted = shelf("first", spam=False), shelf("first")
    assert not plan_of([Target("shelf", "s1", wanted)], {("shelf", "s1"): LiveState(live)}).steps


def test_keys_that_the_caller_chose_are_compared() -> None:
    assert comparable(shelf("first", poems=True), SHELF) != comparable(shelf("first", prose=True), SHELF)


def test_a_switch_comes_after_deletions_in_one_direction_only() -> None:
    letter = Target("letter", "l", None)
    there: dict[Key, LiveState] = {("letter", "l"): LiveState({"to": []})}
    for wanted, kinds in (
        (True, [StepKind.DELETE, StepKind.UPDATE]),
        (False, [StepKind.UPDATE, StepKind.DELETE]),
    ):
        live = {**there, ("switch", "w"): LiveState({"on": not wanted})}
        draft = plan_of([Target("switch", "w", {"on": wanted}), letter], live)
        assert [step.kind for step in draft.steps] == kinds


def test_references_inside_other_texts_are_found_and_re_pointed() -> None:
    document: Document = {
        "to": [
            {"query": "/users/ada"},
            {"query": f"/groups/{GROUP}/members"},
            {"query": "/groups/odd/owners"},
        ],
        "values": [{"value": "true"}, {"value": GROUP}],
    }
    assert {(each.to, each.value) for each in mentions(LETTER, document)} == {
        ("user", "ada"),
        ("group", GROUP),
    }
    moved = repointed(document, LETTER, lambda each: NEW_GROUP if each.value == GROUP else each.value)
    assert moved["to"][1] == {"query": f"/groups/{NEW_GROUP}/members"}
    assert moved["values"] == [{"value": "true"}, {"value": NEW_GROUP}]


def test_what_names_somebody_who_is_gone_inside_another_text_is_left_out() -> None:
    document: Document = {"to": [{"query": "/users/ada"}, {"query": f"/groups/{GROUP}/members"}]}
    assert _pruned(document, LETTER, {Mention("user", "id", "ada")}) == {
        "to": [{"query": f"/groups/{GROUP}/members"}]
    }


def test_a_setting_that_names_somebody_who_is_gone_is_left_out_alone() -> None:
    """Of many by their names only that one, and of a document the property; whom it is about, all of it."""
    spec = made_up(
        "campaign",
        references=(
            Reference("features.*.for.id", to="group"),
            Reference("hiddenFrom", to="group"),
            Reference("holder", to="user"),
        ),
        restore=Restore(writable=("features", "hiddenFrom"), create=Create(only=("holder",))),
    )
    features = {"map": {"for": {"id": "gone"}}, "number": {"for": {"id": "here"}}}
    document: Document = {"features": features, "hiddenFrom": "gone", "holder": "here"}
    gone = {Mention("group", "id", "gone")}
    left = {"features": {"number": {"for": {"id": "here"}}}, "holder": "here"}
    assert _pruned(document, spec, gone) == left
    assert _pruned(document, spec, {*gone, Mention("user", "id", "here")}) is None


def test_a_word_that_microsoft_adds_some_day_is_nobody_who_could_be_gone() -> None:
    spec = registry.get("conditionalAccessPolicy")
    users = {"includeUsers": ["EverybodyWhoIsNew", GROUP], "excludeUsers": ["GuestsOrExternalUsers"]}
    assert principals_of(spec, {"conditions": {"users": users}}) == {GROUP}


def test_what_elements_hold_is_given_to_them_and_taken_from_them() -> None:
    def held_by(user: str) -> Document:
        return {"appliesTo": [{"@odata.type": "#microsoft.graph.user", "id": user}]}

    draft = plan_of([Target("badge", "b", held_by("ada"))], {("badge", "b"): LiveState(held_by("eve"))})
    give, take = [planned.request for step in draft.steps for planned in step.requests]
    assert (give.method, give.path) == ("POST", "/v1.0/users/ada/badges/$ref")
    assert give.body == {"@odata.id": f"{GRAPH}/v1.0/badges/b"}
    assert (take.method, take.path) == ("DELETE", "/v1.0/users/eve/badges/b/$ref")


def test_what_is_written_as_a_whole_names_its_empty_sets_too() -> None:
    tags = made_up(
        "tags",
        comparison=Comparison(sets=(SetOf("tags"), SetOf("more.tags"))),
        restore=Restore(writable=("name", "tags", "more"), update=Update(path="/v1.0/tags", method="PUT")),
    )
    assert update_body(tags, {"name": "a"}, {"name": "b"}, ("name",)) == {"name": "b", "tags": []}


def test_something_that_another_object_has_repeats_its_id_where_it_can_be_re_pointed() -> None:
    held = made_up(
        "held", read=Read(path="/v1.0/users", quirks=(RepeatsId("principalId"),)), restore=Restore()
    )
    assert with_location(held, {"id": "u1", "has": 1}, {}) == {"id": "u1", "has": 1, "principalId": "u1"}
