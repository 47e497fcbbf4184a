from datetime import UTC, datetime, timedelta, timezone

import pytest

from tenants.microsoft.audit import AZURE_ACTIVITY, DIRECTORY_AUDITS, SIGN_INS, read
from tenants.microsoft.errors import LicenceMissing
from tests.tenants.microsoft.cloud import Cloud, Say
from tests.tenants.microsoft.conftest import MakeClient

SINCE = datetime(2026, 3, 1, 10, 0, 0, 123_999, tzinfo=UTC)
UNTIL = datetime(2026, 3, 1, 13, 0, 0, 1, tzinfo=timezone(timedelta(hours=1)))


def test_audit_events_are_read_through_all_pages_of_a_window(cloud: Cloud, make_client: MakeClient) -> None:
    link = f"{cloud.url}{DIRECTORY_AUDITS.path}?$skiptoken=2"
    cloud.on(
        "GET",
        DIRECTORY_AUDITS.path,
        Say(body={"value": [{"id": "1"}], "@odata.nextLink": link}),
        Say(body={"value": [{"id": "2"}]}),
    )
    events = list(read(make_client(), DIRECTORY_AUDITS, SINCE, UNTIL))
    assert [event["id"] for event in events] == ["1", "2"]
    assert cloud.calls[0].query == {
        "$filter": "activityDateTime ge 2026-03-01T10:00:00.123Z and "
        "activityDateTime le 2026-03-01T12:00:00.001Z",
        "$orderby": "activityDateTime",
    }


def test_each_log_is_asked_by_its_own_word_for_time(cloud: Cloud, make_client: MakeClient) -> None:
    cloud.on("GET", SIGN_INS.path, Say(body={"value": [{"id": "s"}]}))
    assert [each["id"] for each in read(make_client(), SIGN_INS, SINCE, UNTIL)] == ["s"]
    assert cloud.calls[0].query["$filter"].startswith("createdDateTime ge ")


def test_azures_log_is_asked_subscription_by_subscription_with_quoted_times(
    cloud: Cloud, make_client: MakeClient
) -> None:
    cloud.on("GET", AZURE_ACTIVITY.path.format(subscription="s1"), Say(body={"value": [{"id": "a"}]}))
    found = read(make_client(), AZURE_ACTIVITY, SINCE, UNTIL, subscription="s1")
    assert [each["id"] for each in found] == ["a"]
    assert cloud.calls[0].query == {
        "$filter": "eventTimestamp ge '2026-03-01T10:00:00.123Z' and eventTimestamp le '2026-03-01T12:00:00.001Z'",
        "api-version": "2015-04-01",
    }


def test_sign_ins_without_a_premium_licence_say_so(cloud: Cloud, make_client: MakeClient) -> None:
    code = "Authentication_RequestFromNonPremiumTenantOrB2CTenant"
    cloud.on("GET", SIGN_INS.path, Say(403, {"error": {"code": code, "message": "No premium licence."}}))
    with pytest.raises(LicenceMissing, match="licence"):
        list(read(make_client(), SIGN_INS, SINCE, UNTIL))


def test_a_time_without_a_zone_is_refused(make_client: MakeClient) -> None:
    with pytest.raises(ValueError, match="time zone"):
        list(read(make_client(), DIRECTORY_AUDITS, datetime(2026, 3, 1), UNTIL))  # noqa: DTZ001
