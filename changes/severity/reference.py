"""Published facts used by rules, read once from the tables next to this module (data/*.json). The tables are
created by tools/derive_privileged.py; each names its public sources.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from types import MappingProxyType
from typing import Any, TypeVar

from changes.severity.model import Severity

Value = TypeVar("Value")

GRAPH = "00000003-0000-0000-c000-000000000000"


@dataclass(frozen=True)
class Role:
    name: str
    severity: Severity
    """Severity of a permanent assignment."""
    direct: bool
    """Gives direct control of the tenant."""


@dataclass(frozen=True)
class AppPermission:
    name: str
    severity: Severity
    data: bool
    """Gives mass access to data rather than control."""


@dataclass(frozen=True)
class AzureRole:
    name: str
    broad: Severity
    """At a subscription or above."""
    narrow: Severity


def _table(name: str) -> dict[str, Any]:
    source = resources.files("changes.severity") / "data" / f"{name}.json"
    table: dict[str, Any] = json.loads(source.read_text(encoding="utf-8"))
    return table


def _folded(table: Mapping[str, Value]) -> Mapping[str, Value]:
    return MappingProxyType({key.casefold(): value for key, value in table.items()})


_PERMISSIONS = _table("permissions")
_AUTHENTICATION = _table("authentication")
_TARGETS = _table("targets")
_AZURE = _table("azure")

ROLES: Mapping[str, Role] = _folded(
    {
        key: Role(row["name"], Severity(row["severity"]), row["direct"])
        for key, row in _table("roles")["roles"].items()
    }
)
APP_PERMISSIONS: Mapping[str, Mapping[str, AppPermission]] = _folded(
    {
        resource: _folded(
            {
                key: AppPermission(row["name"], Severity(row["severity"]), row["data"])
                for key, row in table.items()
            }
        )
        for resource, table in _PERMISSIONS["resources"].items()
    }
)
SCOPES: Mapping[str, Severity] = _folded(
    {name: Severity(value) for name, value in _table("scopes")["when_for_all_users"].items()}
)
WEAK_METHODS = frozenset(name.casefold() for name in _AUTHENTICATION["weak_methods"])
STRONG_METHODS = frozenset(name.casefold() for name in _AUTHENTICATION["strong_methods"])
RANK_NAMES: Mapping[int, str] = {int(rank): name for rank, name in _AUTHENTICATION["rank_names"].items()}
BUILT_IN_STRENGTHS: Mapping[str, tuple[str, int]] = _folded(
    {key: (row["name"], row["rank"]) for key, row in _AUTHENTICATION["strengths"].items()}
)
SENSITIVE_TARGETS: Mapping[str, str] = _folded(_TARGETS["sensitive"])
CONTROL_RANKS: Mapping[str, int] = _folded(_TARGETS["controls"])
SYNCHRONISATION_ROLES: Mapping[str, str] = _folded(_TARGETS["synchronisation_roles"])
AZURE_ROLES: Mapping[str, AzureRole] = _folded(
    {
        key: AzureRole(row["name"], Severity(row["broad"]), Severity(row["narrow"]))
        for key, row in _AZURE["roles"].items()
    }
)
MANAGEMENT_PORTS: frozenset[int] = frozenset(_AZURE["management_ports"])
ANY_SOURCE = frozenset(name.casefold() for name in _AZURE["any_source"])

_MODE_RANKS: Mapping[frozenset[str], int] = {
    frozenset(mode.casefold().split(",")): rank for mode, rank in _AUTHENTICATION["mode_ranks"].items()
}


def modes_of(combination: str) -> frozenset[str]:
    """`"password, sms"` is itself a set of modes."""
    return frozenset(mode.strip().casefold() for mode in combination.split(",") if mode.strip())


def combination_rank(combination: str) -> int:
    """The rank of one allowed combination; an unknown pair counts as its strongest known part."""
    modes = modes_of(combination)
    if modes in _MODE_RANKS:
        return _MODE_RANKS[modes]
    known = [rank for part, rank in _MODE_RANKS.items() if part <= modes]
    return max(known, default=1)


def privileged(role_id: str) -> bool:
    role = ROLES.get(role_id.casefold())
    return role is not None and role.severity >= Severity.HIGH
