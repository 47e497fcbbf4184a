"""The catalogue against Microsoft's own words: the published schema, the permission list, documented responses."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from snapshots import catalog
from snapshots.canonical.form import canonical_bytes, canonicalise
from snapshots.catalog.places import ANY_KEY, ELEMENT, parse
from snapshots.catalog.spec import Document, ResourceType
from snapshots.store import content_store
from tests import facts
from tests.factories.tenants import TenantFactory
from tests.snapshots.published import (
    documented,
    entity,
    examples,
    is_known,
    properties,
    schema,
)

READ_ONLY_WHEN_BUILT_IN = {"unifiedRoleDefinition"}
"""The schema marks all of a role definition as read-only, because a built-in one is."""

WRITTEN_ALTHOUGH_READ_ONLY = {"authenticationFlowsPolicy": {"selfServiceSignUp"}}
"""What the schema's description calls read-only and Microsoft documents an update of."""

NOT_IN_SCHEMA = {
    "creationOptions",
    "membershipRuleProcessingStatus",
    "notificationMessageTemplateId",
    "notificationTemplates[]",
    "perAppVPNProfileId",
    "platformType",
}
"""Properties of groups and of some kinds of Intune that the service has and the schema does not."""

UNDOCUMENTED = {
    "certificateBasedAuthConfiguration",
    "azureRoleAssignment",
    "azureRoleDefinition",
    "managedIdentityFederatedCredential",
    "managementLock",
    "adminAppsAndServices",
    "adminDynamics",
    "adminForms",
    "adminTodo",
    "m365AppsInstallationOptions",
    "namePronunciationSettings",
    "onPremisesDirectorySynchronization",
    "photoUpdateSettings",
    "privilegedAccessGroupAssignmentSchedule",
    "privilegedAccessGroupEligibilitySchedule",
    "pronounsSettings",
    "crossTenantIdentitySyncPolicyPartner",
    "customSecurityAttributeAssignment",
    "deviceCustomAttributeShellScript",
    "deviceManagementCompliancePolicy",
    "deviceManagementReusablePolicySetting",
    "mdmWindowsInformationProtectionPolicy",
    "notificationMessageTemplate",
    "termsAndConditions",
    "tokenIssuancePolicy",
    "tokenLifetimePolicy",
    "windowsAutopilotDeploymentProfile",
}
"""Types of which the facts hold no response (or only one that is no object of theirs)."""

AZURE_ROLES = {
    "Contributor",
    "Key Vault Contributor",
    "Locks Contributor",
    "Managed Identity Contributor",
    "Network Contributor",
    "Owner",
    "Reader",
    "Role Based Access Control Administrator",
    "User Access Administrator",
}
"""Built-in roles of Azure, which take the place of Graph's permissions in a subscription."""

SPECS = tuple(spec for spec in catalog.all_types() if not spec.on_azure)
"""Types of Microsoft Graph, which has a schema; of Azure the facts hold responses only."""


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.key)
def test_whatever_the_schema_knows_has_a_canonical_form(spec: ResourceType) -> None:
    for name, raw in examples(spec):
        _has_a_canonical_form(name, raw, spec)


@pytest.mark.facts
def test_every_documented_response_has_a_canonical_form() -> None:
    read = {spec.key: 0 for spec in catalog.all_types()}
    for spec in catalog.all_types():
        for name, raw in documented(spec):
            _has_a_canonical_form(name, raw, spec)
            read[spec.key] += 1
    missing = {key for key, n in read.items() if not n} - UNDOCUMENTED
    assert not missing, f"no documented response was found for {sorted(missing)}"


def _has_a_canonical_form(name: str, raw: Document, spec: ResourceType) -> None:
    """A fixed point, whatever the order of the keys."""
    document = canonicalise(raw, spec)
    assert canonical_bytes(canonicalise(document, spec)) == canonical_bytes(document), name
    assert canonical_bytes(canonicalise(_in_reverse(raw), spec)) == canonical_bytes(document), name


@pytest.mark.parametrize(
    "shown", [examples, pytest.param(documented, marks=pytest.mark.facts)], ids=["schema", "responses"]
)
def test_every_object_survives_store_and_reload(
    db: None, shown: Callable[[ResourceType], Iterator[tuple[str, Document]]]
) -> None:
    tenant = TenantFactory()
    pairs = [(spec, canonicalise(raw, spec)) for spec in SPECS for _, raw in shown(spec)]
    digests = content_store.put(tenant, pairs)
    found = content_store.documents(tenant, digests)
    for (spec, document), digest in zip(pairs, digests, strict=True):
        assert canonical_bytes(found[digest]) == canonical_bytes(document), spec.key
    assert content_store.verify(tenant) == []


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.key)
def test_every_property_that_a_type_names_is_in_the_schema(spec: ResourceType) -> None:
    unknown = [path for path in _named_paths(spec) if not is_known(entity(spec), parse(path))]
    assert set(unknown) - spec.addressing - {"id"} <= NOT_IN_SCHEMA


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.key)
def test_what_the_schema_calls_read_only_is_not_written(spec: ResourceType) -> None:
    if spec.key in READ_ONLY_WHEN_BUILT_IN:
        return
    known = properties(entity(spec))
    read_only = {name for name in spec.restore.writable if known.get(name, {}).get("readOnly")}
    assert read_only <= WRITTEN_ALTHOUGH_READ_ONLY.get(spec.key, set())


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.key)
def test_declared_sets_are_collections_in_the_schema(spec: ResourceType) -> None:
    for declared in spec.comparison.sets:
        kinds = list(_types_at(entity(spec), parse(declared.path)))
        assert kinds == [] or any(kind.startswith("Collection(") for kind in kinds), declared.path


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.key)
def test_permissions_are_ones_that_microsoft_lists_for_the_path(spec: ResourceType) -> None:
    listed = facts.derived("permissions")
    paths = {spec.read.path, spec.restore.create.path, spec.restore.update.path, spec.restore.delete.path}
    reads: set[str] = set()
    writes = set(ADDED_TO_WRITES.get(spec.key, ()))
    for path in paths:
        for verb, permissions in listed.get(facts.listed_path(path) or "-", {}).items():
            (reads if verb == "GET" else writes).update(permissions)
    reads, writes = (found or {*listed[""], *LISTED_NOWHERE} for found in (reads, writes))
    reads |= UNLISTED.get(spec.key, set())
    writes |= UNLISTED.get(spec.key, set())
    assert {*spec.permissions.read, *spec.permissions.read_also} <= reads
    assert {*spec.permissions.write, *spec.permissions.write_also} <= writes


def test_types_of_azure_name_its_roles() -> None:
    for spec in catalog.all_types():
        if spec.on_azure:
            named = spec.permissions
            assert {*named.read, *named.read_also, *named.write, *named.write_also} <= AZURE_ROLES
            assert named.read == ("Reader",)


@pytest.mark.facts
def test_what_only_azure_sets_is_no_state() -> None:
    for spec in catalog.all_types():
        for name, raw in documented(spec) if spec.on_azure else ():
            properties = canonicalise(raw, spec)["properties"]
            assert not {"provisioningState", "resourceGuid", "defaultSecurityRules", "vaultUri"} & set(
                properties
            ), name


ADDED_TO_WRITES = {"group": {"RoleManagement.ReadWrite.Directory"}}
"""Needed besides the path's own, for role-assignable groups."""

LISTED_NOWHERE = {
    "CustomSecAttributeAssignment.Read.All",
    "CustomSecAttributeAssignment.ReadWrite.All",
    "DeviceManagementScripts.Read.All",
    "DeviceManagementScripts.ReadWrite.All",
}
"""Permissions that Microsoft's pages name and its list of paths does not."""


UNLISTED: dict[str, set[str]] = {
    "onPremisesDirectorySynchronization": {
        "OnPremDirectorySynchronization.Read.All",
        "OnPremDirectorySynchronization.ReadWrite.All",
    },
    "namePronunciationSettings": {"PeopleSettings.Read.All", "PeopleSettings.ReadWrite.All"},
    "photoUpdateSettings": {"PeopleSettings.Read.All", "PeopleSettings.ReadWrite.All"},
    "privilegedAccessGroupAssignmentSchedule": {
        "PrivilegedAssignmentSchedule.Read.AzureADGroup",
        "PrivilegedAssignmentSchedule.ReadWrite.AzureADGroup",
    },
    "unifiedRoleManagementPolicyRule": {"RoleManagementPolicy.ReadWrite.Directory"},
}
"""Permissions that Microsoft lists elsewhere than at the path, as the facts tell of each type."""


def _in_reverse(value: Any) -> Any:
    """Another key order everywhere."""
    if isinstance(value, dict):
        return {key: _in_reverse(value[key]) for key in reversed(value)}
    return [_in_reverse(element) for element in value] if isinstance(value, list) else value


def _named_paths(spec: ResourceType) -> Iterator[str]:
    yield from (path for path in _declared_paths(spec) if path not in spec.addressing)


def _declared_paths(spec: ResourceType) -> Iterator[str]:
    part_names = {part.name for part in spec.parts}
    yield from (
        *spec.comparison.volatile,
        *spec.comparison.computed,
        *spec.identity.natural_key,
        *spec.identity.properties,
    )
    yield from (*spec.restore.writable, *spec.restore.create.only, *spec.comparison.normalise, *part_names)
    yield from (action.property for action in spec.restore.update.actions)
    yield from (removal.property for removal in spec.restore.update.removals)
    yield from (loss.path for loss in spec.restore.losses)
    yield from (reference.path for reference in spec.references)
    for holder, stored in spec.comparison.nested_fields.items():
        yield from (f"{holder}.{name}" for name in stored)
    for declared in spec.comparison.sets:
        yield declared.path
        yield from (f"{declared.path}[].{name}" for name in declared.key_names)


def _types_at(name: str, path: tuple[str, ...]) -> Iterator[str]:
    """The type names to which a path leads from an entity; none where the schema ends before the path does."""
    key, *rest = path
    for found, declared in properties(name).items():
        if key not in (found, ANY_KEY):
            continue
        kind = declared["type"]
        remaining = tuple(rest)
        while remaining and remaining[0] == ELEMENT:
            kind, remaining = kind.removeprefix("Collection(").removesuffix(")"), remaining[1:]
        if not remaining:
            yield kind
        elif kind in schema():
            yield from _types_at(kind, remaining)
