"""Why nobody is named for a change: told by pages, API and command line, from the declarations and what was read."""

from datetime import timedelta

from changes.audit.sources import BY_KEY, UNREAD
from changes.models import AuditCursor, Change
from snapshots.catalog import registry
from snapshots.catalog.spec import AuditLog

LATE = timedelta(minutes=30)
"""Microsoft's records often come 5 to 15 minutes late."""


def reason(change: Change) -> str:
    """In words, for a change without attribution. Uses the cursors that selectors prefetched."""
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
            f"No event of the {title} is matched yet. Microsoft's records often come 5 to 15 minutes late; "
            "Lavawall keeps looking."
        )
    return f"No event of the {title} names it."


def _log_of(resource_type: str) -> AuditLog:
    try:
        return registry.get(resource_type).audit_log
    except registry.UnknownResourceType:
        return "directoryAudit"


def _covers(cursor: AuditCursor, log: AuditLog, change: Change) -> bool:
    return cursor.source == log and (
        not cursor.subscription or f"/{cursor.subscription.lower()}/" in f"{change.resource_id.lower()}/"
    )
