"""The permission matrix: which role may do what. Pure data; guardian grants are derived from it."""

from enum import StrEnum


class Action(StrEnum):
    """An action that a role allows on a scope (the whole MSP, a customer or a tenant)."""

    VIEW = "view_configuration"
    TAKE_SNAPSHOT = "take_snapshot"
    TRIAGE = "triage_changes"
    EXPORT = "export_data"
    REQUEST_ROLLBACK = "request_rollback"
    APPROVE_ROLLBACK = "approve_rollback"
    EXECUTE_ROLLBACK = "execute_rollback"
    MANAGE = "manage_tenants"
    BIND_ROLES = "bind_roles"
    VIEW_LEDGER = "view_ledger"


LABELS: dict[Action, str] = {
    Action.VIEW: "Can see snapshots, changes and rollbacks",
    Action.TAKE_SNAPSHOT: "Can take snapshots",
    Action.TRIAGE: "Can acknowledge changes",
    Action.EXPORT: "Can export snapshots",
    Action.REQUEST_ROLLBACK: "Can request rollbacks",
    Action.APPROVE_ROLLBACK: "Can approve or reject rollbacks of others",
    Action.EXECUTE_ROLLBACK: "Can execute approved rollbacks",
    Action.MANAGE: "Can onboard tenants and hold their credentials",
    Action.BIND_ROLES: "Can bind roles to people",
    Action.VIEW_LEDGER: "Can read the ledger",
}


class Role(StrEnum):
    ENGINEER = "engineer"
    APPROVER = "approver"
    ADMINISTRATOR = "administrator"
    AUDITOR = "auditor"
    PORTAL = "portal"
    PORTAL_APPROVER = "portal_approver"


ROLES: dict[Role, frozenset[Action]] = {
    Role.ENGINEER: frozenset(
        {
            Action.VIEW,
            Action.TAKE_SNAPSHOT,
            Action.TRIAGE,
            Action.EXPORT,
            Action.REQUEST_ROLLBACK,
            Action.EXECUTE_ROLLBACK,
        }
    ),
    Role.APPROVER: frozenset({Action.VIEW, Action.APPROVE_ROLLBACK}),
    Role.ADMINISTRATOR: frozenset(
        {Action.VIEW, Action.TAKE_SNAPSHOT, Action.MANAGE, Action.BIND_ROLES, Action.VIEW_LEDGER}
    ),
    Role.AUDITOR: frozenset({Action.VIEW, Action.EXPORT, Action.VIEW_LEDGER}),
    Role.PORTAL: frozenset({Action.VIEW}),
    Role.PORTAL_APPROVER: frozenset({Action.VIEW, Action.APPROVE_ROLLBACK}),
}

STAFF_ROLES = frozenset({Role.ENGINEER, Role.APPROVER, Role.ADMINISTRATOR, Role.AUDITOR})
"""Roles of the MSP's staff, who can use the admin. Portal roles belong to API clients."""


class TokenScope(StrEnum):
    READ = "read"
    REQUEST = "request"
    APPROVE = "approve"


TOKEN_SCOPES: dict[TokenScope, frozenset[Action]] = {
    TokenScope.READ: frozenset({Action.VIEW, Action.EXPORT, Action.VIEW_LEDGER}),
    TokenScope.REQUEST: frozenset(
        {Action.TAKE_SNAPSHOT, Action.TRIAGE, Action.REQUEST_ROLLBACK, Action.EXECUTE_ROLLBACK}
    ),
    TokenScope.APPROVE: frozenset({Action.APPROVE_ROLLBACK}),
}
"""The scopes of API tokens. A token never allows more than its user may do, and never managing or role
binding.
"""

PERMISSIONS: tuple[tuple[str, str], ...] = tuple((action.value, LABELS[action]) for action in Action)
"""For the Meta of Customer and Tenant: guardian grants live on both."""
