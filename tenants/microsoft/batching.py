"""Graph's JSON batching: up to twenty requests in one, each with its own outcome.

Called by the client, which does the sending. Repeats what was throttled; never a write that may have been
applied.
"""

from collections.abc import Callable, Iterator, Sequence
from urllib.parse import quote, urlencode

from requests.structures import CaseInsensitiveDict

from tenants.microsoft.errors import InvalidAnswer, OutcomeUnknown
from tenants.microsoft.pacing import resource_units, service_limit
from tenants.microsoft.request import JSON, Request, Response
from tenants.microsoft.retry import REPEATABLE_READ, REPEATABLE_WRITE, Retrier

BATCH_SIZE = 20

Batched = Callable[[Request, float, int], Response]


def run_batch(
    requests: Sequence[Request], alone: Callable[[Request], Response], batched: Batched, retrier: Retrier
) -> list[Response]:
    answers: dict[int, Response] = {}
    for indexes in _chunks(requests):
        chunk = {index: requests[index] for index in indexes}
        if len(chunk) == 1 or not service_limit(requests[indexes[0]].service).batched:
            answers |= {index: alone(request) for index, request in chunk.items()}
        else:
            answers |= _run_chunk(chunk, batched, retrier)
    return [answers[index] for index in range(len(requests))]


def _chunks(requests: Sequence[Request]) -> Iterator[list[int]]:
    """Indexes that may travel together: one service, one API version, reads apart from writes."""
    groups: dict[tuple[str, str, bool], list[int]] = {}
    for index, request in enumerate(requests):
        groups.setdefault((request.service, _version(request), request.writes), []).append(index)
    for indexes in groups.values():
        for start in range(0, len(indexes), BATCH_SIZE):
            yield indexes[start : start + BATCH_SIZE]


def _run_chunk(chunk: dict[int, Request], batched: Batched, retrier: Retrier) -> dict[int, Response]:
    answers: dict[int, Response] = {}
    open_requests, attempt, waited = dict(chunk), 0, 0.0
    while True:
        attempt += 1
        answers |= _send_chunk(open_requests, batched)
        open_requests = {
            index: request for index, request in open_requests.items() if _repeatable(request, answers[index])
        }
        if not open_requests:
            return answers
        retrier.stats.throttled += sum(answers[index].status == 429 for index in open_requests)
        wait = max(
            retrier.policy.wait(attempt, answers[index].headers, retrier.now()) for index in open_requests
        )
        if attempt >= retrier.policy.attempts or waited + wait > retrier.policy.total_wait:
            return answers
        retrier.sleep(wait)
        waited += wait
        retrier.stats.retried += 1


def _repeatable(request: Request, answer: Response) -> bool:
    return answer.status in (REPEATABLE_WRITE if request.writes else REPEATABLE_READ)


def _send_chunk(chunk: dict[int, Request], batched: Batched) -> dict[int, Response]:
    first = next(iter(chunk.values()))
    envelope = Request(
        "POST",
        f"/{_version(first)}/$batch",
        body={"requests": [_part(index, request) for index, request in chunk.items()]},
        service=first.service,
    )
    units = sum(1 if each.writes else resource_units(each.path, each.params) for each in chunk.values())
    response = batched(envelope, units, len(chunk) if first.writes else 0)
    parts = response.body.get("responses") if isinstance(response.body, dict) else None
    answers = {
        int(part["id"]): _read_part(part)
        for part in (parts if isinstance(parts, list) else [])
        if isinstance(part, dict)
        and str(part.get("id", "")).isdecimal()
        and isinstance(part.get("status"), int)
    }
    if set(answers) != set(chunk):
        kind = OutcomeUnknown if first.writes else InvalidAnswer
        raise kind(
            "A batch was answered without an answer for each of its requests", request_id=response.request_id
        )
    return answers


def _part(index: int, request: Request) -> dict[str, JSON]:
    url = request.path.removeprefix(f"/{_version(request)}")
    if request.params:
        url += ("&" if "?" in url else "?") + urlencode(request.params, quote_via=quote, safe="$")
    part: dict[str, JSON] = {"id": str(index), "method": request.method, "url": url}
    headers = dict(request.headers)
    if request.body is not None:
        part["body"] = request.body
        headers.setdefault("Content-Type", "application/json")
    return part | ({"headers": headers} if headers else {})


def _read_part(part: dict[str, JSON]) -> Response:
    headers = CaseInsensitiveDict(
        {str(name): str(value) for name, value in (part.get("headers") or {}).items()}
    )
    return Response(part["status"], part.get("body"), headers, headers.get("request-id", ""))


def _version(request: Request) -> str:
    return request.path.split("/")[1]
