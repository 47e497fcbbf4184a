"""Explains why a change has no attribution, for pages, API and command line."""

from datetime import timedelta

from changes.audit.sources import BY_KEY, UNREAD
from changes.models import AuditCursor, Change
from snapshots.catalog import registry
from snapshots.catalog.spec import AuditLog

LATE = timedelta(minutes=30)
"""Microsoft's records often come 5 to 15 minutes late."""


def reason(change: Change) -> str:
    """The reason why a change has no attribution. Uses the prefetched cursors."""
    log = _log_of(change.resource_type)
    if log in UNREAD:
        return UNREAD[log]
    title = BY_KEY[log].title
    cursors = [each for each in change.tenant.audit_cursors.all() if _covers(each, log, change)]
    if not cursors:
        return f"The {title} has not been read yet."
    if errors := [each.error for each in cursors if each.error]:
        return " ".join(errors)
    if min(each.read_until for each in cursors) < change.detected_at + LATE:
        return (
            f"No event of the {title} matches yet. Microsoft's records are often 5 to 15 minutes late. "
            "Lavawall keeps checking."
        )
    return f"No event of the {title} matches this change."


def _log_of(resource_type: str) -> AuditLog:
    try:
        return registry.get(resource_type).audit_log
    except registry.UnknownResourceType:
        return "directoryAudit"


def _covers(cursor: AuditCursor, log: AuditLog, change: Change) -> bool:
    return cursor.source == log and (
        not cursor.subscription or f"/{cursor.subscription.lower()}/" in f"{change.resource_id.lower()}/"
    )
