"""Every operation of the API with who may use it: the table that the access tests walk through."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from django.urls import URLPattern, URLResolver

from lavawall.api.urls import urlpatterns
from tenants.access.matrix import Role
from tests.api.conftest import Side

READERS = frozenset(Role)
"""Every role may read."""

BY_NO_TOKEN = 403
"""Administrators do it in a session: no scope lets a token confirm."""
NOT_CONNECTED = NOT_APPROVED = 409
"""Permitted, and then refused by the state that the table's tenant or rollback is in; test_rollbacks goes further."""


@dataclass(frozen=True)
class Operation:
    """`path` and `body` are made for a side; `refused` see the object but may not do this."""

    route: str
    method: str
    path: Callable[[Side], str]
    allowed: Role = Role.ENGINEER
    refused: frozenset[Role] = frozenset()
    status: int = 200
    body: Callable[[Side], dict[str, Any]] = field(default=lambda _side: {})
    lists: bool = False
    """It lists: a foreign tenant's rows are left out instead of refused."""

    def __str__(self) -> str:
        return f"{self.method} {self.route}"


OPERATIONS = (
    Operation("tenant-list", "get", lambda _side: "tenants/", lists=True),
    Operation("tenant-detail", "get", lambda side: f"tenants/{side.tenant.pk}/"),
    Operation("snapshot-list", "get", lambda side: f"snapshots/?tenant={side.tenant.pk}", lists=True),
    Operation(
        "snapshot-list",
        "post",
        lambda _side: "snapshots/",
        refused=frozenset({Role.APPROVER, Role.AUDITOR, Role.PORTAL, Role.PORTAL_APPROVER}),
        status=202,
        body=lambda side: {"tenant": side.tenant.name},
    ),
    Operation("snapshot-detail", "get", lambda side: f"snapshots/{side.change.snapshot_id}/"),
    Operation("snapshot-resources", "get", lambda side: f"snapshots/{side.change.snapshot_id}/resources/"),
    Operation(
        "snapshot-compare",
        "get",
        lambda side: (
            f"snapshots/compare/?base={side.change.previous_snapshot_id}&target={side.change.snapshot_id}"
        ),
    ),
    Operation(
        "resource-history-list",
        "get",
        lambda side: (
            f"resources/{side.change.resource_type}/{side.change.resource_id}/history/?tenant={side.tenant.pk}"
        ),
    ),
    Operation("change-list", "get", lambda side: f"changes/?tenant={side.tenant.name}", lists=True),
    Operation("change-detail", "get", lambda side: f"changes/{side.change.pk}/"),
    Operation(
        "change-acknowledge",
        "post",
        lambda side: f"changes/{side.change.pk}/acknowledge/",
        refused=READERS - {Role.ENGINEER},
        status=201,
        body=lambda _side: {"note": "seen"},
    ),
    Operation("audit-event-list", "get", lambda side: f"audit-events/?tenant={side.tenant.pk}", lists=True),
    Operation("audit-event-detail", "get", lambda side: f"audit-events/{side.event.pk}/"),
    Operation("audit-event-record", "get", lambda side: f"audit-events/{side.event.pk}/record/"),
    Operation(
        "ledger-list",
        "get",
        lambda side: f"ledger/?tenant={side.tenant.pk}",
        allowed=Role.AUDITOR,
        refused=frozenset({Role.ENGINEER, Role.APPROVER, Role.PORTAL, Role.PORTAL_APPROVER}),
        lists=True,
    ),
    Operation(
        "control-act-list",
        "get",
        lambda side: f"control-acts/?tenant={side.tenant.pk}",
        allowed=Role.AUDITOR,
        refused=frozenset({Role.ENGINEER, Role.APPROVER, Role.PORTAL, Role.PORTAL_APPROVER}),
        lists=True,
    ),
    Operation(
        "control-act-confirm",
        "post",
        lambda side: f"control-acts/{side.act.number}/confirm/",
        allowed=Role.ADMINISTRATOR,
        refused=READERS - {Role.ADMINISTRATOR},
        status=BY_NO_TOKEN,
    ),
    Operation("coverage-list", "get", lambda side: f"coverage/?tenant={side.tenant.pk}"),
    Operation("recoverability-list", "get", lambda side: f"recoverability/?tenant={side.tenant.pk}"),
    Operation("run-detail", "get", lambda side: f"runs/{side.run.pk}/"),
    Operation("rollback-list", "get", lambda side: f"rollbacks/?tenant={side.tenant.pk}", lists=True),
    Operation(
        "rollback-list",
        "post",
        lambda _side: "rollbacks/",
        refused=READERS - {Role.ENGINEER},
        status=NOT_CONNECTED,
        body=lambda side: {"tenant": side.tenant.pk, "changes": [side.change.pk], "reason": "attack"},
    ),
    Operation("rollback-detail", "get", lambda side: f"rollbacks/{side.rollback.pk}/"),
    Operation("rollback-steps", "get", lambda side: f"rollbacks/{side.rollback.pk}/steps/"),
    Operation(
        "rollback-dry-run",
        "post",
        lambda side: f"rollbacks/{side.rollback.pk}/dry-run/",
        refused=READERS - {Role.ENGINEER},
        status=NOT_CONNECTED,
    ),
    Operation(
        "rollback-approve",
        "post",
        lambda side: f"rollbacks/{side.rollback.pk}/approve/",
        allowed=Role.APPROVER,
        refused=READERS - {Role.APPROVER, Role.PORTAL_APPROVER},
        body=lambda side: {"digest": side.rollback.plan.digest if side.rollback.plan else ""},
    ),
    Operation(
        "rollback-reject",
        "post",
        lambda side: f"rollbacks/{side.rollback.pk}/reject/",
        allowed=Role.APPROVER,
        refused=READERS - {Role.APPROVER, Role.PORTAL_APPROVER},
        body=lambda side: {
            "digest": side.rollback.plan.digest if side.rollback.plan else "",
            "reason": "not now",
        },
    ),
    Operation(
        "rollback-execute",
        "post",
        lambda side: f"rollbacks/{side.rollback.pk}/execute/",
        refused=READERS - {Role.ENGINEER},
        status=NOT_APPROVED,
    ),
    Operation(
        "rollback-cancel",
        "post",
        lambda side: f"rollbacks/{side.rollback.pk}/cancel/",
        refused=READERS - {Role.ENGINEER},
    ),
)

DOCUMENTATION = {"schema", "api-docs", "api-unknown"}


def served() -> set[tuple[str, str]]:
    """Every (route, method) that the API really serves."""
    return set(_served(urlpatterns))


def _served(patterns: Any) -> Iterator[tuple[str, str]]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from _served(pattern.url_patterns)
        elif isinstance(pattern, URLPattern) and pattern.name not in DOCUMENTATION:
            for method in set(getattr(pattern.callback, "actions", ())) - {"head"}:
                yield pattern.name or str(pattern.pattern), method
