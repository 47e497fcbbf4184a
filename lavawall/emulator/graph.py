"""The Graph service: token, throttle, permission, route, and the error format around all of it. Also $batch."""

import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from werkzeug.datastructures import Headers

from lavawall.emulator import permissions, registry, tokens, types
from lavawall.emulator.cloud import Cloud
from lavawall.emulator.errors import GraphError, bad_request, invalid_token
from lavawall.emulator.faults import Faults
from lavawall.emulator.licences import refused_without
from lavawall.emulator.requests import Answer, Call
from lavawall.emulator.routes import Route, Routes, routes_of
from lavawall.emulator.store import Caller, Directory
from lavawall.emulator.throttle import Throttle, unit_cost

VERSIONS = frozenset({"v1.0", "beta"})
LARGEST_BATCH = 20
assert types.__name__  # noqa: S101 - importing the package registers every type


@dataclass(frozen=True)
class GraphRequest:
    """One HTTP request to Graph, alone or out of a batch."""

    method: str
    origin: str
    target: str
    headers: Headers
    content: bytes = b""


@dataclass
class Logged:
    """One request as the log keeps it, for assertions."""

    method: str
    path: str
    query: dict[str, str]
    status: int = 0
    directory_id: str = ""
    app_id: str = ""
    body: Any = field(default=None, repr=False)


class GraphService:
    """Answers requests under /v1.0 and /beta for every directory of the cloud."""

    def __init__(self, cloud: Cloud, faults: Faults, log: list[Logged]) -> None:
        self._cloud = cloud
        self._faults = faults
        self._log = log
        self._throttle = Throttle()
        self._routes = Routes(route for kind in registry.KINDS.values() for route in routes_of(kind))

    def respond(self, request: GraphRequest) -> Answer:
        """The answer to one request, an error in Graph's format included."""
        parts = urlsplit(request.target)
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        logged = Logged(request.method, unquote(parts.path), query, body=_logged_body(request))
        self._log.append(logged)
        request_id = self._cloud.randomness.guid()
        client_request_id = request.headers.get("client-request-id", request_id)
        try:
            answer = self._answer(request, unquote(parts.path), query, logged, request_id)
        except GraphError as error:
            date = self._cloud.clock().strftime("%Y-%m-%dT%H:%M:%S")
            body = error.body(date=date, request_id=request_id, client_request_id=client_request_id)
            answer = Answer(error.status, body, dict(error.headers))
        logged.status = answer.status
        answer.headers = {**answer.headers, "request-id": request_id, "client-request-id": client_request_id}
        return answer

    def _answer(
        self, request: GraphRequest, path: str, query: dict[str, str], logged: Logged, request_id: str
    ) -> Answer:
        version, _, rest = path.strip("/").partition("/")
        if version not in VERSIONS:
            raise bad_request(f"Invalid version: {version}.", "BadRequest")
        directory, caller = self._authenticated(request)
        logged.directory_id, logged.app_id = directory.directory_id, caller.app_id
        if rest.lower() == "$batch":
            return self._batch(request, version)
        route, parameters = self._routes.match(request.method, "/" + rest, version)
        headers = self._charge(route, directory, caller, request.method, rest, query)
        call = Call(
            method=request.method,
            url=f"{request.origin}{request.target}",
            root=f"{request.origin}/{version}",
            version=version,
            session=self._cloud.session(directory, caller, correlation_id=request_id, version=version),
            pages=self._cloud.pages,
            parameters=parameters,
            query=query,
            headers=request.headers,
            content=request.content,
        )
        with directory.lock:
            directory.settle()
            for needed in route.needed(call):
                permissions.authorise(directory, caller, needed, writes=route.writes)
            if route.licence is not None and route.licence.name in directory.unlicensed:
                raise refused_without(route.licence)
            answer = route.handler(call)
        answer.headers |= headers
        return answer

    def _authenticated(self, request: GraphRequest) -> tuple[Directory, Caller]:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise invalid_token("Access token is empty.")
        audiences = [tokens.GRAPH_AUDIENCE, request.origin]
        directory_id, caller = tokens.read(token, audiences=audiences, now=self._cloud.clock())
        directory = self._cloud.directory(directory_id)
        if directory is None:
            raise invalid_token("The tenant of this access token does not exist.")
        return directory, caller

    def _charge(
        self,
        route: Route,
        directory: Directory,
        caller: Caller,
        method: str,
        path: str,
        query: dict[str, str],
    ) -> dict[str, str]:
        cost = unit_cost(method, "/" + path, query)
        if not self._cloud.options.throttle:
            return {"x-ms-resource-unit": str(cost)} if route.service == "directory" else {}
        return self._throttle.charge(
            route.service,
            directory.directory_id,
            caller.app_id,
            cost=cost,
            writes=route.writes,
            now=self._cloud.clock(),
        )

    def _batch(self, request: GraphRequest, version: str) -> Answer:
        requests = _batch_requests(request.content)
        done: dict[str, Answer] = {}
        for entry in requests:
            failed = [each for each in entry.get("dependsOn") or [] if done[each].status >= 400]
            done[entry["id"]] = _failed_dependency() if failed else self._part(request, version, entry)
        responses = [
            {
                "id": identifier,
                "status": answer.status,
                "headers": {"Content-Type": "application/json", **answer.headers},
                "body": answer.body,
            }
            for identifier, answer in done.items()
        ]
        if self._cloud.options.shuffle:
            responses = self._cloud.randomness.shuffled(responses)
        return Answer(200, {"responses": responses})

    def _part(self, request: GraphRequest, version: str, entry: dict[str, Any]) -> Answer:
        headers = Headers({"Authorization": request.headers.get("Authorization", "")})
        headers.update(entry.get("headers") or {})
        content = json.dumps(entry["body"]).encode() if entry.get("body") is not None else b""
        url = "/" + str(entry["url"]).lstrip("/")
        part = GraphRequest(entry["method"].upper(), request.origin, f"/{version}{url}", headers, content)
        fault = self._faults.take(entry["method"], urlsplit(f"/{version}{url}").path)
        if fault is None:
            return self.respond(part)
        if fault.behaviour == "not_json":
            return Answer(200)
        if fault.behaviour == "answer_after":
            self.respond(part)
        return Answer(fault.status, fault.body, dict(fault.headers))


def _logged_body(request: GraphRequest) -> Any:
    try:
        return json.loads(request.content) if request.content else None
    except ValueError:
        return None


def _failed_dependency() -> Answer:
    return Answer(
        424, {"error": {"code": "FailedDependency", "message": "A request that this one depends on failed."}}
    )


def _batch_requests(content: bytes) -> list[dict[str, Any]]:
    try:
        requests = json.loads(content)["requests"]
        seen: set[str] = set()
        for entry in requests:
            if entry["id"] in seen or not seen.issuperset(entry.get("dependsOn") or []):
                raise bad_request(
                    f"Batch request '{entry['id']}' is repeated or depends on an unknown request.",
                    "BadRequest",
                )
            if not isinstance(entry["method"], str) or not isinstance(entry["url"], str):
                raise bad_request("Batch requests need 'method' and 'url'.", "BadRequest")
            seen.add(entry["id"])
    except (ValueError, KeyError, TypeError) as error:
        raise bad_request("Invalid batch payload format.", "BadRequest") from error
    if not 0 < len(requests) <= LARGEST_BATCH:
        raise bad_request(f"Number of batch requests must be between 1 and {LARGEST_BATCH}.", "BadRequest")
    found: list[dict[str, Any]] = requests
    return found
