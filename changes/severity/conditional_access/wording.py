"""Wording for rules: whom a Conditional Access policy reaches and what its loss means."""

from changes.severity import reference
from changes.severity.conditional_access.policies import ALL, ANY_GUEST, Policy, Tokens, is_privileged
from changes.severity.model import Context
from changes.severity.readers import counted, listed
from changes.severity.surroundings import app_name, display_name, principal, role_of

FEW = 2
_GUESTS = "guests and external users"


def audience(policy: Policy, context: Context) -> str:
    """`14 administrator roles`, `all users`, `guests and Finance`…"""
    users = policy.reach["users"]
    if ALL in users:
        people = "all users"
    elif policy.reach["workloads"] and not users:
        people = counted(len(policy.reach["workloads"]), "service principal")
    else:
        people = _people(users, context)
    return people + _applications(policy.reach["applications"], context)


def _people(users: Tokens, context: Context) -> str:
    roles = frozenset(token for token in users if token.startswith("role:"))
    parts = []
    if len(roles) > FEW:
        noun = "administrator role" if any(is_privileged(token) for token in roles) else "role"
        parts.append(counted(len(roles), noun))
        users -= roles
    if users:
        parts.append(token_names(users, context))
    return " and ".join(parts) or "nobody"


def _applications(applications: Tokens, context: Context) -> str:
    if not applications or ALL in applications:
        return ""
    return f" in {token_names(applications, context)}"


def loss(policy: Policy, context: Context) -> str:
    """`Multi-factor authentication is no longer required for 14 administrator roles`."""
    who = audience(policy, context)
    requirement = policy.requirement
    if requirement.blocks:
        return f"Access is no longer blocked for {who}"
    if requirement.multi_factor:
        return f"Multi-factor authentication is no longer required for {who}"
    if requirement.admits_everybody:
        return f"Session limits no longer apply to {who}"
    what = requirement.describe()
    return f"{what[0].upper()}{what[1:]} is no longer required for {who}"


def token_names(tokens: Tokens, context: Context, everything: str = "everything") -> str:
    return listed(everything if token == ALL else _name(token, context) for token in tokens)


def _name(token: str, context: Context) -> str:
    kind, _, key = token.partition(":")
    if kind == "guest" or token == ANY_GUEST:
        return _GUESTS
    if kind == "role":
        role = role_of(context, key)
        return f"role {role.name if role else key}"
    if kind == "group":
        return f"group {display_name(context, 'group', key)}"
    if kind == "user":
        return principal(context, key).name
    if token == "alltrusted":
        return "all trusted locations"
    location = display_name(context, "namedLocation", token)
    return (
        location if location != token else reference.SENSITIVE_TARGETS.get(token) or app_name(context, token)
    )
