"""A tenant without Intune, and one without the beta version: said with the reason, and never taken for deletions."""

import pytest

from lavawall.emulator import Emulator
from lavawall.emulator.licences import INTUNE
from snapshots.collection import capture
from snapshots.models import Coverage
from tenants.models import Tenant
from tests.factories.cloud import impatient_client, onboarded

TYPES = ("deviceConfiguration", "deviceCompliancePolicy", "namedLocation")


@pytest.fixture
def tenant(committed_db: None, emulator: Emulator) -> Tenant:
    return onboarded(emulator)


def outcomes(tenant: Tenant) -> dict[str, capture.Outcome]:
    return capture.collect(tenant, impatient_client(tenant), types=TYPES).outcomes


def test_without_a_licence_its_types_are_unlicensed_and_the_rest_stands(
    tenant: Tenant, emulator: Emulator
) -> None:
    emulator.without_licence(str(tenant.directory_id), INTUNE)
    found = outcomes(tenant)
    assert found["namedLocation"].status == Coverage.Status.COMPLETE
    for key in TYPES[:2]:
        assert found[key].status == Coverage.Status.UNLICENSED
        assert found[key].reason
        assert found[key].remedy


def test_without_the_beta_version_its_types_fail_with_the_reason(tenant: Tenant, emulator: Emulator) -> None:
    emulator.faults.add("answer", path="^/beta/deviceManagement", status=404, times=99)
    found = outcomes(tenant)
    assert found["namedLocation"].status == Coverage.Status.COMPLETE
    assert found["deviceConfiguration"].status == Coverage.Status.FAILED
    assert "404" in found["deviceConfiguration"].reason
