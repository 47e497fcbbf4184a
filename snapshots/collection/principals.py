"""Names and kinds of directory objects that configuration refers to. Best effort: a failure does not fail the
snapshot.
"""

import logging
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.utils import timezone

from snapshots.models import Principal, Version
from tenants.microsoft.client import GraphClient
from tenants.microsoft.errors import MicrosoftError
from tenants.microsoft.request import Request
from tenants.models import Tenant

logger = logging.getLogger(__name__)

IDS_PER_CALL = 1000
"""Limit of directoryObjects/getByIds (Microsoft Graph reference)."""
NAMED_TYPES = ("group", "servicePrincipal", "application")


def learn(tenant: Tenant, client: GraphClient, ids: Iterable[str]) -> None:
    """Looks up these IDs and stores the latest facts."""
    wanted = sorted(set(ids))
    for start in range(0, len(wanted), IDS_PER_CALL):
        try:
            facts = _look_up(client, wanted[start : start + IDS_PER_CALL])
        except MicrosoftError as error:
            logger.warning("could not look up names of %s: %s", tenant.name, error)
            return
        _keep(tenant, facts)


def existing(client: GraphClient, ids: Iterable[str]) -> set[str]:
    """The IDs that exist in the directory. Raises MicrosoftError."""
    wanted = sorted(set(ids))
    return {
        item["id"].lower()
        for start in range(0, len(wanted), IDS_PER_CALL)
        for item in _look_up(client, wanted[start : start + IDS_PER_CALL])
    }


def names(tenant: Tenant, ids: Iterable[str]) -> dict[str, str]:
    """Display names of resources and principals by ID. Unknown IDs are left out."""
    wanted = set(ids)
    found = dict(
        Version.objects.filter(tenant=tenant, resource_id__in=wanted)
        .exclude(display_name="")
        .order_by("first_snapshot_id")
        .values_list("resource_id", "display_name")
    )
    for principal in Principal.objects.filter(tenant=tenant, object_id__in=wanted):
        found.setdefault(principal.object_id, str(principal))
    directory = str(tenant.directory_id)
    return found | ({directory: tenant.name} if directory in wanted else {})


def _look_up(client: GraphClient, ids: Sequence[str]) -> Iterator[dict[str, Any]]:
    response = client.send(
        Request("POST", "/v1.0/directoryObjects/getByIds", body={"ids": list(ids)}, why="names of principals")
    )
    values = response.body.get("value", []) if isinstance(response.body, dict) else []
    return (item for item in values if isinstance(item, dict) and isinstance(item.get("id"), str))


def _keep(tenant: Tenant, facts: Iterable[dict[str, Any]]) -> None:
    now = timezone.now()
    Principal.objects.bulk_create(
        (
            Principal(
                tenant=tenant,
                object_id=item["id"].lower(),
                kind=str(item.get("@odata.type", "")).removeprefix("#microsoft.graph."),
                display_name=str(item.get("displayName") or "")[:400],
                user_principal_name=str(item.get("userPrincipalName") or "")[:400],
                is_guest=item.get("userType") == "Guest"
                or "#EXT#" in str(item.get("userPrincipalName") or ""),
                seen_at=now,
            )
            for item in facts
        ),
        update_conflicts=True,
        unique_fields=["tenant", "object_id"],
        update_fields=["kind", "display_name", "user_principal_name", "is_guest", "seen_at"],
    )
