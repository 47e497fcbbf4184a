"""The client for Microsoft Graph and Azure Resource Manager: reads, listings, batches and single writes of one tenant.

Used by collection, attribution and the rollback's senders. Writes only when it was made writable;
never guesses what became of a write whose answer was lost. One client per thread, one pacer for all.
"""

import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal
from urllib.parse import parse_qsl, urlsplit

import requests

from tenants.microsoft.batching import as_one, run_batch
from tenants.microsoft.connection import ConnectionConfig
from tenants.microsoft.errors import InvalidAnswer, OutcomeUnknown, ReadOnlyConnection
from tenants.microsoft.failures import error_for
from tenants.microsoft.pacing import PROCESS_PACER, Pacer, UnlimitedPacer, resource_units, service_limit
from tenants.microsoft.request import Request, Response
from tenants.microsoft.retry import ClientStats, Retrier, RetryPolicy
from tenants.microsoft.tokens import TokenFacts, TokenSource, token_facts
from tenants.microsoft.wire import Answer, exchange, open_session, same_origin

AZURE = "arm"
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
    ) -> None:
        self.config = config
        self.writable = writable
        self.stats = ClientStats()
        self._priority = priority
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
        """Sign in, and say which application permissions the token carries."""
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
        """What is no JSON: an image, a style sheet."""
        request = Request("GET", path, headers={"Accept": "*/*"}, service=service)
        answer = self._exchange(request, self._url(request))
        if not 200 <= answer.status < 300:
            raise error_for(request.method, path, self._response(request, answer), writes=False)
        return answer.content

    def get_at(self, link: str, *, service: str) -> dict[str, Any]:
        """The object at an address that the service itself gave."""
        parts = urlsplit(link)
        request = Request("GET", parts.path, params=dict(parse_qsl(parts.query)), service=service)
        if not same_origin(link, self._origin_of(request)):
            raise InvalidAnswer("The service refers to a foreign address, which was not followed")
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
        while url is not None:
            seen.add(url)
            page = _json_object(self._answered(request, url), path)
            values = page.get("value")
            if not isinstance(values, list) or not all(isinstance(each, dict) for each in values):
                raise InvalidAnswer(f"The listing {path} came without a list of objects")
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
        """One request. Raises for an answer that is no success; OutcomeUnknown when a write got no answer.

        A batch counts as one: it is paced, and repeated where throttled, by its parts. Raises BatchRefused for it.
        """
        self._allow(request)
        if request.parts:
            return as_one(request.parts, self.batch(request.parts))
        return self._answered(request, self._url(request))

    def batch(self, requests: Sequence[Request]) -> list[Response]:
        """Any number of independent requests, answers in the same order, each with its own status.

        A request that stays throttled to the end is answered by its 429. Services that are limited to a few
        requests are called one by one.
        """
        for request in requests:
            self._allow(request)
        return run_batch(requests, self._alone, self._batched, self._retrier)

    def _allow(self, request: Request) -> None:
        service_limit(request.service)
        if request.writes and not self.writable:
            raise ReadOnlyConnection(
                f"{request.method} {request.path} was not sent: this connection only reads"
            )

    def _alone(self, request: Request) -> Response:
        return self._response(request, self._exchange(request, self._url(request)))

    def _batched(self, envelope: Request, units: float, writes: int) -> Response:
        answer = self._exchange(envelope, self._url(envelope), units=units, writes=writes)
        response = self._response(envelope, answer, writes=writes > 0)
        if not response.ok:
            raise error_for(envelope.method, envelope.path, response, writes=writes > 0)
        return response

    def _answered(self, request: Request, url: str) -> Response:
        response = self._response(request, self._exchange(request, url))
        if not response.ok:
            raise error_for(request.method, request.path, response, writes=request.writes)
        return response

    def _response(self, request: Request, answer: Answer, *, writes: bool | None = None) -> Response:
        try:
            body = answer.json()
        except ValueError:
            if answer.status < 300:
                kind = OutcomeUnknown if (request.writes if writes is None else writes) else InvalidAnswer
                raise kind(f"The answer to {request.method} {request.path} is no JSON") from None
            body = None
        return Response(answer.status, body, answer.headers, answer.headers.get("request-id", ""))

    def _exchange(
        self, request: Request, url: str, *, units: float | None = None, writes: int | None = None
    ) -> Answer:
        """Send with a token, paced and repeated as allowed; a refused token is renewed once."""
        if writes is None:
            writes = int(request.writes)
        if units is None:
            units = self._units(request, url)
        origin = self._origin_of(request)
        token = self._tokens.token(origin)
        answer = self._repeat(request, url, token, units, writes)
        if answer.status == 401:
            token = self._tokens.renew(origin, token)
            answer = self._repeat(request, url, token, units, writes)
        return answer

    def _repeat(self, request: Request, url: str, token: str, units: float, writes: int) -> Answer:
        def once() -> Answer:
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
            return answer

        def hold(seconds: float) -> None:
            self._pacer.hold(self.config.tenant_key, request.service, seconds)

        label = f"{request.method} {request.path}"
        return self._retrier.run(once, label=label, writes=writes > 0, on_throttled=hold)

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
        if not service_limit(request.service).weighed or request.writes:
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
                f"The listing {request.path} continues at a foreign address, which was not followed"
            )
        if link in seen:
            raise InvalidAnswer(f"The listing {request.path} refers back to a page that was read already")
        return link


def _json_object(response: Response, path: str) -> dict[str, Any]:
    if not isinstance(response.body, dict):
        raise InvalidAnswer(f"The answer to GET {path} is no JSON object")
    return response.body
