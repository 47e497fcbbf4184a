"""Verifies that rollbacks are unchanged. Called by the verify command."""

from rollbacks import proofs
from snapshots.store.content_store import Fault
from tenants.models import Tenant


def verify(tenant: Tenant) -> list[Fault]:
    """Everything about the tenant's rollbacks that the ledger and the tables do not agree on."""
    return [Fault(f"rollback {number}", what) for number, what in proofs.faults(tenant)]
