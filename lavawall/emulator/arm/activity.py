"""The activity log of a subscription: an event for every write, and the few shapes in which it can be asked for."""

import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any

from lavawall.emulator.arm import resources
from lavawall.emulator.arm.errors import bad_request
from lavawall.emulator.arm.ids import group_of, key
from lavawall.emulator.arm.model import ArmCall, ArmType
from lavawall.emulator.arm.spelling import respelling
from lavawall.emulator.requests import Answer
from lavawall.emulator.store import Caller, Json, Record, precise_timestamp

KEPT = timedelta(days=90)
LARGEST_PAGE = 200
CLAIM = "http://schemas.microsoft.com/identity/claims/"
UPN_CLAIM = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn"
TERM = re.compile(r"(?P<name>\w+)\s+(?P<operator>eq|ge|le)\s+'?(?P<value>[^']*)'?", re.IGNORECASE)
AT_MOST_ONE_OF: Mapping[str, Callable[[Json], str]] = {
    "resourcegroupname": lambda event: event["resourceGroupName"],
    "resourceuri": lambda event: key(event["resourceId"]),
    "resourceprovider": lambda event: event["resourceProviderName"]["value"],
    "correlationid": lambda event: event["correlationId"],
}
REASONS = {status.value: status.phrase.replace(" ", "") for status in HTTPStatus}


def record(call: ArmCall, action: str, answer: Answer) -> None:
    """Writes what a request did; a long-running one leaves two events of the same correlation."""
    status = answer.status
    if status >= 400:
        _append(call, action, answer, "Failed", "EndRequest")
        return
    if "Azure-AsyncOperation" in answer.headers or status == 202:
        _append(call, action, Answer(status), "Started", "BeginRequest")
    _append(call, action, answer, "Succeeded", "EndRequest")


def _append(call: ArmCall, action: str, answer: Answer, status: str, event_name: str) -> None:
    session, identifier = call.session, call.session.randomness.guid()
    reason = REASONS.get(answer.status, "") if status != "Started" else ""
    moment = precise_timestamp(session.now)
    body = {
        "id": f"{call.target.id}/events/{identifier}/ticks/{int(session.now.timestamp() * 10_000_000)}",
        "eventDataId": identifier,
        "authorization": {"action": action, "scope": call.target.id},
        "caller": session.caller.user_principal_name or session.caller.object_id,
        "channels": "Operation",
        "claims": _claims(call, session.caller),
        "correlationId": session.correlation_id,
        "description": "",
        "eventName": _named(event_name),
        "category": _named("Administrative"),
        "eventTimestamp": moment,
        "submissionTimestamp": precise_timestamp(
            session.now + timedelta(seconds=session.options.audit_delay)
        ),
        "httpRequest": {
            "clientRequestId": call.headers.get("x-ms-client-request-id", session.correlation_id),
            "clientIpAddress": call.headers.get("X-Forwarded-For") or session.caller.ip_address,
            "method": call.method,
        },
        "level": "Error" if status == "Failed" else "Informational",
        "operationId": session.correlation_id,
        "operationName": _named(action),
        "properties": _properties(answer, reason),
        "resourceGroupName": group_of(call.target.id),
        "resourceId": call.target.id,
        "resourceProviderName": _named(call.target.namespace),
        "resourceType": _named(call.kind.name),
        "status": _named(status),
        "subStatus": _named(reason),
        "subscriptionId": call.subscription_id,
        "tenantId": session.directory.directory_id,
    }
    visible_from = session.now + timedelta(seconds=session.options.audit_delay)
    call.subscription.events.append(Record("activityEvent", body, visible_from))


def _named(value: str) -> Json:
    return {"value": value, "localizedValue": value}


def _claims(call: ArmCall, caller: Caller) -> Json:
    claims = {
        "aud": "https://management.azure.com",
        "iss": f"https://sts.windows.net/{call.session.directory.directory_id}/",
        f"{CLAIM}tenantid": call.session.directory.directory_id,
        f"{CLAIM}objectidentifier": caller.object_id,
        "appid": caller.app_id,
        "ipaddr": caller.ip_address,
        "idtyp": caller.kind,
        "name": caller.display_name,
        UPN_CLAIM: caller.user_principal_name,
    }
    return {name: value for name, value in claims.items() if value}


def _properties(answer: Answer, reason: str) -> Json:
    properties = {"statusCode": reason, "serviceRequestId": None}
    if answer.body is not None:
        properties["responseBody"] = json.dumps(answer.body)
    return properties


def list_events(call: ArmCall) -> Answer:
    """Newest first. Wants a filter by time, and takes one more by group, resource, provider or correlation."""
    return resources.paged(
        call, lambda: _matching(call), lambda event: _shown(call, event), largest=LARGEST_PAGE
    )


def _matching(call: ArmCall) -> list[Record]:
    after, before, wanted = _parsed(call.query.get("$filter", ""), call.session.now)
    found = [
        event
        for event in reversed(call.subscription.events)
        if event.visible_from <= call.session.now
        and after <= datetime.fromisoformat(event.body["eventTimestamp"]) <= before
        and all(AT_MOST_ONE_OF[name](event.body).lower() == value for name, value in wanted.items())
    ]
    return sorted(found, key=lambda event: str(event.body["eventTimestamp"]), reverse=True)


def _parsed(text: str, now: datetime) -> tuple[datetime, datetime, dict[str, str]]:
    """From when until when, and the one further condition."""
    times: dict[str, datetime] = {}
    wanted: dict[str, str] = {}
    for term in re.split(r"\s+and\s+", text.strip(), flags=re.IGNORECASE):
        found = TERM.fullmatch(term.strip())
        name, operator = (found["name"].lower(), found["operator"].lower()) if found else ("", "")
        if found and name == "eventtimestamp" and operator in {"ge", "le"}:
            times[operator] = _time(found["value"])
        elif found and name in AT_MOST_ONE_OF and operator == "eq":
            wanted[name] = key(found["value"]) if name == "resourceuri" else found["value"].lower()
        else:
            raise bad_request(f"The filter '{text}' is not one of the supported shapes.")
    if "ge" not in times or len(wanted) > 1:
        raise bad_request(f"The filter '{text}' needs a start time and at most one further condition.")
    if times["ge"] < now - KEPT:
        raise bad_request("The start time must not be more than 90 days in the past.")
    return times["ge"], times.get("le", now), wanted


def _time(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise bad_request(f"'{text}' is not a time.") from error
    if found.tzinfo is None:
        raise bad_request(f"The time '{text}' has no time zone.")
    return found


def _shown(call: ArmCall, event: Record) -> Json:
    body: dict[str, Any] = dict(event.body)
    source = call.session.randomness.fork()
    if call.session.options.shuffle and source.random() < 0.5:
        action = str(body["authorization"]["action"]).upper()
        body["operationName"] = _named(action)
        body["authorization"] = {**body["authorization"], "action": action}
    return respelling(call.session, body)


TYPES = (
    ArmType(
        name="Microsoft.Insights/eventtypes/values",
        versions=("2015-04-01",),
        handlers={"list": list_events},
    ),
)
