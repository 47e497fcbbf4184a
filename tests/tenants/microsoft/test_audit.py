from datetime import UTC, datetime, timedelta, timezone

import pytest

from tenants.microsoft.audit import DIRECTORY_AUDITS, SIGN_INS, iter_directory_audits, iter_sign_ins
from tenants.microsoft.errors import LicenceMissing
from tests.tenants.microsoft.cloud import Cloud, Say
from tests.tenants.microsoft.conftest import MakeClient

SINCE = datetime(2026, 3, 1, 10, 0, 0, 123_999, tzinfo=UTC)
UNTIL = datetime(2026, 3, 1, 13, 0, 0, 1, tzinfo=timezone(timedelta(hours=1)))


def test_audit_events_are_read_through_all_pages_of_a_window(cloud: Cloud, make_client: MakeClient) -> None:
    link = f"{cloud.url}{DIRECTORY_AUDITS}?$skiptoken=2"
    cloud.on(
        "GET",
        DIRECTORY_AUDITS,
        Say(body={"value": [{"id": "1"}], "@odata.nextLink": link}),
        Say(body={"value": [{"id": "2"}]}),
    )
    events = list(iter_directory_audits(make_client(), SINCE, UNTIL))
    assert [event["id"] for event in events] == ["1", "2"]
    assert cloud.calls[0].query == {
        "$filter": "activityDateTime ge 2026-03-01T10:00:00.123Z and "
        "activityDateTime le 2026-03-01T12:00:00.001Z",
        "$orderby": "activityDateTime",
    }


def test_sign_ins_of_one_user_are_asked_for_with_a_quoted_id(cloud: Cloud, make_client: MakeClient) -> None:
    cloud.on("GET", SIGN_INS, Say(body={"value": []}))
    assert list(iter_sign_ins(make_client(), SINCE, UNTIL, user_id="o'neil")) == []
    assert cloud.calls[0].query["$filter"].startswith("userId eq 'o''neil' and createdDateTime ge ")


def test_all_sign_ins_are_asked_for_without_a_user(cloud: Cloud, make_client: MakeClient) -> None:
    cloud.on("GET", SIGN_INS, Say(body={"value": [{"id": "s"}]}))
    assert [each["id"] for each in iter_sign_ins(make_client(), SINCE, UNTIL)] == ["s"]
    assert cloud.calls[0].query["$filter"].startswith("createdDateTime ge ")


def test_sign_ins_without_a_premium_licence_say_so(cloud: Cloud, make_client: MakeClient) -> None:
    code = "Authentication_RequestFromNonPremiumTenantOrB2CTenant"
    cloud.on("GET", SIGN_INS, Say(403, {"error": {"code": code, "message": "No premium licence."}}))
    with pytest.raises(LicenceMissing, match="licence"):
        list(iter_sign_ins(make_client(), SINCE, UNTIL))


def test_a_time_without_a_zone_is_refused(make_client: MakeClient) -> None:
    with pytest.raises(ValueError, match="time zone"):
        list(iter_directory_audits(make_client(), datetime(2026, 3, 1), UNTIL))  # noqa: DTZ001
