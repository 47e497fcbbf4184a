"""Subscriptions, resource groups, and the plain list of everything in them."""

import re

from lavawall.emulator.arm import resources
from lavawall.emulator.arm.errors import bad_request, not_found
from lavawall.emulator.arm.ids import group_of
from lavawall.emulator.arm.model import ArmCall, ArmType
from lavawall.emulator.arm.rbac import is_allowed
from lavawall.emulator.arm.spelling import respelling
from lavawall.emulator.arm.state import Resource, Subscription
from lavawall.emulator.requests import Answer
from lavawall.emulator.store import Json

SUBSCRIPTIONS = "Microsoft.Resources/subscriptions"
GROUPS = f"{SUBSCRIPTIONS}/resourceGroups"
VERSIONS = (
    "2014-04-01",
    "2015-11-01",
    "2016-06-01",
    "2019-06-01",
    "2019-10-01",
    "2020-01-01",
    "2020-06-01",
    "2020-10-01",
    "2021-01-01",
    "2021-04-01",
    "2022-09-01",
    "2022-12-01",
    "2024-03-01",
    "2024-11-01",
)
TYPE_FILTER = re.compile(r"\s*resourceType\s+eq\s+'([^']+)'\s*", re.IGNORECASE)


def _subscription_body(call: ArmCall, subscription: Subscription) -> Json:
    body = {
        "id": f"/subscriptions/{subscription.subscription_id}",
        "subscriptionId": subscription.subscription_id,
        "tenantId": call.azure.directory.directory_id,
        "displayName": subscription.name,
        "state": "Enabled",
        "subscriptionPolicies": {"locationPlacementId": "Public_2014-09-01", "spendingLimit": "Off"},
        "authorizationSource": "RoleBased",
        "managedByTenants": [],
    }
    return respelling(call.session, body)


def list_subscriptions(call: ArmCall) -> Answer:
    """Those that the caller may read."""
    caller = call.session.caller.object_id
    found = [
        each
        for each in call.azure.subscriptions.values()
        if is_allowed(call.azure, caller, f"{SUBSCRIPTIONS}/read", f"/subscriptions/{each.subscription_id}")
    ]
    return resources.paged(call, lambda: found, lambda each: _subscription_body(call, each))


def get_subscription(call: ArmCall) -> Answer:
    return Answer(200, _subscription_body(call, call.subscription))


def get_group(call: ArmCall) -> Answer:
    found = call.azure.get(call.target.id)
    if found is None:
        raise not_found(f"Resource group '{call.target.name}' could not be found.", "ResourceGroupNotFound")
    return Answer(200, resources.read(call, found))


def complete_group(_: ArmCall, __: Resource, body: Json) -> None:
    body["type"] = "Microsoft.Resources/resourceGroups"
    body["properties"] = {"provisioningState": "Succeeded"}


def list_resources(call: ArmCall) -> Answer:
    """What is tracked below the scope, without properties; the filter is by type."""
    text = call.query.get("$filter", "")
    found = TYPE_FILTER.fullmatch(text)
    if text and found is None:
        raise bad_request(f"The filter '{text}' is not supported.", "InvalidFilterInQueryString")
    if group_of(call.target.id):
        resources.require_place(call)
    every = [
        each
        for each in call.azure.all(found[1] if found else "", call.target.scope)
        if "location" in each.body and each.type != GROUPS
    ]

    def show(each: Resource) -> Json:
        body = {"id": each.id, "name": each.name, "type": each.type}
        return respelling(call.session, body | {name: each.body[name] for name in ("location", "tags")})

    return resources.paged(call, lambda: every, show)


TYPES = (
    ArmType(
        name=SUBSCRIPTIONS,
        versions=VERSIONS,
        handlers={"list": list_subscriptions, "get": get_subscription},
        open_at_root=True,
    ),
    ArmType(
        name=GROUPS,
        versions=VERSIONS,
        handlers={"list": resources.list_below, "get": get_group},
        is_tracked=True,
        complete=complete_group,
    ),
    ArmType(name=f"{SUBSCRIPTIONS}/resources", versions=VERSIONS, handlers={"list": list_resources}),
    ArmType(name=f"{GROUPS}/resources", versions=VERSIONS, handlers={"list": list_resources}),
)
