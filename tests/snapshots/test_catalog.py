"""The catalogue holds together, answers for all its types, and says clearly what it does not know."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from snapshots import catalog
from snapshots.catalog import docs_page
from snapshots.catalog.registry import UnknownResourceType
from snapshots.catalog.spec import (
    Comparison,
    Create,
    Delete,
    Identity,
    OnlyWhen,
    Part,
    Permissions,
    PreparedWith,
    Read,
    Reference,
    ResourceType,
    Restore,
    SetOf,
    Staged,
    Undelete,
    Update,
)

KEYS = {
    "appRoleAssignment",
    "application",
    "authenticationMethodConfiguration",
    "authenticationMethodsPolicy",
    "authenticationStrengthPolicy",
    "conditionalAccessPolicy",
    "group",
    "namedLocation",
    "oAuth2PermissionGrant",
    "servicePrincipal",
    "unifiedRoleAssignment",
    "unifiedRoleDefinition",
}

SOUND = ResourceType(
    key="thing",
    label="Thing",
    plural="Things",
    area="Tests",
    read=Read(path="/v1.0/things", item_path="/v1.0/things/{id}"),
    permissions=Permissions(read=("Thing.Read.All",), write=("Thing.ReadWrite.All",)),
    restore=Restore(
        writable=("state",),
        create=Create(path="/v1.0/things"),
        update=Update(path="/v1.0/things/{id}"),
        delete=Delete(path="/v1.0/things/{id}"),
    ),
)
MEMBERS = Part(
    name="members",
    path="/v1.0/things/{id}/members",
    add_ref="/v1.0/things/{id}/members/$ref",
    remove_ref="/v1.0/things/{id}/members/{element}/$ref",
    reference="directoryObject",
)


def test_the_catalogue_is_sound() -> None:
    assert catalog.problems() == []


def test_every_type_is_found_by_its_key() -> None:
    assert {spec.key for spec in catalog.all_types()} >= KEYS
    assert all(catalog.get(spec.key) is spec for spec in catalog.all_types())


def test_an_unknown_type_is_refused_with_near_matches() -> None:
    with pytest.raises(UnknownResourceType) as refused:
        catalog.get("conditionalAccessPolicies")
    assert str(refused.value) == (
        "There is no resource type 'conditionalAccessPolicies'. Did you mean conditionalAccessPolicy?"
    )


def test_an_unknown_type_that_resembles_none_is_answered_with_all() -> None:
    with pytest.raises(UnknownResourceType, match=r"'zzz'. The known types are .*namedLocation"):
        catalog.get("zzz")


@pytest.mark.parametrize(
    ("first", "then"),
    [
        ("namedLocation", "conditionalAccessPolicy"),
        ("authenticationStrengthPolicy", "conditionalAccessPolicy"),
        ("group", "conditionalAccessPolicy"),
        ("application", "servicePrincipal"),
        ("servicePrincipal", "oAuth2PermissionGrant"),
        ("servicePrincipal", "appRoleAssignment"),
        ("servicePrincipal", "unifiedRoleAssignment"),
        ("unifiedRoleDefinition", "unifiedRoleAssignment"),
    ],
)
def test_what_is_referred_to_is_restored_first(first: str, then: str) -> None:
    assert catalog.get(first).restore.order.rank < catalog.get(then).restore.order.rank


def test_permissions_say_which_types_need_them() -> None:
    needed = catalog.required_permissions("write", ["namedLocation", "conditionalAccessPolicy", "group"])
    assert needed["Policy.ReadWrite.ConditionalAccess"] == ("namedLocation", "conditionalAccessPolicy")
    assert needed["Group.ReadWrite.All"] == ("group",)
    assert "Application.ReadWrite.All" not in needed


def test_reading_everything_needs_no_permission_to_write() -> None:
    assert all("Write" not in permission for permission in catalog.required_permissions("read"))


def test_a_wider_permission_suffices_and_half_of_a_pair_does_not() -> None:
    strength = catalog.get("authenticationStrengthPolicy").permissions
    policy = catalog.get("conditionalAccessPolicy").permissions
    assert strength.may_read({"Policy.Read.All"})
    assert not strength.may_read({"Group.Read.All"})
    assert policy.may_write({"Policy.Read.All", "Policy.ReadWrite.ConditionalAccess"})
    assert not policy.may_write({"Policy.ReadWrite.ConditionalAccess"})
    assert not Permissions(read=("Thing.Read.All",)).may_write({"Thing.Read.All"})


@pytest.mark.parametrize(
    ("key", "state"),
    [
        ("authenticationStrengthPolicy", {"policyType": "builtIn"}),
        ("unifiedRoleDefinition", {"isBuiltIn": True}),
        ("group", {"onPremisesSyncEnabled": True}),
        ("group", {"mailEnabled": True, "securityEnabled": True}),
        ("servicePrincipal", {"servicePrincipalType": "ManagedIdentity"}),
    ],
)
def test_what_must_not_be_written_is_protected_with_a_reason(key: str, state: dict[str, Any]) -> None:
    protected = catalog.get(key).restore.guards.protected
    assert protected is not None
    assert str(protected(state)).endswith(".")


@pytest.mark.parametrize(
    ("key", "state"),
    [
        ("authenticationStrengthPolicy", {"policyType": "custom"}),
        ("unifiedRoleDefinition", {"isBuiltIn": False}),
        ("group", {"securityEnabled": True}),
        ("group", {"mailEnabled": True, "groupTypes": ["Unified"]}),
        ("servicePrincipal", {"servicePrincipalType": "Application"}),
    ],
)
def test_what_may_be_written_is_not_protected(key: str, state: dict[str, Any]) -> None:
    protected = catalog.get(key).restore.guards.protected
    assert protected is not None
    assert protected(state) is None


def test_members_of_a_dynamic_group_are_no_state() -> None:
    members = next(part for part in catalog.get("group").parts if part.name == "members")
    assert members.quirk(OnlyWhen) is not None
    assert not members.exists_for({"groupTypes": ["DynamicMembership"]})
    assert members.exists_for({"groupTypes": ["Unified"]})
    assert members.exists_for({"groupTypes": None})


def test_built_in_strengths_have_no_configurations_to_read() -> None:
    (configurations,) = catalog.get("authenticationStrengthPolicy").parts
    assert configurations.quirk(OnlyWhen) is not None
    assert not configurations.exists_for({"policyType": "builtIn"})
    assert configurations.exists_for({"policyType": "custom"})


def test_an_identifier_of_an_application_names_its_app_id_wherever_a_path_follows() -> None:
    places = [each for each in catalog.get("application").references if each.path == "identifierUris[]"]
    (rules_at,) = places
    app = "0c9e0b0a-1111-4222-8333-444455556666"
    for uri in (f"api://{app}", f"api://{app}/read/all"):
        assert rules_at.named(uri) == (app,)
        assert rules_at.renamed(uri, lambda _named: "new") == uri.replace(app, "new")
    assert [rules_at.named(uri) for uri in ("api://books", "https://books.example.com")] == [(), ()]


def test_combinations_and_secrets_have_actions_of_their_own() -> None:
    (action,) = catalog.get("authenticationStrengthPolicy").restore.update.actions
    assert action.body(["fido2"], None) == {"allowedCombinations": ["fido2"]}
    for key in ("application", "servicePrincipal"):
        (removal,) = catalog.get(key).restore.update.removals
        assert removal.body({"keyId": "k", "displayName": "ci"}) == {"keyId": "k"}


@pytest.mark.parametrize(
    ("key", "raw", "name"),
    [
        ("namedLocation", {"id": "1", "displayName": "Office"}, "Office"),
        ("authenticationMethodConfiguration", {"id": "Sms"}, "SMS"),
        (
            "unifiedRoleManagementPolicyRule",
            {"id": "Notification_Admin_Admin_Eligibility", "roleDefinitionId": "r"},
            "Notification of administrators of eligible assignments for r",
        ),
        (
            "unifiedRoleManagementPolicyRule",
            {"id": "Approval_EndUser_Assignment", "roleDefinitionId": "r"},
            "Approval of activations for r",
        ),
        (
            "oAuth2PermissionGrant",
            {"scope": " User.Read Mail.Read ", "consentType": "AllPrincipals"},
            "User.Read Mail.Read for all users",
        ),
        ("oAuth2PermissionGrant", {"consentType": "Principal"}, "for one user"),
        (
            "appRoleAssignment",
            {"principalDisplayName": "Robot", "resourceDisplayName": "Microsoft Graph"},
            "Robot on Microsoft Graph",
        ),
        ("appRoleAssignment", {"principalId": "p", "resourceId": "r"}, "p on r"),
        ("unifiedRoleAssignment", {"principal": {"displayName": "Ada"}, "roleDefinitionId": "r"}, "Ada as r"),
        ("unifiedRoleAssignment", {"principalId": "p", "roleDefinitionId": "r"}, "p as r"),
    ],
)
def test_every_resource_has_a_name_for_people(key: str, raw: dict[str, Any], name: str) -> None:
    assert catalog.get(key).identity.name(raw) == name


def test_a_sound_declaration_has_no_problems() -> None:
    assert catalog.problems([SOUND, replace(SOUND, key="other", parts=(MEMBERS,))]) == []


@pytest.mark.parametrize(
    ("broken", "problem"),
    [
        ({"references": (Reference("ownerId", to="nobody"),)}, "unknown type 'nobody'"),
        ({"parts": (replace(MEMBERS, reference="nobody"),)}, "unknown type 'nobody'"),
        ({"read": Read(path="/v1.0/owners/{parent}/things", parent="nobody")}, "below the unknown type"),
        ({"read": Read(path="/v1.0/owners/{parent}/things")}, "only one of a parent"),
        ({"comparison": Comparison(normalise={"state": "shout"})}, "unknown normaliser 'shout'"),
        ({"comparison": Comparison(computed=("state",))}, "writes 'state', which its documents do not hold"),
        (
            {"restore": replace(SOUND.restore, create=replace(SOUND.restore.create, only=("state",)))},
            "both by update and in another way",
        ),
        (
            {
                "restore": replace(
                    SOUND.restore,
                    delete=replace(SOUND.restore.delete, quirks=(PreparedWith({"isTrusted": False}),)),
                )
            },
            "prepares 'isTrusted'",
        ),
        ({"restore": replace(SOUND.restore, update=Update())}, "only one of writable"),
        ({"permissions": Permissions(read=("Thing.Read.All",))}, "names no write permission"),
        (
            {
                "restore": replace(
                    SOUND.restore,
                    update=replace(
                        SOUND.restore.update, quirks=(Staged("state", frozenset({"on"}), via="on"),)
                    ),
                )
            },
            "through an enforcing value",
        ),
        (
            {
                "restore": replace(
                    SOUND.restore,
                    update=replace(
                        SOUND.restore.update, quirks=catalog.get("application").restore.update.removals
                    ),
                )
            },
            "which is no keyed set",
        ),
        ({"parts": (replace(MEMBERS, remove_ref=None),)}, "only add or only remove"),
        ({"parts": (replace(MEMBERS, projected_fields=("name",)),)}, "does not keep the key"),
        ({"identity": Identity(natural_key=("createdDateTime",))}, "recognised by 'createdDateTime'"),
        (
            {"comparison": Comparison(sets=(SetOf("tags"), SetOf("tags", key="id")))},
            "declares the set 'tags' 2 times",
        ),
        ({"read": Read(path="things")}, "does not begin with an API version"),
        (
            {
                "restore": replace(
                    SOUND.restore, undelete=Undelete("/v1.0/bin/{name}", "/v1.0/bin/{id}/restore")
                )
            },
            "needs 'name'",
        ),
    ],
)
def test_a_slip_in_a_declaration_is_found(broken: dict[str, Any], problem: str) -> None:
    found = catalog.problems([replace(SOUND, **broken)])
    assert [sentence for sentence in found if problem in sentence and sentence.startswith("thing: ")]


def test_a_key_that_is_declared_twice_is_found() -> None:
    assert catalog.problems([SOUND, replace(SOUND)]) == ["The resource type 'thing' is declared 2 times."]


def test_the_page_of_resource_types_is_up_to_date() -> None:
    page = Path(__file__).parents[2] / "docs" / "resource-types.md"
    assert page.read_text(encoding="utf-8") == docs_page.markdown(), (
        "Write it again: python -m snapshots.catalog.docs_page > docs/resource-types.md"
    )


def test_the_page_says_what_cannot_be_brought_back() -> None:
    page = docs_page.markdown()
    for spec in catalog.all_types():
        assert f"`{spec.key}`" in page
        assert all(loss.what in page for loss in spec.restore.losses)
        assert all(permission in page for permission in (*spec.permissions.read, *spec.permissions.write))
