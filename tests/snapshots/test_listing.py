"""What a listing shows that is no object of its type, or only shows one of another type."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

import pytest

from lavawall.emulator import Emulator
from snapshots.catalog import registry
from snapshots.catalog.spec import ResourceType, Shadows
from snapshots.listing import raws
from snapshots.live import read_live
from tenants.connections import open_client
from tenants.microsoft.client import GraphClient
from tests.factories.cloud import onboarded

GROUPS = registry.get("group")


@pytest.fixture
def client(db: None, emulator: Emulator) -> Iterator[GraphClient]:
    with closing(open_client(onboarded(emulator), "reader")) as client:
        yield client


def shadowed() -> ResourceType:
    """Groups, of which those with an e-mail address only show what the listing of groups says."""
    shadows = Shadows("/v1.0/groups", ("id",), casts=lambda raw: raw.get("mailEnabled") is True)
    return replace(GROUPS, read=replace(GROUPS.read, shadows=shadows))


def test_shadows_of_another_type_are_neither_listed_nor_live(client: GraphClient) -> None:
    every = list(raws(client, GROUPS))
    mailing = {raw["id"] for raw in every if raw["mailEnabled"]}
    assert mailing
    spec = shadowed()
    assert {raw["id"] for raw in raws(client, spec)} == {raw["id"] for raw in every} - mailing
    assert read_live(client, spec, min(mailing)).document is None


def test_a_tenant_without_the_licence_casts_no_shadows(client: GraphClient, emulator: Emulator) -> None:
    every = {raw["id"] for raw in raws(client, GROUPS)}
    refusal = {"error": {"code": "AadPremiumLicenseRequired", "message": "A premium license is needed."}}
    emulator.faults.add("answer", path="/casting", status=403, body=refusal)
    spec = shadowed()
    assert spec.read.shadows is not None
    unlicensed = replace(spec.read.shadows, path="/v1.0/groups/casting")
    spec = replace(spec, read=replace(spec.read, shadows=unlicensed))
    assert {raw["id"] for raw in raws(client, spec)} == every
