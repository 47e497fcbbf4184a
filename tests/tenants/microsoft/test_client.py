from typing import Any

import orjson
import pytest

from tenants.microsoft.errors import (
    BadRequest,
    Conflict,
    InvalidAnswer,
    LicenceMissing,
    MicrosoftError,
    NotFound,
    PermissionMissing,
    ReadOnlyConnection,
    ServiceUnavailable,
    WriteRefused,
)
from tenants.microsoft.pacing import Pacer
from tenants.microsoft.request import Request
from tests.tenants.microsoft.cloud import Call, Cloud, Say
from tests.tenants.microsoft.conftest import MakeClient

GROUPS = "/v1.0/groups"
GROUP = "/v1.0/groups/1"
LOGO = "/v1.0/applications/1/logo"
IMAGE = b"\x89PNG\r\n\x1a\n\x00\xff"


def page(*ids: int, link: str | None = None) -> Say:
    body: dict[str, Any] = {"value": [{"id": str(number)} for number in ids]}
    return Say(body=body | ({"@odata.nextLink": link} if link else {}))


def refusal(status: int, code: str, message: str = "No.") -> Say:
    return Say(status, {"error": {"code": code, "message": message}}, {"request-id": "r-1"})


def test_one_object_is_read_with_its_query_and_our_headers(cloud: Cloud, make_client: MakeClient) -> None:
    cloud.on("GET", GROUP, Say(body={"id": "1"}))
    assert make_client(priority="high").get(GROUP, params={"$select": "id,displayName"}) == {"id": "1"}
    call = cloud.calls[0]
    assert call.query == {"$select": "id,displayName"}
    assert call.headers["x-ms-throttle-priority"] == "high"
    assert call.headers["user-agent"].startswith("Lavawall/")
    assert len(call.headers["client-request-id"]) == 36


def test_each_call_has_a_request_id_of_its_own(cloud: Cloud, make_client: MakeClient) -> None:
    cloud.on("GET", GROUP, Say(body={"id": "1"}))
    client = make_client()
    client.get(GROUP)
    client.get(GROUP)
    assert len({call.headers["client-request-id"] for call in cloud.calls}) == 2


def test_a_listing_follows_next_links_as_they_are_and_resends_its_headers(
    cloud: Cloud, make_client: MakeClient
) -> None:
    link = f"{cloud.url}{GROUPS}?$skiptoken=a%2Bb%2F"
    cloud.on("GET", GROUPS, page(1, 2, link=link), page(3))
    items = list(
        make_client().items(GROUPS, headers={"ConsistencyLevel": "eventual"}, params={"$count": "true"})
    )
    assert [item["id"] for item in items] == ["1", "2", "3"]
    assert cloud.calls[1].query == {"$skiptoken": "a+b/"}
    assert [call.headers["consistencylevel"] for call in cloud.calls] == ["eventual", "eventual"]


def test_an_empty_page_with_a_next_link_is_no_end(cloud: Cloud, make_client: MakeClient) -> None:
    cloud.on("GET", GROUPS, page(link=f"{cloud.url}{GROUPS}?p=2"), page(7))
    assert list(make_client().pages(GROUPS)) == [[], [{"id": "7"}]]


@pytest.mark.parametrize("query", ["?p=2", ""])
def test_a_looping_next_link_is_refused(cloud: Cloud, make_client: MakeClient, query: str) -> None:
    repeated = page(1, link=f"{cloud.url}{GROUPS}{query}")
    cloud.on("GET", GROUPS, repeated, repeated, repeated, page(2))
    with pytest.raises(InvalidAnswer, match=r"/v1.0/groups refers back to a page"):
        list(make_client().items(GROUPS))
    assert len(cloud.calls) <= 2


@pytest.mark.parametrize(
    "link",
    [
        "https://evil.example/v1.0/groups",
        "http://127.0.0.1/v1.0/groups",
        "{url}@evil.example/v1.0/groups",
        "https://127.0.0.1:1/v1.0/groups",
        "https://user@{host}/v1.0/groups",
        "//evil.example/v1.0/groups",
        "/v1.0/groups?p=2",
        "https://[",
        17,
    ],
)
def test_a_next_link_to_a_foreign_address_gets_no_token(
    cloud: Cloud, make_client: MakeClient, link: object
) -> None:
    if isinstance(link, str):
        link = link.replace("{url}", cloud.url).replace("{host}", cloud.url.removeprefix("https://"))
    cloud.on("GET", GROUPS, Say(body={"value": [], "@odata.nextLink": link}))
    with pytest.raises(InvalidAnswer, match="another host"):
        list(make_client().items(GROUPS))
    assert len(cloud.calls) == 1


@pytest.mark.parametrize(
    "say",
    [
        Say(raw=b"<html>Sign in to the network</html>"),
        Say(raw=b'{"value": ['),
        Say(body={}),
        Say(body=[]),
        Say(body={"value": {}}),
        Say(body={"value": ["text"]}),
        Say(raw=b""),
    ],
)
def test_a_page_that_is_no_list_of_objects_is_refused(
    cloud: Cloud, make_client: MakeClient, say: Say
) -> None:
    cloud.on("GET", GROUPS, say)
    with pytest.raises(InvalidAnswer, match=GROUPS) as caught:
        list(make_client().items(GROUPS, params={"$filter": "hidden"}))
    assert "hidden" not in str(caught.value)


def test_a_redirect_is_not_followed(cloud: Cloud, make_client: MakeClient) -> None:
    cloud.on("GET", GROUP, Say(302, None, {"Location": f"{cloud.url}/elsewhere"}))
    with pytest.raises(InvalidAnswer, match="redirected"):
        make_client().get(GROUP)
    assert [call.path for call in cloud.calls] == [GROUP]


@pytest.mark.parametrize(
    ("say", "kind"),
    [
        (refusal(400, "Request_BadRequest", "Property assignedLicenses is read-only."), BadRequest),
        (refusal(400, "BadRequest", "Request not applicable to target tenant."), LicenceMissing),
        (refusal(403, "Authorization_RequestDenied", "Insufficient privileges."), PermissionMissing),
        (refusal(403, "Authentication_RequestFromNonPremiumTenantOrB2CTenant", "x"), LicenceMissing),
        (refusal(403, "Forbidden", "The tenant has no license for this."), LicenceMissing),
        (refusal(404, "Request_ResourceNotFound"), NotFound),
        (refusal(409, "Conflict"), Conflict),
        (refusal(410, "syncStateNotFound"), BadRequest),
        (refusal(412, "PreconditionFailed"), Conflict),
        (refusal(500, "InternalServerError"), ServiceUnavailable),
    ],
)
def test_each_refusal_becomes_its_own_error(
    cloud: Cloud, make_client: MakeClient, say: Say, kind: type[MicrosoftError]
) -> None:
    cloud.on("GET", GROUP, say)
    with pytest.raises(MicrosoftError) as caught:
        make_client().get(GROUP)
    assert type(caught.value) is kind
    assert caught.value.code == say.body["error"]["code"]
    assert caught.value.request_id == "r-1"
    assert GROUP in caught.value.what
    assert str(caught.value) == f"{caught.value.what}. {caught.value.remedy}"


def test_a_refusal_without_json_still_says_the_status(cloud: Cloud, make_client: MakeClient) -> None:
    cloud.on("GET", GROUP, Say(403, raw=b"<html>Blocked</html>"))
    with pytest.raises(PermissionMissing, match="403") as caught:
        make_client().get(GROUP)
    assert caught.value.code == "403"


def test_a_header_that_could_smuggle_another_is_not_sent(cloud: Cloud, make_client: MakeClient) -> None:
    with pytest.raises(BadRequest, match="malformed"):
        make_client().get(GROUP, headers={"Prefer": "a\r\nX-Other: b"})
    assert cloud.calls == []


def test_a_missing_permission_can_be_named_by_the_caller(cloud: Cloud, make_client: MakeClient) -> None:
    cloud.on("GET", GROUP, refusal(403, "Authorization_RequestDenied"))
    with pytest.raises(PermissionMissing) as caught:
        make_client().get(GROUP)
    named = caught.value.naming(("Group.Read.All", "Directory.Read.All"))
    assert named.permissions == ("Group.Read.All", "Directory.Read.All")
    assert "Group.Read.All or Directory.Read.All" in str(named)
    assert (named.what, named.code) == (caught.value.what, caught.value.code)


@pytest.mark.parametrize("method", ["POST", "PATCH", "PUT", "DELETE"])
def test_a_reading_connection_sends_no_write(cloud: Cloud, make_client: MakeClient, method: str) -> None:
    client = make_client()
    with pytest.raises(ReadOnlyConnection, match="read-only"):
        client.send(Request(method, GROUP, body={}))
    with pytest.raises(ReadOnlyConnection):
        client.batch([Request("GET", GROUP), Request(method, GROUP, body={})])
    assert cloud.calls == []


def test_looking_up_ids_is_a_read_though_it_is_a_post(cloud: Cloud, make_client: MakeClient) -> None:
    path = "/v1.0/directoryObjects/getByIds"
    cloud.on("POST", path, Say(body={"value": []}))
    assert make_client().send(Request("POST", path, body={"ids": []})).ok


def test_a_write_sends_its_body_and_returns_the_answer(cloud: Cloud, make_client: MakeClient) -> None:
    cloud.on("PATCH", GROUP, Say(204, headers={"request-id": "r-9"}))
    response = make_client(writable=True).send(Request("PATCH", GROUP, body={"description": None}))
    assert (response.status, response.body, response.request_id) == (204, None, "r-9")
    assert cloud.calls[0].body == {"description": None}


def test_bytes_are_read_as_they_are_and_repeated_where_throttled(
    cloud: Cloud, make_client: MakeClient, waits: list[float]
) -> None:
    cloud.on("GET", LOGO, Say(429, {}, {"Retry-After": "3"}), Say(raw=IMAGE))
    assert make_client().get_bytes(LOGO) == IMAGE
    assert waits == [3]
    assert cloud.calls[1].headers["accept"] == "*/*"


@pytest.mark.parametrize(
    ("say", "kind"),
    [
        (refusal(404, "Request_ResourceNotFound"), NotFound),
        (Say(302, None, {"Location": "https://evil.example/logo"}), InvalidAnswer),
    ],
)
def test_bytes_that_are_not_given_out_are_told_as_an_error(
    cloud: Cloud, make_client: MakeClient, say: Say, kind: type[MicrosoftError]
) -> None:
    cloud.on("GET", LOGO, say)
    with pytest.raises(kind, match=LOGO):
        make_client().get_bytes(LOGO)


def test_bytes_are_written_as_they_are_also_after_the_request_was_stored(
    cloud: Cloud, make_client: MakeClient
) -> None:
    cloud.on("PUT", LOGO, Say(204))
    stored = orjson.dumps(Request("PUT", LOGO).carrying(IMAGE, "image/png").to_json())
    assert make_client(writable=True).send(Request.from_json(orjson.loads(stored))).ok
    assert cloud.calls[0].body == IMAGE
    assert cloud.calls[0].headers["content-type"] == "image/png"


def test_a_write_that_is_refused_for_another_reason_says_that_nothing_changed(
    cloud: Cloud, make_client: MakeClient
) -> None:
    cloud.on("DELETE", GROUP, refusal(423, "Locked"))
    with pytest.raises(WriteRefused, match="changed nothing"):
        make_client(writable=True).send(Request("DELETE", GROUP))


def test_a_long_message_is_cut_and_kept_on_one_line(cloud: Cloud, make_client: MakeClient) -> None:
    cloud.on("GET", GROUP, refusal(400, "Request_BadRequest", "word\r\n" * 500))
    with pytest.raises(BadRequest) as caught:
        make_client().get(GROUP)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 600


def test_stats_count_requests_throttles_and_repetitions(cloud: Cloud, make_client: MakeClient) -> None:
    client = make_client()
    client.token()
    before = client.stats.requests
    cloud.on("GET", GROUP, Say(429, {}, {"Retry-After": "1"}), Say(503, {}), Say(body={"id": "1"}))
    client.get(GROUP)
    assert (client.stats.requests - before, client.stats.throttled, client.stats.retried) == (3, 1, 2)


def test_an_unknown_service_is_refused_before_anything_is_sent(cloud: Cloud, make_client: MakeClient) -> None:
    with pytest.raises(ValueError, match="Unknown service 'mail'"):
        make_client().get(GROUP, service="mail")
    assert cloud.calls == []


def test_the_published_pace_spaces_conditional_access_by_a_second(
    cloud: Cloud, make_client: MakeClient
) -> None:
    clock = [100.0]

    def sleep(seconds: float) -> None:
        clock[0] += seconds

    arrivals: list[float] = []

    def answer(_: Call) -> Say:
        arrivals.append(clock[0])
        return Say(body={"value": []})

    cloud.on("GET", "/v1.0/identity/conditionalAccess/policies", answer)
    client = make_client(config={"pace": "published"}, pacer=Pacer(clock=lambda: clock[0], sleep=sleep))
    for _ in range(3):
        list(client.items("/v1.0/identity/conditionalAccess/policies", service="conditional_access"))
    assert [round(moment - 100, 3) for moment in arrivals] == [0, 1, 2]
