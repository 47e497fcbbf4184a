"""Queries on the platform's own records."""

from django.db.models import Q, QuerySet

from tenants.access import permissions
from tenants.access.actors import Actor
from tenants.access.matrix import Action
from tenants.models import LedgerEntry


def readable_entries(actor: Actor) -> QuerySet[LedgerEntry]:
    """The ledger entries that the actor may read. Entries of the whole MSP need a role on the whole MSP."""
    if permissions.can_everywhere(actor, Action.VIEW_LEDGER):
        return LedgerEntry.objects.all()
    tenants = permissions.visible_tenants(actor, Action.VIEW_LEDGER)
    customers = permissions.whole_customers(actor, Action.VIEW_LEDGER)
    return LedgerEntry.objects.filter(
        Q(tenant_id__in=tenants.values("pk"))
        | Q(tenant_id__isnull=True, customer_id__in=customers.values("pk"))
    )


def may_read_ledger(actor: Actor) -> bool:
    return (
        permissions.whole_customers(actor, Action.VIEW_LEDGER).exists()
        or permissions.visible_tenants(actor, Action.VIEW_LEDGER).exists()
    )


def require_ledger(actor: Actor) -> None:
    """Raises Refused."""
    if not may_read_ledger(actor):
        raise permissions.Refused(
            f"{actor.label} may not read the ledger. Ask an administrator for the auditor role."
        )
