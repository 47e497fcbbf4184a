"""The measurements of `make bench`. Imported once Django is set up."""

import json
import os
import platform
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from django.db import connection
from django.test.runner import DiscoverRunner

from changes.diff.structural import diff
from changes.severity.engine import grade
from changes.severity.model import Subject
from lavawall import pipeline
from lavawall.cli import operator
from lavawall.management.commands.demo import emulator
from snapshots.canonical.form import canonical_bytes, canonicalise
from snapshots.catalog import registry
from snapshots.models import Blob, Version
from snapshots.store import content_store
from tenants.connections import onboarding
from tenants.connections.onboarding import NewConnection
from tenants.microsoft.connection import Endpoints, SecretCredential
from tenants.models import Run, Tenant
from tenants.runs import leases
from tests.factories.changes import mfa_policy
from tests.factories.tenants import TenantFactory

RUNS = 5
MEMBERS = 10_000
SIZES = {"users": 2000, "groups": 1500, "apps": 400}
RESULTS = Path(__file__).resolve().parents[2] / "bench" / "results.json"


def main() -> None:
    runner = DiscoverRunner(verbosity=0, interactive=False)
    databases = runner.setup_databases()
    try:
        results = {**_collection(), **_join(), **_pure()}
    finally:
        runner.teardown_databases(databases)
    report = {
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
        "database": connection.vendor,
        "sizes": SIZES,
        "runs": RUNS,
        "results": results,
    }
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    for name, value in results.items():
        print(f"{name:<52} {value:>12,.4g}")  # noqa: T201


def _collection() -> dict[str, float]:
    with emulator(Path("var/bench-ca.pem"), **SIZES) as cloud:
        os.environ["REQUESTS_CA_BUNDLE"] = cloud["ca_file"]
        tenant = _connect(cloud)
        first = _seconds(lambda: _observe(tenant))
        repeated = [_seconds(lambda: _observe(tenant)) for _ in range(RUNS)]
    resources = Version.objects.filter(tenant=tenant, last_snapshot__isnull=True).count()
    return {
        "resources in the tenant": resources,
        "first snapshot, seconds": first,
        "unchanged snapshot, seconds": statistics.median(repeated),
        "unchanged snapshot, resources per second": resources / statistics.median(repeated),
        "unchanged snapshot, new version rows": Version.objects.filter(tenant=tenant).count() - resources,
        "verify, seconds": _median(lambda: content_store.verify(tenant)),
        "rebuild one snapshot, seconds": _median(lambda: _rebuild(tenant)),
    }


def _join() -> dict[str, float]:
    """One more member of a group of MEMBERS: what the store takes for it, and what reading it back costs."""
    tenant: Tenant = TenantFactory()
    spec = registry.get("group")
    members = [{"id": str(uuid4())} for _ in range(MEMBERS + 1)]
    before, after = (
        canonicalise({"displayName": "All", "members": some}, spec) for some in (members[1:], members)
    )
    content_store.put(tenant, [(spec, before)])
    first = _stored_bytes(tenant)
    seconds = _seconds(lambda: content_store.put(tenant, [(spec, after)]))
    digest = content_store.digest_of(tenant, spec, after)
    return {
        f"store a group of {MEMBERS:,}, bytes": first,
        "store one join in it, bytes": _stored_bytes(tenant) - first,
        "store one join in it, seconds": seconds,
        "read it back, seconds": _median(lambda: content_store.document(tenant, digest)),
    }


def _stored_bytes(tenant: Tenant) -> int:
    return sum(len(data) for data in Blob.objects.filter(tenant=tenant).values_list("data", flat=True))


def _pure() -> dict[str, float]:
    spec = registry.get("conditionalAccessPolicy")
    before, after = mfa_policy(), mfa_policy(state="disabled")
    documents = canonicalise(before, spec), canonicalise(after, spec)
    subject = Subject(spec.key, "id", *documents)
    return {
        "canonicalise and serialise a policy, microseconds": _micro(
            lambda: canonical_bytes(canonicalise(before, spec))
        ),
        "diff two policies, microseconds": _micro(lambda: diff(*documents, spec)),
        "grade a change, microseconds": _micro(lambda: grade(subject)),
    }


def _connect(cloud: dict[str, Any]) -> Tenant:
    name, facts = next(iter(cloud["tenants"].items()))
    reader = facts["reader"]
    return onboarding.onboard(
        operator(),
        customer_name="Bench",
        name=name,
        directory_id=UUID(facts["directory_id"]),
        reader=NewConnection(
            UUID(reader["client_id"]),
            SecretCredential(reader["secret"]),
            cloud="custom",
            endpoints=Endpoints(*[cloud["url"]] * 4),
        ),
    )


def _observe(tenant: Tenant) -> None:
    lease = leases.claim(leases.create(tenant, Run.Kind.COLLECT, requested_by="bench").pk)
    if lease is None:
        raise RuntimeError("Another run holds the tenant.")
    pipeline.observe(lease)


def _rebuild(tenant: Tenant) -> None:
    snapshot = content_store.latest(tenant)
    if snapshot is not None:
        content_store.documents(tenant, content_store.state_at(snapshot).values_list("digest", flat=True))


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _median(work: Callable[[], object]) -> float:
    work()
    return statistics.median(_seconds(work) for _ in range(RUNS))


def _micro(work: Callable[[], object], repeat: int = 2000) -> float:
    return 1e6 * _median(lambda: [work() for _ in range(repeat)]) / repeat
