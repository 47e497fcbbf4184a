"""Azure Resource Manager as a service: token, version, budget, role, lock, handler, and the activity log."""

import json
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from lavawall.emulator import tokens
from lavawall.emulator.arm import activity, authorization, core, identities, locks, networking, rbac, vaults
from lavawall.emulator.arm.errors import ArmError, bad_request, not_found
from lavawall.emulator.arm.ids import Target, parse, subscription_of
from lavawall.emulator.arm.model import ArmCall, ArmType, Handler
from lavawall.emulator.arm.state import AzureTenant
from lavawall.emulator.arm.throttle import ArmThrottle
from lavawall.emulator.cloud import Cloud
from lavawall.emulator.errors import GraphError
from lavawall.emulator.graph import GraphRequest, Logged
from lavawall.emulator.requests import Answer
from lavawall.emulator.store import Caller

MODULES = (core, authorization, locks, networking, vaults, identities, activity)
TYPES: dict[str, ArmType] = {kind.name.lower(): kind for module in MODULES for kind in module.TYPES}
ACTIONS = {"GET": "read", "PUT": "write", "PATCH": "write", "DELETE": "delete"}


def type_of(method: str, target: Target) -> tuple[ArmType, str, Target]:
    """The declared type that a path names, the verb (list, get, put, patch, delete or an action), and on what."""
    verb = {"GET": "list" if target.is_collection else "get"}.get(method, method.lower())
    if method == "POST" and len(target.types) > 1:
        verb, above = target.types[-1].lower(), target.id.rsplit("/", 1)[0]
        target = replace(target, id=above, types=target.types[:-1])
    kind = TYPES.get(target.type.lower())
    if kind is None:
        raise not_found(
            f"The resource type '{'/'.join(target.types)}' could not be found in the namespace "
            f"'{target.namespace}'.",
            "InvalidResourceType",
        )
    return kind, verb, target


def handler_of(kind: ArmType, verb: str, target: Target) -> Handler:
    handler = kind.handlers.get(verb)
    if handler is None or (target.is_collection and verb != "list"):
        raise ArmError(405, "MethodNotAllowed", f"The verb '{verb}' is not allowed for {kind.name}.")
    return handler


class ArmService:
    """Answers requests under /subscriptions and /providers for every directory of the cloud."""

    def __init__(self, cloud: Cloud, log: list[Logged]) -> None:
        self._cloud = cloud
        self._log = log
        self._throttle = ArmThrottle()

    def respond(self, request: GraphRequest) -> Answer:
        """The answer to one request, an error in Azure's format included."""
        parts = urlsplit(request.target)
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        logged = Logged(request.method, unquote(parts.path), query, body=_logged_body(request.content))
        self._log.append(logged)
        request_id = self._cloud.randomness.guid()
        try:
            answer = self._answer(request, logged, request_id)
        except ArmError as error:
            answer = Answer(error.status, error.body(), dict(error.headers))
        except GraphError as error:
            body = {"error": {"code": error.code, "message": error.message}}
            answer = Answer(error.status, body, dict(error.headers))
        logged.status = answer.status
        answer.headers = {
            **answer.headers,
            "x-ms-request-id": request_id,
            "x-ms-correlation-request-id": request_id,
        }
        return answer

    def _answer(self, request: GraphRequest, logged: Logged, request_id: str) -> Answer:
        azure, caller = self._authenticated(request)
        logged.directory_id, logged.app_id = azure.directory.directory_id, caller.app_id
        kind, verb, target = type_of(request.method, parse(logged.path))
        handler = handler_of(kind, verb, target)
        _check_version(kind, logged.query)
        self._check_subscription(azure, target)
        headers = self._charge(azure, caller, request.method, target)
        call = ArmCall(
            method=request.method,
            origin=request.origin,
            path=logged.path,
            kind=kind,
            target=target,
            cloud=self._cloud,
            azure=azure,
            session=self._cloud.session(azure.directory, caller, correlation_id=request_id),
            query=logged.query,
            headers=request.headers,
            content=request.content,
        )
        action = f"{kind.name}/{ACTIONS.get(request.method, f'{verb}/action')}"
        with azure.directory.lock:
            answer = self._handled(call, handler, action)
        answer.headers |= headers
        return answer

    def _handled(self, call: ArmCall, handler: Handler, action: str) -> Answer:
        """Role, lock and handler; a write is in the activity log whether it came to pass or not."""
        try:
            answer = _allowed(call, handler, action)
        except ArmError as error:
            if call.method != "GET" and call.subscription_id:
                activity.record(call, action, Answer(error.status, error.body()))
            raise
        if call.method != "GET" and call.subscription_id:
            activity.record(call, action, answer)
        return answer

    def _authenticated(self, request: GraphRequest) -> tuple[AzureTenant, Caller]:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise ArmError(
                401,
                "AuthenticationFailed",
                "Authentication failed. The 'Authorization' header is missing.",
                {"WWW-Authenticate": 'Bearer error="invalid_token"'},
            )
        audiences = [*tokens.ARM_AUDIENCES, request.origin]
        directory_id, caller = tokens.read(token, audiences=audiences, now=self._cloud.clock())
        azure = self._cloud.azure.get(directory_id)
        if azure is None:
            raise ArmError(
                401, "InvalidAuthenticationToken", "The tenant of this access token does not exist."
            )
        rbac.check_caller(azure.directory, caller)
        return azure, caller

    def _check_subscription(self, azure: AzureTenant, target: Target) -> None:
        wanted = subscription_of(target.id)
        if not wanted or wanted in azure.subscriptions:
            return
        if any(wanted in other.subscriptions for other in self._cloud.azure.values()):
            raise ArmError(
                401,
                "InvalidAuthenticationTokenTenant",
                "The access token is from the wrong issuer: the subscription belongs to another tenant.",
            )
        raise not_found(f"The subscription '{wanted}' could not be found.", "SubscriptionNotFound")

    def _charge(self, azure: AzureTenant, caller: Caller, method: str, target: Target) -> dict[str, str]:
        subscription_id = subscription_of(target.id)
        return self._throttle.charge(
            subscription_id or azure.directory.directory_id,
            caller.object_id,
            method,
            at_tenant=not subscription_id,
            enforced=self._cloud.options.throttle,
            now=self._cloud.clock().timestamp(),
        )


def _allowed(call: ArmCall, handler: Handler, action: str) -> Answer:
    scope = call.target.parent_id if call.target.is_collection else call.target.id
    is_open = call.kind.open_at_root and call.method == "GET" and not call.subscription_id
    if not is_open:
        rbac.authorise(call.azure, call.session.caller, action, scope)
    if call.method in {"PUT", "PATCH", "DELETE"} and call.kind.name != locks.LOCKS:
        locks.refuse_locked(call.azure, call.method, call.target.id)
    return handler(call)


def _check_version(kind: ArmType, query: dict[str, str]) -> None:
    version = query.get("api-version", "").lower()
    if not version:
        raise bad_request(
            "The api-version query parameter (?api-version=) is required for all requests.",
            "MissingApiVersionParameter",
        )
    if version not in kind.versions:
        raise bad_request(
            f"The api-version '{version}' is invalid for the type '{kind.name}'. The supported versions are "
            f"'{','.join(kind.versions)}'.",
            "InvalidApiVersionParameter",
        )


def _logged_body(content: bytes) -> Any:
    try:
        return json.loads(content) if content else None
    except ValueError:
        return None
