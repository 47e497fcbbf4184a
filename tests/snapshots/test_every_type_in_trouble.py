"""What cannot be read of a type is told with the reason and the remedy, never as deletions. For every type."""

import re
from collections.abc import Sequence

import pytest

from changes.models import Change
from lavawall.emulator import Emulator
from snapshots.catalog import registry
from snapshots.catalog.spec import ResourceType
from snapshots.models import Version
from snapshots.selectors import coverage_as_json
from tenants.models import Tenant
from tests.factories.cloud import onboarded
from tests.snapshots.test_capture import take

_FIELD = re.compile(r"\\\{\w+\\\}")
pytestmark = pytest.mark.exhaustive("four kinds of trouble, each for all types of a whole tenant")

TROUBLES: tuple[tuple[str, int, str, str, str], ...] = (
    ("permission", 403, "Authorization_RequestDenied", "Insufficient privileges to complete.", "forbidden"),
    ("licence", 403, "AadPremiumLicenseRequired", "The tenant needs a premium licence.", "unlicensed"),
    ("API", 400, "BadRequest", "Resource not found for the segment 'things'.", "failed"),
    ("method", 405, "Request_BadRequest", "Specified HTTP method is not allowed.", "failed"),
)


@pytest.fixture
def tenant(db: None, emulator: Emulator) -> Tenant:
    return onboarded(emulator)


def addresses(spec: ResourceType) -> list[str]:
    """Patterns of where a type's objects are listed; the id of an Azure resource has slashes of its own."""
    start, anything = ("^(?=/subscriptions/)", ".+") if spec.on_azure else ("^", "[^/]+")
    paths = spec.read.listings
    return [f"{start}{_FIELD.sub(anything, re.escape(path.partition('?')[0]))}$" for path in paths]


def _asks_elsewhere(spec: ResourceType) -> bool:
    """Whether reading the type asks other listings too, which may be in trouble themselves."""
    return spec.read.derived_from is not None or any(part.derived_from or part.holders for part in spec.parts)


def halves() -> tuple[Sequence[ResourceType], Sequence[ResourceType]]:
    specs = registry.all_types()
    return specs[::2], specs[1::2]


@pytest.mark.parametrize(
    ("what", "status", "code", "message", "reported"), TROUBLES, ids=[each[0] for each in TROUBLES]
)
def test_what_cannot_be_read_is_told_and_kept(
    tenant: Tenant, emulator: Emulator, what: str, status: int, code: str, message: str, reported: str
) -> None:
    take(tenant)
    versions = Version.objects.filter(tenant=tenant, last_snapshot=None).count()
    for troubled in halves():
        paths = {path for spec in troubled for path in addresses(spec)}
        for path in paths:
            body = {"error": {"code": code, "message": message}}
            emulator.faults.add("answer", method="GET", path=path, status=status, body=body, times=999)
        snapshot = take(tenant)
        emulator.faults.clear()
        coverage = coverage_as_json(snapshot)
        hit = {spec.key for spec in registry.all_types() if paths & set(addresses(spec))}
        below = {spec.key for spec in registry.all_types() if spec.read.parent in hit}
        for spec in registry.all_types():
            row = coverage[spec.key]
            if spec.key in hit:
                expected = reported if paths >= set(addresses(spec)) else "partial"
                expected = "failed" if spec.read.parent in hit else expected
                found = (row["status"], bool(row["reason"]), bool(row["remedy"]))
                assert found == (expected, True, True), (spec.key, row)
            elif spec.key not in below and not _asks_elsewhere(spec):
                assert row["status"] == "complete", (spec.key, row)
        assert snapshot.status == "partial"
        assert not Change.objects.filter(snapshot=snapshot).exists()
        assert Version.objects.filter(tenant=tenant, last_snapshot=None).count() == versions
    assert take(tenant).status == "complete"
    assert not Change.objects.exists()
