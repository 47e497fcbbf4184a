"""Reads Microsoft's audit and sign-in logs of a window of time. Used by attribution; only reads."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from tenants.microsoft.client import GraphClient

DIRECTORY_AUDITS = "/v1.0/auditLogs/directoryAudits"
SIGN_INS = "/v1.0/auditLogs/signIns"


def iter_directory_audits(client: GraphClient, since: datetime, until: datetime) -> Iterator[dict[str, Any]]:
    """Directory audit events from `since` to `until`, oldest first."""
    params = {"$filter": _window("activityDateTime", since, until), "$orderby": "activityDateTime"}
    yield from client.items(DIRECTORY_AUDITS, params=params, service="audit")


def iter_sign_ins(
    client: GraphClient, since: datetime, until: datetime, *, user_id: str = ""
) -> Iterator[dict[str, Any]]:
    """Interactive sign-ins from `since` to `until`, of one user if given. Needs a premium licence."""
    condition = _window("createdDateTime", since, until)
    if user_id:
        condition = f"userId eq {odata_text(user_id)} and {condition}"
    params = {"$filter": condition, "$orderby": "createdDateTime"}
    yield from client.items(SIGN_INS, params=params, service="audit")


def odata_text(text: str) -> str:
    """A string literal for $filter: a quote inside is doubled, so that no text can end the literal."""
    return "'" + text.replace("'", "''") + "'"


def _window(name: str, since: datetime, until: datetime) -> str:
    """Whole milliseconds, widened outwards: an event on the edge is read twice rather than never."""
    end = until + timedelta(microseconds=-until.microsecond % 1000)
    return f"{name} ge {_instant(since)} and {name} le {_instant(end)}"


def _instant(moment: datetime) -> str:
    if moment.tzinfo is None:
        raise ValueError("Audit logs are read by aware times. Give the time zone, such as UTC.")
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
