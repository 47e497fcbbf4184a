"""Actions on changes."""

from collections.abc import Mapping

from django.db import IntegrityError, transaction
from django.utils import timezone

from changes.models import Acknowledgement, Change, Resolution
from tenants.access import permissions
from tenants.access.actors import Actor
from tenants.access.matrix import Action
from tenants.errors import DomainError
from tenants.models import Tenant
from tenants.trust import ledger, proof


class AlreadyAcknowledged(DomainError):
    """Someone has already acknowledged the change."""


@transaction.atomic
def acknowledge(actor: Actor, *, change: Change, note: str = "") -> Acknowledgement:
    """Records that a person acknowledged the change, with a note. Raises AlreadyAcknowledged."""
    permissions.require(actor, Action.TRIAGE, change.tenant)
    if actor.user is None:
        raise permissions.Refused("Only a person can acknowledge a change.")
    try:
        with transaction.atomic():
            row = Acknowledgement(change=change, by=actor.user, at=timezone.now(), note=note)
            proof.append(actor, change.tenant, [row])
    except IntegrityError as error:
        by = Acknowledgement.objects.select_related("by").get(change=change).by
        raise AlreadyAcknowledged(f"{by.get_username()} has already acknowledged this change.") from error
    ledger.record(actor, "change:acknowledge", f"change {change.pk}", tenant=change.tenant, note=note)
    return Acknowledgement.objects.get(change=change)


def resolve(
    actor: Actor,
    *,
    tenant: Tenant,
    kind: Resolution.Kind,
    rollback: int,
    verified: Mapping[int, bool],
) -> int:
    """Records how a rollback relates to these changes: ID → whether it was verified."""
    now = timezone.now()
    rows = [
        Resolution(change_id=change, kind=kind, rollback=rollback, verified=shown, at=now)
        for change, shown in sorted(verified.items())
    ]
    return proof.append(actor, tenant, rows, ignore_conflicts=True)
