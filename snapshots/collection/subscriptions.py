"""What the reader can see of a tenant's Azure subscriptions. Azure roles are not in the token, so they must
be tried.
"""

from collections.abc import Iterable, Mapping
from itertools import islice

from snapshots.catalog import registry
from snapshots.collection.listing import Scope, iter_raw
from tenants.microsoft.client import GraphClient
from tenants.microsoft.errors import MicrosoftError


def unreadable(client: GraphClient, subscriptions: Iterable[str]) -> Mapping[str, Mapping[str, str]]:
    """For each subscription, the types that cannot be read there and why. A child type follows its parent."""
    return {each: _unreadable_in(client, each) for each in subscriptions}


def _unreadable_in(client: GraphClient, subscription: str) -> dict[str, str]:
    reasons: dict[str, str] = {}
    for spec in registry.all_types():
        if not spec.on_azure or spec.read.parent is not None:
            continue
        try:
            list(islice(iter_raw(client, spec, Scope((), (subscription,))), 1))
        except MicrosoftError as error:
            reasons[spec.key] = str(error)
    return reasons
