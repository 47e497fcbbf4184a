"""Resource ids of Azure: paths that compare without regard to letter case, and what each of their parts names."""

import re
from dataclasses import dataclass

CORE = "Microsoft.Resources"
_PROVIDER = re.compile(r"(?P<scope>.*)/providers/(?P<namespace>[^/]+)/(?P<rest>.+)", re.IGNORECASE)
_SUBSCRIPTION = re.compile(r"/subscriptions/([^/]+)", re.IGNORECASE)
_GROUP = re.compile(r"/subscriptions/[^/]+/resourcegroups/([^/]+)", re.IGNORECASE)


@dataclass(frozen=True)
class Target:
    """What a path names. `names` is one shorter than `types` where it ends in a collection or an action."""

    id: str
    scope: str
    namespace: str
    types: tuple[str, ...]
    names: tuple[str, ...]

    @property
    def is_collection(self) -> bool:
        return len(self.types) > len(self.names)

    @property
    def name(self) -> str:
        return self.names[-1]

    @property
    def type(self) -> str:
        return "/".join((self.namespace, *self.types))

    @property
    def parent_id(self) -> str:
        """The resource that a child lies in; the scope for what lies in no other resource."""
        steps = 2 - self.is_collection
        return self.id.rsplit("/", steps)[0] if len(self.types) > 1 else self.scope


def parse(path: str) -> Target:
    """Splits a path at its last provider; what lies above all providers belongs to the core namespace."""
    identifier = "/" + path.strip("/")
    found = _PROVIDER.fullmatch(identifier)
    if found is not None:
        scope, namespace, rest = found["scope"], found["namespace"], found["rest"].split("/")
    else:
        rest = identifier.strip("/").split("/")
        namespace, scope = CORE, identifier.rsplit("/", 2 - len(rest) % 2)[0]
    return Target(identifier, scope, namespace, tuple(rest[::2]), tuple(rest[1::2]))


def key(identifier: str) -> str:
    """The form in which ids compare; the root of a tenant is empty."""
    return identifier.strip("/").lower()


def covers(scope: str, identifier: str) -> bool:
    """Whether an id lies at or below a scope."""
    above = key(scope)
    return not above or f"{key(identifier)}/".startswith(f"{above}/")


def subscription_of(identifier: str) -> str:
    """The subscription's id in lower case, empty above all subscriptions."""
    found = _SUBSCRIPTION.match("/" + identifier.strip("/"))
    return found[1].lower() if found else ""


def group_of(identifier: str) -> str:
    """The name of the resource group, empty above all groups."""
    found = _GROUP.match("/" + identifier.strip("/"))
    return found[1] if found else ""


def last_segment(identifier: str) -> str:
    return identifier.rstrip("/").rsplit("/", 1)[-1]
