"""The client for Microsoft Graph and Azure Resource Manager: reads, listings, batches and single writes of
one tenant.

Used by collection, attribution and rollback execution. Writes only if it was created as writable, and never
guesses the outcome of a write whose response was lost. One client per thread, one pacer for all.
"""

import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal, TypeVar
from urllib.parse import parse_qsl, urlsplit

import requests

from tenants.microsoft.batching import as_one, run_batch
from tenants.microsoft.connection import ConnectionConfig
from tenants.microsoft.errors import (
    AnswerTooLarge,
    InvalidAnswer,
    OutcomeUnknown,
    ReadOnlyConnection,
    Unreachable,
)
from tenants.microsoft.failures import error_for
from tenants.microsoft.pacing import PROCESS_PACER, Pacer, UnlimitedPacer, resource_units, service_limit
from tenants.microsoft.request import Request, Response, Safety
from tenants.microsoft.retry import (
    Answered,
    ClientStats,
    Retrier,
    RetryPolicy,
    Unanswered,
    is_ambiguous,
)
from tenants.microsoft.tokens import TokenFacts, TokenSource, token_facts
from tenants.microsoft.wire import Answer, AnswerLost, exchange, open_session, same_origin

T = TypeVar("T", bound=Answered)
AZURE = "arm"
GONE = 404
MOST_PAGES = 5_000
"""Limit for one listing: with pages of 999, five million objects."""
MOST_PAGES_WITHOUT_NEWS = 50
"""Limit of consecutive pages without a new object."""
Priority = Literal["low", "normal", "high"]


class GraphClient:
    def __init__(
        self,
        config: ConnectionConfig,
        *,
        writable: bool = False,
        pacer: Pacer | None = None,
        sleep: Callable[[float], None] = time.sleep,
        now: Callable[[], float] = time.time,
        priority: Priority = "low",
        retry: RetryPolicy | None = None,
        on_answer: Callable[[], None] = lambda: None,
    ) -> None:
        """`on_answer` is called after every answer: a page, an object, a batch."""
        self.config = config
        self.writable = writable
        self.stats = ClientStats()
        self._priority = priority
        self._on_answer = on_answer
        self._pacer = UnlimitedPacer() if config.pace == "unlimited" else pacer or PROCESS_PACER
        self._retrier = Retrier(retry or RetryPolicy(), sleep, now, self.stats)
        self._session: requests.Session = open_session()
        self._tokens = TokenSource(config, self._session, self._retrier)
        self._origin = config.endpoints.graph_url

    def __repr__(self) -> str:
        return f"GraphClient({self._origin}, directory {self.config.directory_id}, writable={self.writable})"

    def close(self) -> None:
        self._session.close()

    def token(self) -> str:
        return self._tokens.token(self._origin)

    def check(self) -> TokenFacts:
        """Signs in and returns the application permissions in the token."""
        return token_facts(self._tokens.token(self._origin))

    def get(
        self,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        service: str = "directory",
    ) -> dict[str, Any]:
        """One object."""
        request = Request("GET", path, params=params or {}, headers=headers or {}, service=service)
        return _json_object(self.send(request), path)

    def get_bytes(self, path: str, *, service: str = "directory") -> bytes:
        """Content that is not JSON, such as an image or a style sheet."""
        request = Request("GET", path, headers={"Accept": "*/*"}, service=service)
        answer = self._exchange(request, self._url(request), _bytes_in)
        if not 200 <= answer.status < 300:
            raise error_for(request.method, path, _response_in(request, answer), writes=False)
        return answer.content

    def get_at(self, link: str, *, service: str) -> dict[str, Any]:
        """The object at a URL that the service returned."""
        parts = urlsplit(link)
        request = Request("GET", parts.path, params=dict(parse_qsl(parts.query)), service=service)
        if not same_origin(link, self._origin_of(request)):
            raise InvalidAnswer("The service refers to another host, which was not followed")
        return _json_object(self.send(request), parts.path)

    def pages(
        self,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        service: str = "directory",
    ) -> Iterator[list[dict[str, Any]]]:
        """A listing page by page; a page may be empty and still be followed by more."""
        request = Request("GET", path, params=params or {}, headers=headers or {}, service=service)
        url: str | None = self._url(request)
        seen: set[str] = set()
        bounds = _Bounds(path)
        while url is not None:
            seen.add(url)
            page = _json_object(self._answered(request, url), path)
            values = page.get("value")
            if not isinstance(values, list) or not all(isinstance(each, dict) for each in values):
                raise InvalidAnswer(f"The listing {path} does not contain a list of objects")
            bounds.count(values)
            yield values
            url = self._next_link(page.get("@odata.nextLink", page.get("nextLink")), seen, request)

    def items(
        self,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        service: str = "directory",
    ) -> Iterator[dict[str, Any]]:
        """A listing object by object."""
        for page in self.pages(path, params=params, headers=headers, service=service):
            yield from page

    def send(self, request: Request) -> Response:
        """Sends one request. Raises for an unsuccessful response, and OutcomeUnknown if a write got no
        response. A batch counts as one request; its parts are paced and repeated individually. Raises
        BatchRefused for a batch.
        """
        self._allow(request)
        if request.parts:
            return as_one(request.parts, self.batch(request.parts))
        return self._answered(request, self._url(request))

    def batch(self, requests: Sequence[Request]) -> list[Response]:
        """Sends any number of independent requests. Returns responses in the same order, each with its own
        status; 429 if a request stays throttled. Services with very low limits are called one request at a
        time. Repeated requests wait together.
        """
        for request in requests:
            self._allow(request)
        return run_batch(requests, self._attempt_alone, self._attempt_batch, self._hold, self._retrier)

    def _allow(self, request: Request) -> None:
        service_limit(request.service)
        if request.writes and not self.writable:
            raise ReadOnlyConnection(
                f"{request.method} {request.path} was not sent because this connection is read-only"
            )

    def _answered(self, request: Request, url: str) -> Response:
        response = self._exchange(request, url, _response_in)
        if not response.ok:
            raise error_for(request.method, request.path, response, writes=request.writes)
        return response

    def _exchange(self, request: Request, url: str, read: Callable[[Request, Answer], T]) -> T:
        """Sends and repeats as allowed. Raises OutcomeUnknown if a write may or may not have been applied."""

        def once() -> T:
            return read(request, self._attempt(request, url, units=self._units(request, url)))

        def hold(seconds: float) -> None:
            self._hold(request, seconds)

        answer = self._retrier.run(once, request.safety, on_throttled=hold)
        if is_ambiguous(answer.status, request.safety):
            raise OutcomeUnknown(
                f"Microsoft answered {request.method} {request.path} with {answer.status}",
                code=str(answer.status),
                request_id=answer.headers.get("request-id", ""),
            )
        return answer

    def _attempt_alone(self, request: Request) -> Response:
        url = self._url(request)
        return _response_in(request, self._attempt(request, url, units=self._units(request, url)))

    def _attempt_batch(self, envelope: Request, units: float, writes: int) -> Response:
        answer = self._attempt(envelope, self._url(envelope), units=units, writes=writes)
        return _response_in(envelope, answer)

    def _attempt(self, request: Request, url: str, *, units: float, writes: int | None = None) -> Answer:
        """Sends once and renews a refused token. Raises Unanswered for a read, OutcomeUnknown for a write."""
        if writes is None:
            writes = int(request.writes)
        origin = self._origin_of(request)
        token = self._tokens.token(origin)
        try:
            answer = self._send(request, url, token, units, writes)
            if answer.status == 401:
                answer = self._send(request, url, self._tokens.renew(origin, token), units, writes)
        except AnswerLost:
            label = f"{request.method} {request.path}"
            if request.writes:
                raise OutcomeUnknown(f"{label} was sent, but its response was lost") from None
            raise Unanswered(
                Unreachable(f"The connection broke before Microsoft responded to {label}")
            ) from None
        return answer

    def _send(self, request: Request, url: str, token: str, units: float, writes: int) -> Answer:
        with self._pacer.slot(self.config.tenant_key, request.service, units=units, writes=writes):
            answer = exchange(
                self._session,
                request.method,
                url,
                headers=self._headers(request, token),
                json_body=request.body if request.content is None else None,
                form=request.content,
            )
        self._pacer.learn(self.config.tenant_key, request.service, units=units, headers=answer.headers)
        self._on_answer()
        return answer

    def _hold(self, request: Request, seconds: float) -> None:
        self._pacer.hold(self.config.tenant_key, request.service, seconds)

    def _headers(self, request: Request, token: str) -> dict[str, str]:
        return {
            "Accept": "application/json",
            "x-ms-throttle-priority": self._priority,
            "client-request-id": str(uuid.uuid4()),
            **request.headers,
            "Authorization": f"Bearer {token}",
        }

    @staticmethod
    def _units(request: Request, url: str) -> float:
        if not service_limit(request.service).unit_based or request.writes:
            return 1
        return resource_units(url)

    def _url(self, request: Request) -> str:
        address = f"{self._origin_of(request)}{request.path}"
        return requests.Request("GET", address, params=dict(request.params)).prepare().url or ""

    def _origin_of(self, request: Request) -> str:
        return self.config.endpoints.arm_url if request.service == AZURE else self._origin

    def _next_link(self, link: object, seen: set[str], request: Request) -> str | None:
        if link is None:
            return None
        if not isinstance(link, str) or not same_origin(link, self._origin_of(request)):
            raise InvalidAnswer(
                f"The listing {request.path} continues on another host, which was not followed"
            )
        if link in seen:
            raise InvalidAnswer(f"The listing {request.path} refers back to a page that was already read")
        return link


class _Bounds:
    """Stops an endless listing. Raises AnswerTooLarge."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.pages = 0
        self.without_news = 0
        self.ids: set[str] = set()

    def count(self, items: Sequence[Mapping[str, Any]]) -> None:
        self.pages += 1
        new = {str(item.get("id")) for item in items} - self.ids
        self.ids |= new
        self.without_news = 0 if new or any("id" not in item for item in items) else self.without_news + 1
        if self.pages >= MOST_PAGES or self.without_news >= MOST_PAGES_WITHOUT_NEWS:
            raise AnswerTooLarge(f"The listing {self.path} did not end within {self.pages} pages")


def _response_in(request: Request, answer: Answer) -> Response:
    """The response with its body read. Raises Unanswered or OutcomeUnknown if it is not in Microsoft's
    format. A 404 is accepted only in Microsoft's format, because absence needs proof.
    """
    body = None
    try:
        body = answer.json()
        usable = True
    except ValueError:
        usable = answer.status >= 300 and (answer.status != GONE or request.writes)
    if request.safety is Safety.READ and answer.status == 200:
        usable = isinstance(body, dict)
    if usable:
        return Response(answer.status, body, answer.headers, answer.headers.get("request-id", ""))
    what = f"The answer to {request.method} {request.path} is not a JSON object"
    if request.writes:
        raise OutcomeUnknown(what)
    raise Unanswered(InvalidAnswer(what))


def _bytes_in(request: Request, answer: Answer) -> Answer:
    """An HTML page is not an image: something in between responded instead of Microsoft."""
    if answer.status == 200 and answer.headers.get("Content-Type", "").startswith("text/html"):
        raise Unanswered(InvalidAnswer(f"The answer to {request.method} {request.path} is a web page"))
    return answer


def _json_object(response: Response, path: str) -> dict[str, Any]:
    if not isinstance(response.body, dict):
        raise InvalidAnswer(f"The answer to GET {path} is not a JSON object")
    return response.body
