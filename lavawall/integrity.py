"""Finds everything in the stored history that is not as the product wrote it, over all apps."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from changes import integrity as changes
from rollbacks import integrity as rollbacks
from snapshots.store import content_store
from tenants.control import record as control
from tenants.models import Tenant
from tenants.trust import append_only, ledger


@dataclass(frozen=True)
class Fault:
    """`tenant` is None for faults of the platform itself."""

    tenant: str | None
    where: str
    what: str


def faults(tenants: Iterable[Tenant]) -> Iterator[Fault]:
    """Checks these tenants, the ledger, the control actions, and the triggers that keep history append-only."""
    for tenant in tenants:
        for fault in (*content_store.verify(tenant), *changes.verify(tenant), *rollbacks.verify(tenant)):
            yield Fault(tenant.name, fault.where, fault.what)
    for broken in ledger.verify():
        yield Fault(None, f"ledger entry {broken.sequence}", broken.what)
    for what in control.faults():
        yield Fault(None, "control actions:", what)
    for what in append_only.faults():
        yield Fault(None, "database:", what)
