"""How requests to PIM spell times and actions, and when their schedules begin and end."""

import re
from datetime import datetime, timedelta
from typing import Any

from lavawall.emulator.errors import bad_request
from lavawall.emulator.filters import parse_date
from lavawall.emulator.store import Json, Record, Session

DURATION = re.compile(
    r"^P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)(?:\.\d+)?S)?)?$"
)
UNITS = (
    timedelta(days=365),
    timedelta(days=30),
    timedelta(weeks=1),
    timedelta(days=1),
    timedelta(hours=1),
    timedelta(minutes=1),
    timedelta(seconds=1),
)


def duration(text: str) -> timedelta:
    """An ISO 8601 duration, a year taken as 365 days and a month as 30."""
    found = DURATION.match(text)
    if found is None:
        raise bad_request(f"'{text}' is not a duration.", "InvalidScheduleInfo")
    return sum(
        (int(count or 0) * unit for count, unit in zip(found.groups(), UNITS, strict=True)), timedelta()
    )


def formatted(body: Any) -> Any:
    """The body with enumerations as the schema spells them; PIM also takes them with a capital letter."""
    if not isinstance(body, dict):
        return body
    sent = dict(body)
    if isinstance(sent.get("action"), str):
        sent["action"] = sent["action"][:1].lower() + sent["action"][1:]
    info = sent.get("scheduleInfo")
    expiration = info.get("expiration") if isinstance(info, dict) else None
    if isinstance(info, dict) and isinstance(expiration, dict) and isinstance(expiration.get("type"), str):
        kind = expiration["type"][:1].lower() + expiration["type"][1:]
        sent["scheduleInfo"] = {**info, "expiration": {**expiration, "type": kind}}
    return sent


def window(session: Session, info: Json | None) -> tuple[datetime, datetime | None]:
    """When a schedule begins, never before now, and when it ends."""
    info = info or {}
    asked = info.get("startDateTime")
    start = max(parse_date(asked), session.now) if asked else session.now
    expiration = info.get("expiration") or {}
    match expiration:
        case {"type": "noExpiration"}:
            return start, None
        case {"type": "afterDateTime", "endDateTime": str(text)}:
            end = parse_date(text)
        case {"type": "afterDuration", "duration": str(text)}:
            end = start + duration(text)
        case _:
            raise bad_request("scheduleInfo/expiration is missing or incomplete.", "InvalidScheduleInfo")
    if end <= start:
        raise bad_request("The schedule ends before it begins.", "InvalidScheduleInfo")
    return start, end


def start_of(schedule: Record) -> datetime:
    return parse_date(schedule.body["scheduleInfo"]["startDateTime"])


def end_of(schedule: Record) -> datetime | None:
    expiration = schedule.body["scheduleInfo"]["expiration"]
    if expiration["type"] == "afterDuration":
        return start_of(schedule) + duration(expiration["duration"])
    return parse_date(expiration["endDateTime"]) if expiration["type"] == "afterDateTime" else None
