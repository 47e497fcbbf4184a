"""The names used by a collection: objects just read, carried-over objects, and principals."""

from collections.abc import Mapping
from functools import cached_property

from snapshots.models import Principal, Version
from tenants.models import Tenant

Key = tuple[str, str]


class CollectedNames:
    """`states`: (type, ID) → (digest, name) as just read; `known`: the previous current versions;
    `app_roles`: ID of a service principal → names of its roles by ID.
    """

    def __init__(
        self,
        tenant: Tenant,
        states: Mapping[Key, tuple[str, str]],
        known: Mapping[Key, Version],
        app_roles: Mapping[str, Mapping[str, str]],
    ) -> None:
        self._tenant, self._states, self._known, self._app_roles = tenant, states, known, app_roles

    def name(self, identifier: str) -> str:
        wanted = identifier.casefold()
        if wanted == str(self._tenant.directory_id):
            return self._tenant.name
        return self._called.get(wanted) or self._principals.get(wanted) or identifier

    def app_role(self, resource_id: str, role_id: str) -> str:
        return self._app_roles.get(resource_id, {}).get(role_id.casefold(), "")

    @cached_property
    def _called(self) -> dict[str, str]:
        """By ID. References to Azure roles use only the last part of the ID."""
        found: dict[str, str] = {}
        for key, (_, name) in self._states.items():
            found[_mentioned_as(key)] = name
        for key, version in self._known.items():
            if key not in self._states or self._states[key][0] == version.digest:
                found[_mentioned_as(key)] = version.display_name
        return found

    @cached_property
    def _principals(self) -> dict[str, str]:
        rows = Principal.objects.filter(tenant=self._tenant).values_list(
            "object_id", "display_name", "user_principal_name"
        )
        return {object_id: display_name or upn for object_id, display_name, upn in rows}


def _mentioned_as(key: Key) -> str:
    resource_type, resource_id = key
    if resource_type == "azureRoleDefinition":
        resource_id = resource_id.rpartition("/")[2]
    return resource_id.casefold()
