"""Declares Microsoft's audit logs and reads a time window of one of them. Used by attribution; only reads.
Sources: Microsoft Graph reference (directoryAudit, signIn, customSecurityAttributeAudit, Intune's auditEvent)
and Azure Monitor's REST reference (activity logs), which lists the filters that these logs support.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from tenants.microsoft.client import GraphClient


@dataclass(frozen=True)
class Log:
    """An audit log: where it is read and how it is filtered by time."""

    path: str
    """May contain `{subscription}`."""
    time: str
    """The property by which the log is filtered."""
    service: str = "audit"
    params: Mapping[str, str] = field(default_factory=dict)
    quote: str = ""
    """The characters around a time in a filter."""


DIRECTORY_AUDITS = Log(
    "/v1.0/auditLogs/directoryAudits", "activityDateTime", params={"$orderby": "activityDateTime"}
)
SIGN_INS = Log("/v1.0/auditLogs/signIns", "createdDateTime", params={"$orderby": "createdDateTime"})
ATTRIBUTE_AUDITS = Log("/v1.0/auditLogs/customSecurityAttributeAudits", "activityDateTime")
INTUNE_AUDITS = Log("/v1.0/deviceManagement/auditEvents", "activityDateTime", service="intune")
AZURE_ACTIVITY = Log(
    "/subscriptions/{subscription}/providers/Microsoft.Insights/eventtypes/management/values",
    "eventTimestamp",
    service="arm",
    params={"api-version": "2015-04-01"},
    quote="'",
)


def read(
    client: GraphClient, log: Log, since: datetime, until: datetime, *, subscription: str = ""
) -> Iterator[dict[str, Any]]:
    """The records from `since` to `until`, in the log's own order."""
    params = {**log.params, "$filter": _window(log, since, until)}
    yield from client.items(log.path.format(subscription=subscription), params=params, service=log.service)


def _window(log: Log, since: datetime, until: datetime) -> str:
    """Whole milliseconds, rounded outwards, so that an event on the boundary is read twice rather than never."""
    end = until + timedelta(microseconds=-until.microsecond % 1000)
    first, last = (f"{log.quote}{_instant(each)}{log.quote}" for each in (since, end))
    return f"{log.time} ge {first} and {log.time} le {last}"


def _instant(moment: datetime) -> str:
    if moment.tzinfo is None:
        raise ValueError("Audit logs need times with a time zone. Add one, such as UTC.")
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
