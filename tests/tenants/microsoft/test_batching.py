from typing import Any

import pytest

from tenants.microsoft.errors import (
    BadRequest,
    BatchRefused,
    InvalidAnswer,
    NotFound,
    OutcomeUnknown,
    ReadOnlyConnection,
)
from tenants.microsoft.pacing import Pacer
from tenants.microsoft.request import Request, batch_of
from tenants.microsoft.retry import RetryPolicy
from tests.tenants.microsoft.cloud import Call, Cloud, Say
from tests.tenants.microsoft.conftest import MakeClient

BATCH = "/v1.0/$batch"


def parts(call: Call) -> list[dict[str, Any]]:
    requests: list[dict[str, Any]] = call.body["requests"]
    return requests


def echo(call: Call) -> Say:
    """Each request is answered by its own address, in the reverse order."""
    return Say(
        body={
            "responses": [
                {"id": part["id"], "status": 200, "body": {"url": part["url"]}}
                for part in reversed(parts(call))
            ]
        }
    )


def answered(statuses: dict[str, int], headers: dict[str, str] | None = None) -> Any:
    def answer(call: Call) -> Say:
        return Say(
            body={
                "responses": [
                    {
                        "id": part["id"],
                        "status": statuses.get(part["url"], 200),
                        "headers": headers or {},
                        "body": {"url": part["url"]},
                    }
                    for part in parts(call)
                ]
            }
        )

    return answer


def gets(*names: object) -> list[Request]:
    return [Request("GET", f"/v1.0/groups/{name}") for name in names]


def test_any_number_of_requests_travels_by_twenty_and_comes_back_in_order(
    cloud: Cloud, make_client: MakeClient
) -> None:
    cloud.on("POST", BATCH, echo)
    answers = make_client().batch(gets(*range(45)))
    assert [len(parts(call)) for call in cloud.calls] == [20, 20, 5]
    assert [answer.body["url"] for answer in answers] == [f"/groups/{number}" for number in range(45)]


def test_nothing_to_ask_sends_nothing(cloud: Cloud, make_client: MakeClient) -> None:
    assert make_client().batch([]) == []
    assert cloud.calls == []


def test_query_and_headers_travel_with_each_request(cloud: Cloud, make_client: MakeClient) -> None:
    cloud.on("POST", BATCH, echo)
    request = Request(
        "GET", "/v1.0/users", params={"$filter": "id eq 'a b'"}, headers={"ConsistencyLevel": "eventual"}
    )
    make_client().batch([request, request])
    first = parts(cloud.calls[0])[0]
    assert first["url"] == "/users?$filter=id%20eq%20%27a%20b%27"
    assert first["headers"] == {"ConsistencyLevel": "eventual"}


def test_only_the_throttled_ones_are_asked_again_after_the_longest_wait(
    cloud: Cloud, make_client: MakeClient, waits: list[float]
) -> None:
    cloud.on("POST", BATCH, answered({"/groups/b": 429, "/groups/c": 503}, {"retry-after": "9"}), echo)
    answers = make_client().batch(gets("a", "b", "c"))
    assert [answer.status for answer in answers] == [200, 200, 200]
    assert [part["url"] for part in parts(cloud.calls[1])] == ["/groups/b", "/groups/c"]
    assert waits == [9]


def no_json(call: Call) -> Say:
    """The second request is answered by what is no object."""
    return Say(
        body={
            "responses": [
                {
                    "id": part["id"],
                    "status": 200,
                    "body": "eyJ2YWx1ZSI6" if part["url"] == "/groups/b" else {"url": part["url"]},
                }
                for part in parts(call)
            ]
        }
    )


def without_the_last(call: Call) -> Say:
    return Say(body={"responses": echo(call).body["responses"][1:]})


@pytest.mark.parametrize(
    "fault",
    [
        answered({"/groups/b": 500}),
        answered({"/groups/b": 504}),
        no_json,
        without_the_last,
        Say(500, {}),
        Say(raw=b"<html>a proxy</html>"),
        Say(drop=True),
    ],
    ids=["inner 500", "inner 504", "inner no JSON", "missing", "whole 500", "whole no JSON", "dropped"],
)
def test_reads_in_a_batch_are_repeated_soon_after_a_fault_that_passes(
    cloud: Cloud, make_client: MakeClient, waits: list[float], fault: Any
) -> None:
    cloud.on("POST", BATCH, fault, fault, echo)
    answers = make_client().batch(gets("a", "b"))
    assert [answer.body["url"] for answer in answers] == ["/groups/a", "/groups/b"]
    assert 0.25 <= waits[0] < 0.5 <= waits[1] < 1


def test_independent_requests_wait_together(
    cloud: Cloud, make_client: MakeClient, waits: list[float]
) -> None:
    """Sixty requests in three batches of which a part of each fails, then the rest of them once more."""
    failing = {f"/groups/{number}": 500 for number in range(0, 60, 5)}
    cloud.on("POST", BATCH, *[answered(failing)] * 3, echo)
    answers = make_client().batch(gets(*range(60)))
    assert [answer.status for answer in answers] == [200] * 60
    assert [len(parts(call)) for call in cloud.calls] == [20, 20, 20, 12]
    assert len(waits) == 1


def test_requests_that_are_never_batched_wait_together_too(
    cloud: Cloud, make_client: MakeClient, waits: list[float]
) -> None:
    for number in range(10):
        cloud.on("GET", f"/v1.0/audits/{number}", Say(500, {}), Say(body={"id": number}))
    requests = [Request("GET", f"/v1.0/audits/{number}", service="audit") for number in range(10)]
    answers = make_client().batch(requests)
    assert [answer.body["id"] for answer in answers] == list(range(10))
    assert len(waits) == 1


def test_each_request_has_attempts_of_its_own(
    cloud: Cloud, make_client: MakeClient, waits: list[float]
) -> None:
    cloud.on("GET", "/v1.0/a", Say(500, {}))
    cloud.on("GET", "/v1.0/b", Say(500, {}), Say(body={}))
    requests = [Request("GET", f"/v1.0/{name}", service="audit") for name in "ab"]
    assert [answer.status for answer in make_client().batch(requests)] == [500, 200]
    assert [call.path[-1] for call in cloud.calls].count("a") == RetryPolicy().error_attempts
    assert len(waits) == RetryPolicy().error_attempts - 1


def test_one_that_stays_throttled_is_answered_so_and_the_others_are_kept(
    cloud: Cloud, make_client: MakeClient, waits: list[float]
) -> None:
    cloud.on("POST", BATCH, answered({"/groups/b": 429}))
    answers = make_client(retry=RetryPolicy(attempts=3)).batch(gets("a", "b"))
    assert [answer.status for answer in answers] == [200, 429]
    assert len(waits) == 2


def test_a_refusal_inside_a_batch_is_an_answer_not_an_error(cloud: Cloud, make_client: MakeClient) -> None:
    cloud.on("POST", BATCH, answered({"/groups/b": 404}))
    assert [answer.status for answer in make_client().batch(gets("a", "b"))] == [200, 404]


@pytest.mark.parametrize("service", ["conditional_access", "audit"])
def test_services_with_a_few_requests_a_second_are_never_batched(
    cloud: Cloud, make_client: MakeClient, service: str
) -> None:
    path = "/v1.0/identity/conditionalAccess/policies/"
    cloud.on("GET", f"{path}a", Say(body={"id": "a"}))
    answers = make_client().batch([Request("GET", f"{path}{name}", service=service) for name in ("a", "b")])
    assert [answer.status for answer in answers] == [200, 404]
    assert [call.method for call in cloud.calls] == ["GET", "GET"]


def test_a_request_sent_alone_that_stays_throttled_is_answered_so_too(
    cloud: Cloud, make_client: MakeClient
) -> None:
    cloud.on("GET", "/v1.0/a", Say(429, {}))
    cloud.on("GET", "/v1.0/b", Say(body={}))
    requests = [Request("GET", f"/v1.0/{name}", service="audit") for name in "ab"]
    assert [answer.status for answer in make_client().batch(requests)] == [429, 200]


def test_versions_and_writes_do_not_share_a_batch(cloud: Cloud, make_client: MakeClient) -> None:
    cloud.on("POST", BATCH, echo)
    cloud.on("POST", "/beta/$batch", echo)
    requests = [
        Request("GET", "/v1.0/groups/a"),
        Request("DELETE", "/v1.0/groups/x"),
        Request("GET", "/beta/groups/a"),
        Request("GET", "/v1.0/groups/b"),
        Request("GET", "/beta/groups/b"),
        Request("PATCH", "/v1.0/groups/y", body={"a": 1}),
    ]
    make_client(writable=True).batch(requests)
    sent = [(call.path, [part["method"] for part in parts(call)]) for call in cloud.calls]
    assert sent == [(BATCH, ["GET", "GET"]), (BATCH, ["DELETE", "PATCH"]), ("/beta/$batch", ["GET", "GET"])]
    assert parts(cloud.calls[1])[1]["headers"] == {"Content-Type": "application/json"}


@pytest.mark.parametrize(
    "say", [Say(body={"responses": []}), Say(body={"responses": [{"id": "0"}]}), Say(body=[])]
)
def test_a_batch_that_is_not_answered_fully_is_refused(
    cloud: Cloud, make_client: MakeClient, say: Say
) -> None:
    cloud.on("POST", BATCH, say)
    with pytest.raises(InvalidAnswer, match="batch"):
        make_client().batch(gets("a", "b"))
    with pytest.raises(OutcomeUnknown):
        make_client(writable=True).batch([Request("DELETE", "/v1.0/groups/a")] * 2)


def test_a_batch_that_is_refused_as_a_whole_is_an_error(cloud: Cloud, make_client: MakeClient) -> None:
    cloud.on("POST", BATCH, Say(400, {"error": {"code": "BadRequest", "message": "Too many."}}))
    with pytest.raises(BadRequest, match="Too many"):
        make_client().batch(gets("a", "b"))


def test_a_batch_of_writes_whose_answer_is_lost_is_not_sent_again(
    cloud: Cloud, make_client: MakeClient
) -> None:
    cloud.on("POST", BATCH, Say(drop=True), echo)
    with pytest.raises(OutcomeUnknown):
        make_client(writable=True).batch([Request("DELETE", "/v1.0/groups/a")] * 2)
    assert len(cloud.calls) == 1


def test_writes_that_may_have_been_applied_are_not_repeated_one_by_one_either(
    cloud: Cloud, make_client: MakeClient
) -> None:
    cloud.on("POST", BATCH, answered({"/groups/a": 504}))
    answers = make_client(writable=True).batch([Request("DELETE", f"/v1.0/groups/{name}") for name in "ab"])
    assert [answer.status for answer in answers] == [504, 200]
    assert len(cloud.calls) == 1


def test_a_lost_batch_of_reads_is_asked_again(cloud: Cloud, make_client: MakeClient) -> None:
    cloud.on("POST", BATCH, Say(drop=True), echo)
    assert [answer.status for answer in make_client().batch(gets("a", "b"))] == [200, 200]


# a batch that was planned as one request


def removals(*names: str) -> Request:
    return batch_of(
        {index: Request("DELETE", f"/v1.0/groups/{name}") for index, name in enumerate(names)},
        why="remove some",
    )


def test_a_planned_batch_is_sent_as_it_was_planned(cloud: Cloud, make_client: MakeClient) -> None:
    cloud.on("POST", BATCH, echo)
    addition = Request("POST", "/v1.0/groups/a/members/$ref", {"@odata.id": "b"})
    planned = batch_of({0: addition, 1: addition})
    assert Request.from_json(planned.to_json()) == planned
    assert make_client(writable=True).send(planned).ok
    assert [call.body for call in cloud.calls] == [planned.body]


def test_a_reading_connection_sends_a_batch_only_if_all_its_parts_read(
    cloud: Cloud, make_client: MakeClient
) -> None:
    cloud.on("POST", BATCH, echo)
    mixed = batch_of({0: Request("GET", "/v1.0/groups/a"), 1: Request("DELETE", "/v1.0/groups/b")})
    unreadable = Request("POST", BATCH, {"requests": []})
    for refused in (removals("a", "b"), mixed, unreadable):
        with pytest.raises(ReadOnlyConnection):
            make_client().send(refused)
    assert cloud.calls == []
    assert make_client().send(batch_of(dict(enumerate(gets("a", "b"))))).ok


def test_a_planned_batch_is_charged_by_its_parts(cloud: Cloud, make_client: MakeClient) -> None:
    cloud.on("POST", BATCH, echo)
    charged: list[tuple[float, int]] = []

    class Counting(Pacer):
        def slot(self, tenant_key: str, service: str, *, units: float = 1, writes: int = 0) -> Any:
            charged.append((units, writes))
            return super().slot(tenant_key, service, units=units, writes=writes)

    make_client(writable=True, pacer=Counting(), config={"pace": "published"}).send(removals("a", "b", "c"))
    assert charged == [(3, 3)]


def test_a_planned_batch_tells_which_parts_were_refused(cloud: Cloud, make_client: MakeClient) -> None:
    cloud.on("POST", BATCH, answered({"/groups/b": 404, "/groups/c": 403}))
    with pytest.raises(BatchRefused, match=r"2 of 3 .*DELETE /v1.0/groups/b with 404") as caught:
        make_client(writable=True).send(removals("a", "b", "c"))
    assert {index: type(error).__name__ for index, error in caught.value.refusals.items()} == {
        1: NotFound.__name__,
        2: "PermissionMissing",
    }


def test_a_planned_batch_with_a_part_of_unknown_outcome_is_of_unknown_outcome(
    cloud: Cloud, make_client: MakeClient
) -> None:
    cloud.on("POST", BATCH, answered({"/groups/a": 404, "/groups/b": 504}))
    with pytest.raises(OutcomeUnknown, match="/groups/b"):
        make_client(writable=True).send(removals("a", "b"))


@pytest.mark.parametrize("status", [500, 503, 504])
def test_a_create_in_a_batch_that_is_answered_with_a_server_error_may_have_been_done(
    cloud: Cloud, make_client: MakeClient, status: int
) -> None:
    cloud.on("POST", BATCH, answered({"/groups": status}), echo)
    creates = batch_of({index: Request("POST", "/v1.0/groups", {"name": index}) for index in (0, 1)})
    with pytest.raises(OutcomeUnknown, match=str(status)):
        make_client(writable=True).send(creates)
    assert len(cloud.calls) == 1


def test_a_batch_of_creates_that_is_turned_away_as_a_whole_may_have_been_done(
    cloud: Cloud, make_client: MakeClient
) -> None:
    cloud.on("POST", BATCH, Say(503, {}), echo)
    creates = batch_of({index: Request("POST", "/v1.0/groups", {"name": index}) for index in (0, 1)})
    with pytest.raises(OutcomeUnknown, match="503"):
        make_client(writable=True).send(creates)
    assert len(cloud.calls) == 1
