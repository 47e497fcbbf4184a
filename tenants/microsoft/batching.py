"""Graph's JSON batching: up to twenty requests in one, each with its own outcome.

Called by the client, which does the sending. Repeats what was throttled; never a write that may have been
applied.
"""

from collections.abc import Callable, Iterator, Sequence

from requests.structures import CaseInsensitiveDict

from tenants.microsoft.errors import BatchRefused, InvalidAnswer, OutcomeUnknown
from tenants.microsoft.failures import error_for
from tenants.microsoft.pacing import resource_units, service_limit
from tenants.microsoft.request import JSON, Request, Response, api_version, batch_of
from tenants.microsoft.retry import AMBIGUOUS_WRITE, REPEATABLE_READ, REPEATABLE_WRITE, Retrier

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


def as_one(requests: Sequence[Request], answers: Sequence[Response]) -> Response:
    """The answer of a batch that counts as one request. Raises OutcomeUnknown or BatchRefused."""
    refusals = {}
    for index, (request, answer) in enumerate(zip(requests, answers, strict=True)):
        if request.writes and answer.status in AMBIGUOUS_WRITE:
            raise OutcomeUnknown(
                f"Microsoft answered {request.method} {request.path} in a batch with {answer.status}",
                code=str(answer.status),
                request_id=answer.request_id,
            )
        if not answer.ok:
            refusals[index] = error_for(request.method, request.path, answer, writes=request.writes)
    if refusals:
        raise BatchRefused(refusals, len(requests))
    return Response(200, None, {}, answers[0].request_id)


def _chunks(requests: Sequence[Request]) -> Iterator[list[int]]:
    """Indexes that may travel together: one service, one API version, reads apart from writes."""
    groups: dict[tuple[str, str, bool], list[int]] = {}
    for index, request in enumerate(requests):
        groups.setdefault((request.service, api_version(request), request.writes), []).append(index)
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
    units = sum(1 if each.writes else resource_units(each.path, each.params) for each in chunk.values())
    response = batched(batch_of(chunk), units, len(chunk) if first.writes else 0)
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


def _read_part(part: dict[str, JSON]) -> Response:
    headers = CaseInsensitiveDict(
        {str(name): str(value) for name, value in (part.get("headers") or {}).items()}
    )
    return Response(part["status"], part.get("body"), headers, headers.get("request-id", ""))
