"""Graph's JSON batching: up to twenty requests in one, each with its own result. Called by the client, which
sends. Works in rounds: everything is sent, then all requests that may be repeated wait together and are sent
again. A write that may have been applied is never repeated.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from requests.structures import CaseInsensitiveDict

from tenants.microsoft.errors import BatchRefused, InvalidAnswer, MicrosoftError, OutcomeUnknown
from tenants.microsoft.failures import error_for
from tenants.microsoft.pacing import resource_units, service_limit
from tenants.microsoft.request import JSON, Request, Response, Safety, api_version, batch_of
from tenants.microsoft.retry import (
    THROTTLED,
    Answered,
    Patience,
    Retrier,
    is_ambiguous,
    may_repeat,
)

BATCH_SIZE = 20

Alone = Callable[[Request], Response]
Batched = Callable[[Request, float, int], Response]
Hold = Callable[[Request, float], None]
Outcome = Response | MicrosoftError
"""A response, or for a read the reason why there is no usable response."""


def run_batch(
    requests: Sequence[Request], alone: Alone, batched: Batched, hold: Hold, retrier: Retrier
) -> list[Response]:
    """Raises OutcomeUnknown for a write. For a read without a usable response, raises its error."""
    return _Rounds(requests, alone, batched, hold, retrier).run()


def as_one(requests: Sequence[Request], answers: Sequence[Response]) -> Response:
    """The response of a batch that counts as one request. Raises OutcomeUnknown or BatchRefused."""
    refusals = {}
    for index, (request, answer) in enumerate(zip(requests, answers, strict=True)):
        if is_ambiguous(answer.status, request.safety):
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


@dataclass
class _Rounds:
    requests: Sequence[Request]
    alone: Alone
    batched: Batched
    hold: Hold
    retrier: Retrier
    outcomes: dict[int, Outcome] = field(default_factory=dict)
    travelled: set[int] = field(default_factory=set)
    """Requests that were sent in a batch and are repeated in one."""

    def run(self) -> list[Response]:
        patience = [self.retrier.patience() for _ in self.requests]
        waiting: Sequence[int] = range(len(self.requests))
        while waiting:
            for indexes in _chunks(self.requests, waiting):
                self._send({index: self.requests[index] for index in indexes})
            wait, waiting = self._next_round(waiting, patience)
            if waiting:
                self.retrier.sleep(wait)
                self.retrier.stats.retried += 1
        return [self._final(index) for index in range(len(self.requests))]

    def _next_round(self, indexes: Sequence[int], patience: Sequence[Patience]) -> tuple[float, list[int]]:
        """How long to wait: the longest delay that any of the requests needs."""
        waits = {}
        for index in indexes:
            outcome = self.outcomes[index]
            answer = None if isinstance(outcome, MicrosoftError) else outcome
            if answer is None or may_repeat(answer.status, self.requests[index].safety):
                wait = patience[index].next_wait(answer, self.retrier.now())
                if wait is not None:
                    waits[index] = wait
        return max(waits.values(), default=0.0), list(waits)

    def _send(self, chunk: Mapping[int, Request]) -> None:
        """Records the response to each request of the chunk."""
        first = next(iter(chunk.values()))
        is_single = len(chunk) == 1 and not self.travelled & chunk.keys()
        if is_single or not service_limit(first.service).batched:
            for index, request in chunk.items():
                self.outcomes[index] = self._noticed(request, self.retrier.once(partial(self.alone, request)))
            return
        self.travelled |= chunk.keys()
        envelope = batch_of(chunk)
        units = sum(1 if each.writes else resource_units(each.path, each.params) for each in chunk.values())
        writes = len(chunk) if first.writes else 0
        outcome = self._noticed(envelope, self.retrier.once(lambda: self.batched(envelope, units, writes)))
        if isinstance(outcome, MicrosoftError):
            self.outcomes |= dict.fromkeys(chunk, outcome)
        elif outcome.ok:
            self.outcomes |= _parts_of(outcome, chunk)
            self._count_throttled(first, chunk)
        elif may_repeat(outcome.status, envelope.safety):
            self.outcomes |= dict.fromkeys(chunk, outcome)
        else:
            raise _refused(envelope, outcome)

    def _noticed(self, request: Request, outcome: Outcome) -> Outcome:
        if not isinstance(outcome, MicrosoftError) and outcome.status == THROTTLED:
            self.hold(request, self.retrier.hold(outcome))
        return outcome

    def _count_throttled(self, first: Request, chunk: Mapping[int, Request]) -> None:
        throttled: list[Answered] = [
            outcome
            for index in chunk
            if isinstance(outcome := self.outcomes[index], Response) and outcome.status == THROTTLED
        ]
        self.retrier.stats.throttled += len(throttled)
        if throttled:
            self.hold(first, max(self.retrier.hold(answer) for answer in throttled))

    def _final(self, index: int) -> Response:
        outcome = self.outcomes[index]
        if isinstance(outcome, MicrosoftError):
            raise outcome
        return outcome


def _chunks(requests: Sequence[Request], indexes: Sequence[int]) -> Iterator[list[int]]:
    """Indexes of requests that can share a batch: same service and API version, reads separate from writes."""
    groups: dict[tuple[str, str, bool], list[int]] = {}
    for index in indexes:
        request = requests[index]
        groups.setdefault((request.service, api_version(request), request.writes), []).append(index)
    for group in groups.values():
        for start in range(0, len(group), BATCH_SIZE):
            yield group[start : start + BATCH_SIZE]


def _refused(envelope: Request, response: Response) -> MicrosoftError:
    """Why the batch as a whole was not applied, or may have been."""
    if is_ambiguous(response.status, envelope.safety):
        return OutcomeUnknown(
            f"Microsoft answered a batch of writes with {response.status}",
            code=str(response.status),
            request_id=response.request_id,
        )
    return error_for(envelope.method, envelope.path, response, writes=envelope.writes)


def _parts_of(response: Response, chunk: Mapping[int, Request]) -> dict[int, Outcome]:
    parts = response.body.get("responses") if isinstance(response.body, dict) else None
    answers: dict[int, Outcome] = {
        int(part["id"]): _read_part(part, chunk.get(int(part["id"])))
        for part in (parts if isinstance(parts, list) else [])
        if isinstance(part, dict)
        and str(part.get("id", "")).isdecimal()
        and isinstance(part.get("status"), int)
    }
    if set(answers) == set(chunk):
        return answers
    what = "The response to a batch does not contain a response for each request"
    if any(request.writes for request in chunk.values()):
        raise OutcomeUnknown(what, request_id=response.request_id)
    missing = InvalidAnswer(what, request_id=response.request_id)
    return {index: answers.get(index, missing) for index in chunk}


def _read_part(part: dict[str, JSON], request: Request | None) -> Outcome:
    headers = CaseInsensitiveDict(
        {str(name): str(value) for name, value in (part.get("headers") or {}).items()}
    )
    response = Response(part["status"], part.get("body"), headers, headers.get("request-id", ""))
    if request is not None and request.safety is Safety.READ and _is_no_object(response):
        what = f"The answer to {request.method} {request.path} in a batch is not a JSON object"
        return InvalidAnswer(what, request_id=response.request_id)
    return response


def _is_no_object(response: Response) -> bool:
    return response.status == 200 and not isinstance(response.body, dict)
