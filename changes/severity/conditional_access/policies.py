"""What a Conditional Access policy enforces, and how two versions of it compare. Used by the rules for
Conditional Access and for everything that these policies refer to. A policy is read as sets of tokens along
dimensions (who, which apps, under which conditions) and as one requirement; narrower sets, wider exclusions
or a requirement that more sign-ins satisfy are weaker.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from changes.severity import reference
from changes.severity.conditional_access.requirement import Requirement, requirement_of
from changes.severity.conditional_access.session import session_ranks
from changes.severity.model import Context, Side
from changes.severity.readers import dig, text, word, words
from snapshots.catalog.spec import Document

ALL = "all"
Tokens = frozenset[str]

ANY_GUEST = "user:guestsorexternalusers"
EVERY_GUEST: Tokens = frozenset(
    f"guest:{kind}@*"
    for kind in (
        "internalguest",
        "b2bcollaborationguest",
        "b2bcollaborationmember",
        "b2bdirectconnectuser",
        "otherexternaluser",
        "serviceprovider",
    )
)
"""The old keyword for guests means all kinds of guests, of every tenant."""


class Mode(StrEnum):
    TARGET = "target"
    """An empty list means that the policy reaches nothing."""
    CONDITION = "condition"
    """An empty list means that the policy always applies."""
    EXCLUSION = "exclusion"


@dataclass(frozen=True)
class Dimension:
    """One dimension of a policy's reach: where its values are and what a missing list means."""

    name: str
    label: str
    mode: Mode
    paths: tuple[tuple[str, ...], ...] = ()
    universe: frozenset[str] = frozenset()
    """All possible values: listing all of them is the same as listing none."""


DIMENSIONS = (
    Dimension("users", "people", Mode.TARGET),
    Dimension("excluded users", "people", Mode.EXCLUSION),
    Dimension(
        "applications",
        "applications",
        Mode.TARGET,
        (
            ("applications", "includeApplications"),
            ("applications", "includeUserActions"),
            ("applications", "includeAuthenticationContextClassReferences"),
        ),
    ),
    Dimension(
        "excluded applications",
        "applications",
        Mode.EXCLUSION,
        (("applications", "excludeApplications"),),
    ),
    Dimension(
        "workloads",
        "service principals",
        Mode.TARGET,
        (("clientApplications", "includeServicePrincipals"),),
    ),
    Dimension(
        "excluded workloads",
        "service principals",
        Mode.EXCLUSION,
        (("clientApplications", "excludeServicePrincipals"),),
    ),
    Dimension("locations", "locations", Mode.CONDITION, (("locations", "includeLocations"),)),
    Dimension("excluded locations", "locations", Mode.EXCLUSION, (("locations", "excludeLocations"),)),
    Dimension(
        "platforms",
        "device platforms",
        Mode.CONDITION,
        (("platforms", "includePlatforms"),),
        frozenset({"android", "ios", "windows", "windowsphone", "macos", "linux"}),
    ),
    Dimension("excluded platforms", "device platforms", Mode.EXCLUSION, (("platforms", "excludePlatforms"),)),
    Dimension(
        "client apps",
        "client app types",
        Mode.CONDITION,
        (("clientAppTypes",),),
        frozenset({"browser", "mobileappsanddesktopclients", "exchangeactivesync", "other"}),
    ),
    Dimension("user risk", "user risk levels", Mode.CONDITION, (("userRiskLevels",),)),
    Dimension("sign-in risk", "sign-in risk levels", Mode.CONDITION, (("signInRiskLevels",),)),
    Dimension(
        "workload risk", "service principal risk levels", Mode.CONDITION, (("servicePrincipalRiskLevels",),)
    ),
    Dimension("insider risk", "insider risk levels", Mode.CONDITION, (("insiderRiskLevels",),)),
    Dimension(
        "authentication flows",
        "authentication flows",
        Mode.CONDITION,
        (("authenticationFlows", "transferMethods"),),
    ),
)
FILTERS = (
    ("device filter", ("devices", "deviceFilter")),
    ("application filter", ("applications", "applicationFilter")),
    ("service principal filter", ("clientApplications", "servicePrincipalFilter")),
)
RARE_CONDITIONS = ("user risk", "sign-in risk", "workload risk", "insider risk", "authentication flows")
PARTIAL_CONDITIONS = (*RARE_CONDITIONS, "locations", "platforms")
"""A policy that applies only under one of these conditions is not a baseline for all users."""


@dataclass(frozen=True)
class Policy:
    """One version of a policy, parsed once."""

    name: str
    state: str
    reach: Mapping[str, Tokens]
    filters: Mapping[str, tuple[str, str]]
    requirement: Requirement
    session: Mapping[str, float]

    @property
    def enforced(self) -> bool:
        return self.state == "enabled"

    @property
    def empty(self) -> bool:
        """Whether the policy applies to nothing."""
        reach = self.reach
        people = only_in(reach["users"], reach["excluded users"])
        apps = only_in(reach["applications"], reach["excluded applications"])
        workloads = only_in(reach["workloads"], reach["excluded workloads"])
        cut = ALL in reach["excluded locations"] or ALL in reach["excluded platforms"]
        return cut or not ((people and apps) or workloads)

    @property
    def partial(self) -> bool:
        return any(ALL not in self.reach[name] for name in PARTIAL_CONDITIONS)

    @property
    def privileged_roles(self) -> Tokens:
        return frozenset(
            token for token in self.reach["users"] if token.startswith("role:") and is_privileged(token)
        )


def read_policy(document: Document | None, context: Context, side: Side) -> Policy:
    reach = {
        dimension.name: _tokens(document, dimension) for dimension in DIMENSIONS if dimension.paths
    } | _people(document)
    filters = {
        name: (word(document, "conditions", *path, "mode"), text(document, "conditions", *path, "rule"))
        for name, path in FILTERS
    }
    return Policy(
        name=text(document, "displayName"),
        state=text(document, "state"),
        reach=reach,
        filters=filters,
        requirement=requirement_of(document, context, side),
        session=session_ranks(document),
    )


def _tokens(document: Document | None, dimension: Dimension) -> Tokens:
    found = frozenset(
        token
        for path in dimension.paths
        for token in words(document, "conditions", *path)
        if token not in {"none", "unknownfuturevalue"}
    )
    if dimension.mode is Mode.CONDITION:
        whole = not found or ALL in found or (bool(dimension.universe) and dimension.universe <= found)
        return frozenset({ALL}) if whole else found
    return found


def _people(document: Document | None) -> dict[str, Tokens]:
    return {
        "users": _side_of_people(document, "include"),
        "excluded users": _side_of_people(document, "exclude"),
    }


def _side_of_people(document: Document | None, side: str) -> Tokens:
    found = set[str]()
    for noun, prefix in (("Users", "user:"), ("Groups", "group:"), ("Roles", "role:")):
        for token in words(document, "conditions", "users", f"{side}{noun}"):
            if token == ALL:
                found.add(ALL)
            elif token != "none":
                found.add(prefix + token)
    guests = dig(document, "conditions", "users", f"{side}GuestsOrExternalUsers")
    if isinstance(guests, Mapping):
        found |= _guests(dict(guests))
    return frozenset(found)


def _guests(guests: Document) -> set[str]:
    tenants = words(guests, "externalTenants", "members") or frozenset({"*"})
    return {
        f"guest:{kind}@{tenant}"
        for kind in words(guests, "guestOrExternalUserTypes") - {"none"}
        for tenant in tenants
    }


def covers(tokens: Tokens, token: str) -> bool:
    if ALL in tokens or token in tokens:
        return True
    if token == ANY_GUEST:
        return tokens >= EVERY_GUEST
    if token.startswith("guest:"):
        return ANY_GUEST in tokens or f"{token.split('@')[0]}@*" in tokens
    return False


def only_in(first: Tokens, second: Tokens) -> Tokens:
    """What `first` reaches and `second` does not."""
    return frozenset(token for token in first if not covers(second, token))


@dataclass(frozen=True)
class Move:
    """A difference between two versions in one dimension."""

    dimension: Dimension
    weaker: Tokens
    """Lost reach or added exclusions."""
    stronger: Tokens


def moves(before: Policy, after: Policy) -> list[Move]:
    found = []
    for dimension in DIMENSIONS:
        old, new = before.reach[dimension.name], after.reach[dimension.name]
        lost, gained = only_in(old, new), only_in(new, old)
        if dimension.mode is Mode.EXCLUSION:
            lost, gained = gained, lost
        if lost or gained:
            found.append(Move(dimension, weaker=lost, stronger=gained))
    return found


def replaced_by(policy: Policy, other: Policy) -> bool:
    """Whether `other` alone enforces at least what `policy` enforced for the same people, apps and clients."""
    if not other.enforced or other.empty or other.requirement.weaker_than(policy.requirement):
        return False
    if any(other.filters[name] not in (policy.filters[name], ("", "")) for name in other.filters):
        return False
    if any(other.session.get(name, 0.0) < rank for name, rank in policy.session.items()):
        return False
    return not any(move.weaker for move in moves(policy, other))


def is_privileged(token: str) -> bool:
    return reference.privileged(token.removeprefix("role:"))
