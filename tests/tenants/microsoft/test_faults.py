import socket
import threading
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path

import pytest

from tenants.microsoft.errors import (
    CertificateUntrusted,
    InvalidAnswer,
    OutcomeUnknown,
    ServiceUnavailable,
    Throttled,
    Unreachable,
    WriteRefused,
)
from tenants.microsoft.pacing import Pacer
from tenants.microsoft.request import Request
from tenants.microsoft.retry import RetryPolicy, retry_after
from tests.tenants.microsoft.cloud import Cloud, Say
from tests.tenants.microsoft.conftest import MakeClient

GROUP = "/v1.0/groups/1"
GOOD = Say(body={"id": "1"})
DROP = Say(drop=True)
CUT = Say(raw=b'{"id": ', headers={"Content-Length": "4000", "Connection": "close"})
WRITE = Request("PATCH", GROUP, body={"displayName": "x"})


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_a_read_waits_as_long_as_it_is_told(
    cloud: Cloud, make_client: MakeClient, waits: list[float], status: int
) -> None:
    cloud.on("GET", GROUP, Say(status, {}, {"Retry-After": "12"}), GOOD)
    assert make_client().get(GROUP) == {"id": "1"}
    assert waits == [12]


def test_a_wait_may_be_given_as_a_date(cloud: Cloud, make_client: MakeClient, waits: list[float]) -> None:
    now = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
    date = format_datetime(datetime(2026, 3, 1, 12, 0, 42, tzinfo=UTC), usegmt=True)
    cloud.on("GET", GROUP, Say(429, {}, {"Retry-After": date}), GOOD)
    make_client(now=now.timestamp).get(GROUP)
    assert waits == [42]


@pytest.mark.parametrize("headers", [{}, {"Retry-After": "soon"}, {"Retry-After": "-3"}])
def test_without_a_usable_wait_it_doubles_from_five_seconds_with_jitter(
    cloud: Cloud, make_client: MakeClient, waits: list[float], headers: dict[str, str]
) -> None:
    cloud.on("GET", GROUP, *[Say(429, {}, headers)] * 3, GOOD)
    make_client().get(GROUP)
    for wait, base in zip(waits, (5, 10, 20), strict=True):
        assert base <= wait <= base * 1.5


def test_jitter_spreads_a_wait_by_up_to_a_half_and_waits_stay_below_a_minute_and_a_half() -> None:
    policy = RetryPolicy(jitter=max)
    assert [policy.wait(attempt, {}, 0) for attempt in range(1, 7)] == [7.5, 15, 30, 60, 90, 90]


def test_a_throttle_without_end_is_given_up(
    cloud: Cloud, make_client: MakeClient, waits: list[float]
) -> None:
    cloud.on("GET", GROUP, Say(429, {}, {"request-id": "r-1"}))
    with pytest.raises(Throttled, match="429") as caught:
        make_client(retry=RetryPolicy(attempts=4)).get(GROUP)
    assert (len(cloud.calls), len(waits)) == (4, 3)
    assert caught.value.request_id == "r-1"


def test_a_wait_that_is_too_long_is_not_waited_for(
    cloud: Cloud, make_client: MakeClient, waits: list[float]
) -> None:
    cloud.on("GET", GROUP, Say(503, {}, {"Retry-After": "86400"}))
    with pytest.raises(ServiceUnavailable):
        make_client().get(GROUP)
    assert waits == []


CREATE = Request("POST", "/v1.0/groups", body={"displayName": "x"})
HARMLESS_TWICE = (
    WRITE,
    Request("PUT", GROUP, body={}),
    Request("DELETE", GROUP),
    Request("POST", f"{GROUP}/members/$ref", body={}),
)


@pytest.mark.parametrize("write", HARMLESS_TWICE, ids=lambda write: write.method)
@pytest.mark.parametrize("status", [429, 503])
def test_a_write_that_does_no_harm_twice_is_repeated_when_turned_away(
    cloud: Cloud, make_client: MakeClient, waits: list[float], status: int, write: Request
) -> None:
    cloud.on(write.method, write.path, Say(status, {}, {"Retry-After": "3"}), Say(204))
    assert make_client(writable=True).send(write).status == 204
    assert waits == [3]
    assert len(cloud.calls) == 2


def test_a_create_that_was_throttled_was_not_done_and_is_repeated(
    cloud: Cloud, make_client: MakeClient, waits: list[float]
) -> None:
    cloud.on("POST", CREATE.path, Say(429, {}, {"Retry-After": "3"}), Say(201, {"id": "1"}))
    assert make_client(writable=True).send(CREATE).status == 201
    assert waits == [3]


@pytest.mark.parametrize("status", [500, 502, 503, 504, 507])
def test_a_create_that_was_answered_with_a_server_error_may_have_been_done(
    cloud: Cloud, make_client: MakeClient, waits: list[float], status: int
) -> None:
    cloud.on("POST", CREATE.path, Say(status, {}, {"Retry-After": "3"}), Say(201, {"id": "2"}))
    with pytest.raises(OutcomeUnknown, match=str(status)):
        make_client(writable=True).send(CREATE)
    assert len(cloud.calls) == 1
    assert waits == []


def test_a_write_to_a_service_that_stays_unavailable_has_an_unknown_outcome(
    cloud: Cloud, make_client: MakeClient
) -> None:
    cloud.on("PATCH", GROUP, Say(503, {}))
    with pytest.raises(OutcomeUnknown, match="503"):
        make_client(writable=True).send(WRITE)


def test_a_write_that_is_not_implemented_was_not_done(cloud: Cloud, make_client: MakeClient) -> None:
    cloud.on("POST", CREATE.path, Say(501, {}))
    with pytest.raises(WriteRefused):
        make_client(writable=True).send(CREATE)


@pytest.mark.parametrize(
    "say", [DROP, CUT, Say(500, {}), Say(502, {}), Say(504, {}), Say(200, raw=b"<html>a proxy</html>")]
)
def test_a_write_whose_answer_is_lost_is_never_sent_twice(
    cloud: Cloud, make_client: MakeClient, waits: list[float], say: Say
) -> None:
    cloud.on("PATCH", GROUP, say, Say(204))
    with pytest.raises(OutcomeUnknown, match="Read the object"):
        make_client(writable=True).send(WRITE)
    assert [call.method for call in cloud.calls] == ["PATCH"]
    assert waits == []


PASSING: dict[str, Say] = {
    "internal error": Say(500, {"error": {"code": "InternalServerError"}}),
    "bad gateway": Say(502, raw=b"<html>Bad gateway</html>"),
    "unavailable": Say(503, {}),
    "gateway timeout": Say(504, {}),
    "insufficient storage": Say(507, {}),
    "dropped": DROP,
    "cut off": CUT,
    "broken JSON": Say(raw=b'{"id": "1", "displayNa'),
    "a proxy's page": Say(raw=b"<html>Sign in</html>", headers={"Content-Type": "text/html"}),
    "empty": Say(),
    "a proxy's not found": Say(404, raw=b"<html>Not found</html>"),
}


@pytest.mark.parametrize("name", PASSING)
def test_a_read_is_repeated_soon_after_a_fault_that_passes(
    cloud: Cloud, make_client: MakeClient, waits: list[float], name: str
) -> None:
    cloud.on("GET", GROUP, PASSING[name], PASSING[name], GOOD)
    assert make_client().get(GROUP) == {"id": "1"}
    assert 0.25 <= waits[0] < 0.5 <= waits[1] < 1


def test_what_is_not_implemented_is_not_asked_again(
    cloud: Cloud, make_client: MakeClient, waits: list[float]
) -> None:
    cloud.on("GET", GROUP, Say(501, {}), GOOD)
    with pytest.raises(ServiceUnavailable):
        make_client().get(GROUP)
    assert waits == []


def test_a_page_in_the_place_of_a_missing_object_proves_no_absence(
    cloud: Cloud, make_client: MakeClient
) -> None:
    cloud.on("GET", GROUP, PASSING["a proxy's not found"])
    with pytest.raises(InvalidAnswer):
        make_client().get(GROUP)


def test_a_page_in_the_place_of_an_image_is_asked_for_again(cloud: Cloud, make_client: MakeClient) -> None:
    cloud.on("GET", GROUP, PASSING["a proxy's page"], Say(raw=b"PNG", headers={"Content-Type": "image/png"}))
    assert make_client().get_bytes(GROUP) == b"PNG"


def test_a_read_whose_answer_is_always_lost_is_given_up(cloud: Cloud, make_client: MakeClient) -> None:
    cloud.on("GET", GROUP, DROP)
    with pytest.raises(Unreachable, match="connection broke"):
        make_client().get(GROUP)
    assert len(cloud.calls) == 5


@pytest.mark.parametrize("writable", [False, True])
def test_a_refused_connection_is_told_as_such_even_for_a_write(
    cloud: Cloud, make_client: MakeClient, waits: list[float], *, writable: bool
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        origin = f"https://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(Unreachable, match="refused the connection"):
            make_client(url=origin, writable=writable).send(WRITE if writable else Request("GET", GROUP))
    assert waits == []


def test_a_name_that_does_not_resolve_is_told_as_such(
    cloud: Cloud, make_client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def resolve(*args: object, **options: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    client = make_client(url="https://nowhere.invalid", config={"pace": "published"})
    with pytest.raises(Unreachable, match="cannot be resolved"):
        client.token()


def test_an_untrusted_certificate_is_refused_and_the_remedy_named(
    cloud: Cloud, make_client: MakeClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Cloud(tmp_path, "other")
    other.close()
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(other.ca_file))
    with pytest.raises(CertificateUntrusted, match="REQUESTS_CA_BUNDLE"):
        make_client().token()
    assert cloud.sign_ins == []


def test_a_missing_authority_file_is_told_as_such(
    cloud: Cloud, make_client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere/authority.pem")
    with pytest.raises(CertificateUntrusted, match="cannot be read"):
        make_client().token()


def test_an_authority_file_without_certificates_is_told_as_such(
    cloud: Cloud, make_client: MakeClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "empty.pem").write_text("nothing here\n")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "empty.pem"))
    with pytest.raises(CertificateUntrusted, match="cannot be read"):
        make_client().token()


def test_this_machine_is_reached_without_the_proxy_of_the_environment(
    cloud: Cloud, make_client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    cloud.on("GET", GROUP, GOOD)
    assert make_client().get(GROUP) == {"id": "1"}


def test_a_proxy_that_does_not_answer_is_named(
    cloud: Cloud, make_client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("NO_PROXY", "")
    with pytest.raises(Unreachable, match="proxy"):
        make_client(url="https://graph.example", config={"pace": "published"}).token()


def test_a_throttled_caller_does_not_hold_the_others_for_a_day(cloud: Cloud, make_client: MakeClient) -> None:
    slept: list[float] = []
    clock = [0.0]

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        clock[0] += seconds

    pacer = Pacer(clock=lambda: clock[0], sleep=sleep)
    cloud.on("GET", GROUP, Say(429, {}, {"Retry-After": "86400"}), GOOD)
    client = make_client(config={"pace": "published"}, pacer=pacer)
    with pytest.raises(Throttled):
        client.get(GROUP)
    assert client.get(GROUP) == {"id": "1"}
    assert slept == [RetryPolicy().total_wait]


def test_a_server_without_tls_is_told_as_such(cloud: Cloud, make_client: MakeClient) -> None:
    with socket.create_server(("127.0.0.1", 0)) as plain:

        def answer() -> None:
            peer, _ = plain.accept()
            with peer:
                peer.recv(100)
                peer.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        with pytest.raises(Unreachable, match="A TLS connection"):
            make_client(url=f"https://127.0.0.1:{plain.getsockname()[1]}").token()
        thread.join()


@pytest.mark.parametrize(
    ("value", "seconds"),
    [(None, None), ("", None), ("5", 5), (" 7 ", 7), ("1.5", 1.5), ("x", None), (".", None)],
)
def test_retry_after_is_read_leniently(value: str | None, seconds: float | None) -> None:
    assert retry_after(value, 0) == seconds


def test_a_date_without_a_zone_is_taken_as_utc() -> None:
    now = datetime(2026, 3, 1, 12, 0, tzinfo=UTC).timestamp()
    assert retry_after("Sun, 01 Mar 2026 12:00:08 -0000", now) == 8


def test_a_date_in_the_past_means_now() -> None:
    assert retry_after("Sun, 06 Nov 1994 08:49:37 GMT", datetime(2026, 1, 1, tzinfo=UTC).timestamp()) == 0
