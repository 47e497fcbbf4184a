"""Azure from outside: what seeds and tests do to it beside any client, through the same rules and without a trace."""

import json
from typing import Any

from lavawall.emulator.arm.builtin import role_id
from lavawall.emulator.arm.core import GROUPS
from lavawall.emulator.arm.ids import parse, subscription_of
from lavawall.emulator.arm.locks import LOCKS
from lavawall.emulator.arm.model import ArmCall
from lavawall.emulator.arm.rbac import ROLE_ASSIGNMENTS, ROLE_DEFINITIONS
from lavawall.emulator.arm.service import handler_of, type_of
from lavawall.emulator.arm.state import AzureTenant, Resource, Subscription
from lavawall.emulator.cloud import Cloud
from lavawall.emulator.store import Json, Session


class Azure:
    """Adds, takes away and looks at what the subscriptions of the cloud hold."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    def tenant(self, identifier: str) -> AzureTenant:
        """The Azure side of a directory, or of the directory that a resource id's subscription belongs to."""
        found = self._cloud.azure.get(identifier.lower())
        if found is not None:
            return found
        wanted = subscription_of(identifier) or identifier.lower()
        return next(each for each in self._cloud.azure.values() if wanted in each.subscriptions)

    def subscription(self, subscription_id: str) -> Subscription:
        return self.tenant(subscription_id).subscriptions[subscription_id]

    def resource(self, identifier: str) -> Resource | None:
        """What is kept under an id, in whatever letter case."""
        return self.tenant(identifier).get(identifier)

    def add_subscription(self, directory_id: str, subscription_id: str, name: str) -> Subscription:
        subscription = Subscription(subscription_id, name)
        self.tenant(directory_id).subscriptions[subscription_id] = subscription
        return subscription

    def add_group(
        self, subscription_id: str, name: str, location: str, tags: dict[str, str] | None = None
    ) -> str:
        """A resource group; its id."""
        identifier = f"/subscriptions/{subscription_id}/resourceGroups/{name}"
        body: Json = {"location": location, "tags": tags or {}, "properties": {}}
        self.tenant(subscription_id).put(Resource(identifier, GROUPS, body))
        return identifier

    def put(self, identifier: str, body: Json, session: Session | None = None, directory_id: str = "") -> str:
        """Creates or replaces a resource as a PUT does; an ArmError tells why the rules refuse it."""
        self._send("PUT", identifier, body, session, directory_id)
        return identifier

    def delete(self, identifier: str) -> None:
        """Takes a resource away as a DELETE does, whatever locks say."""
        self._send("DELETE", identifier, None, None, "")

    def _send(
        self, method: str, identifier: str, body: Any, session: Session | None, directory_id: str
    ) -> None:
        azure, target = self.tenant(directory_id or identifier), parse(identifier)
        kind, verb, target = type_of(method, target)
        call = ArmCall(
            method=method,
            origin="",
            path=identifier,
            kind=kind,
            target=target,
            cloud=self._cloud,
            azure=azure,
            session=session or self._cloud.session(azure.directory),
            content=json.dumps(body).encode(),
        )
        with azure.directory.lock:
            handler_of(kind, verb, target)(call)

    def assign(
        self,
        scope: str,
        role: str,
        principal_id: str,
        *,
        name: str = "",
        directory_id: str = "",
        session: Session | None = None,
        **more: Any,
    ) -> str:
        """Assigns a role, built-in by its name or custom by its guid; the id of the assignment."""
        guid = role if _is_guid(role) else role_id(role)
        subscription_id = subscription_of(scope)
        position = f"/subscriptions/{subscription_id}" if subscription_id else ""
        properties = {
            "principalId": principal_id,
            "roleDefinitionId": f"{position}/providers/{ROLE_DEFINITIONS}/{guid}",
            **more,
        }
        name = name or self._cloud.randomness.guid()
        identifier = f"{scope.rstrip('/')}/providers/{ROLE_ASSIGNMENTS}/{name}"
        return self.put(identifier, {"properties": properties}, session, directory_id)

    def lock(self, scope: str, level: str, name: str = "lock") -> str:
        """CanNotDelete or ReadOnly at a scope; the id of the lock, to be deleted later."""
        return self.put(f"{scope}/providers/{LOCKS}/{name}", {"properties": {"level": level}})

    def append_tags(self, subscription_id: str, tags: dict[str, str]) -> None:
        """A policy that appends these tags to whatever is written from now on; none switches it off."""
        self.subscription(subscription_id).appended_tags = dict(tags)

    def bind(self, group_id: str, place_id: str) -> None:
        """Binds a network security group to a subnet or network interface."""
        self._known(group_id).bound.add(place_id)

    def unbind(self, group_id: str) -> None:
        self._known(group_id).bound.clear()

    def _known(self, identifier: str) -> Resource:
        found = self.resource(identifier)
        if found is None:
            raise LookupError(f"There is no resource {identifier}.")
        return found


def _is_guid(text: str) -> bool:
    return len(text) == 36 and text.count("-") == 4
