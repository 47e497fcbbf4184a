"""Removing what a crashed collection left behind: contents that no version refers to."""

from django.db.models import Exists, OuterRef

from snapshots.models import Blob, Version
from tenants import ledger
from tenants.actors import Actor
from tenants.append_only import retention_gate
from tenants.models import Tenant


def collect_garbage(tenant: Tenant) -> int:
    """Deletes unreferenced blobs. Only for the holder of the tenant's collection lease: no other writes blobs."""
    referenced = Version.objects.filter(tenant=tenant, digest=OuterRef("digest"))
    orphans = Blob.objects.filter(tenant=tenant).filter(~Exists(referenced))
    with retention_gate("unreferenced contents of an interrupted collection"):
        deleted, _ = orphans.delete()
        if deleted:
            ledger.record(
                Actor.system("housekeeping"), "store:tidy", tenant.name, tenant=tenant, contents=deleted
            )
    return deleted
