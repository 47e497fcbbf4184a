"""Every place that holds the id of another object is declared: as a reference, or as what it is instead.

A rollback re-points what is declared and nothing else, so that an omission writes dead ids.
"""

import io
from collections.abc import Iterable

import pytest
from django.core.management import call_command

from lavawall.emulator import Emulator
from snapshots.catalog import registry
from snapshots.catalog.identifiers import declared
from snapshots.catalog.places import ELEMENT
from snapshots.catalog.places import Path as PathRules
from snapshots.catalog.spec import ResourceType
from snapshots.recoverability import summary
from snapshots.store import content_store
from tests.factories.cloud import TENANT, onboarded
from tests.facts import derived
from tests.snapshots.identifying import holding_guids, in_emulator

KNOWN_BY_NAME_ONLY = ELEMENT
"""Of some properties only the name is published, so that they may be lists."""


def undeclared(spec: ResourceType, places: Iterable[PathRules]) -> list[str]:
    return sorted(
        {
            f"{spec.key}: {'.'.join(at)}"
            for at in places
            if not declared(spec, at) and not declared(spec, (*at, KNOWN_BY_NAME_ONLY))
        }
    )


@pytest.mark.parametrize("spec", registry.all_types(), ids=lambda spec: spec.key)
def test_whatever_the_schema_and_documented_responses_name_an_id_is_declared(spec: ResourceType) -> None:
    places = [tuple(at.split(".")) for at in derived("identifiers").get(spec.key, ())]
    assert undeclared(spec, [*places, *in_emulator(spec)]) == []


def test_whatever_the_seeded_tenant_holds_ids_in_is_declared(db: None, emulator: Emulator) -> None:
    tenant = onboarded(emulator, TENANT)
    call_command("snapshot", tenant.name, stdout=io.StringIO())
    versions = list(summary.current(tenant))
    documents = content_store.documents(tenant, (version.digest for version in versions))
    found = [
        each
        for version in versions
        for each in undeclared(registry.get(version.resource_type), holding_guids(documents[version.digest]))
    ]
    assert sorted(set(found)) == []


def test_a_place_that_nobody_declared_is_told_of() -> None:
    spec = registry.get("deviceEnrollmentConfiguration")
    assert undeclared(spec, [("selectedMobileAppIds", ELEMENT)]) == []
    assert undeclared(spec, [("someOtherAppIds", ELEMENT)]) == [f"{spec.key}: someOtherAppIds.[]"]
