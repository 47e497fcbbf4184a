"""The usual verbs of a resource type: list with pages, GET, full PUT, PATCH of tags, DELETE, and long operations."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

from lavawall.emulator.arm.errors import bad_request, conflict, not_found
from lavawall.emulator.arm.ids import CORE, covers, group_of, subscription_of
from lavawall.emulator.arm.model import ArmCall, ArmType, ArmWrite, Handler
from lavawall.emulator.arm.spelling import respelling
from lavawall.emulator.arm.state import Operation, Resource
from lavawall.emulator.errors import GraphError
from lavawall.emulator.requests import Answer
from lavawall.emulator.store import Caller, Json, precise_timestamp

LARGEST_PAGE = 1_000
MOST_TAGS = 50
Item = TypeVar("Item")


def shown(call: ArmCall, resource: Resource) -> Json:
    return respelling(call.session, call.kind.body_of(resource, call))


def read(call: ArmCall, resource: Resource) -> Json:
    """The resource as a GET shows it, which is when a client learns that a write has settled."""
    body = shown(call, resource)
    resource.unsettled = ""
    return body


def page(call: ArmCall, found: Iterable[Resource]) -> Answer:
    """One page of resources, which come in any order."""

    def listing() -> list[Resource]:
        every = list(found)
        return call.session.randomness.shuffled(every) if call.session.options.shuffle else every

    return paged(call, listing, lambda each: read(call, each))


def paged(
    call: ArmCall,
    found: Callable[[], list[Item]],
    show: Callable[[Item], Json],
    *,
    largest: int = LARGEST_PAGE,
) -> Answer:
    """One page with the nextLink to the rest; the rest is remembered, so that pages do not overlap."""
    owner = f"{call.azure.directory.directory_id}/{call.target.id.lower()}"
    rest = _kept(call, owner) if "$skiptoken" in call.query else found()
    size = _page_size(call, largest)
    body: Json = {"value": [show(each) for each in rest[:size]]}
    if rest[size:]:
        query = {**call.query, "$skiptoken": call.cloud.arm_pages.store(owner, rest[size:])}
        body["nextLink"] = f"{call.origin}{quote(call.path)}?{urlencode(query)}"
    return Answer(200, body)


def _kept(call: ArmCall, owner: str) -> list[Any]:
    try:
        return call.cloud.arm_pages.rest(owner, call.query["$skiptoken"])
    except GraphError as error:
        raise bad_request("The skip token is not valid for this listing.", "InvalidSkipToken") from error


def _page_size(call: ArmCall, largest: int) -> int:
    top = call.query.get("$top", "")
    largest = min(call.session.options.page_size or largest, largest)
    return min(int(top), largest) if top.isdecimal() and int(top) else largest


def require_place(call: ArmCall) -> None:
    """Refuses what is asked in a group, resource or parent that does not exist."""
    target = call.target
    group = group_of(target.scope)
    if group and call.azure.get(f"/subscriptions/{call.subscription_id}/resourceGroups/{group}") is None:
        raise not_found(f"Resource group '{group}' could not be found.", "ResourceGroupNotFound")
    if "/providers/" in target.scope.lower() and call.azure.get(target.scope) is None:
        raise missing(target.scope)
    is_child = len(target.types) > 1 and target.namespace.lower() != CORE.lower()
    if is_child and call.azure.get(target.parent_id) is None:
        raise not_found(
            f"Can not perform requested operation on nested resource. Parent resource '{target.parent_id}' not "
            "found.",
            "ParentResourceNotFound",
        )


def missing(identifier: str) -> Exception:
    group = group_of(identifier)
    return not_found(f"The Resource '{identifier}' under resource group '{group or '<null>'}' was not found.")


def find(call: ArmCall) -> Resource:
    require_place(call)
    found = call.azure.get(call.target.id)
    if found is None:
        raise missing(call.target.id)
    return found


def list_below(call: ArmCall) -> Answer:
    """What lies anywhere below the scope: a subscription, a group, or the parent of a child type."""
    require_place(call)
    above = call.target.parent_id
    return page(call, call.azure.all(call.kind.name, above))


def get(call: ArmCall) -> Answer:
    return Answer(200, read(call, find(call)))


def put(call: ArmCall) -> Answer:
    """Creates, or replaces everything that a client can set."""
    require_place(call)
    body = call.body()
    before = call.azure.get(call.target.id)
    after = Resource(before.id if before else canonical_id(call), call.kind.name, {})
    after.bound = before.bound if before else set()
    if call.kind.is_tracked:
        after.body["location"] = _location(body, before)
        after.body["tags"] = checked_tags(body.get("tags") or {})
    after.body["properties"] = _carried(call.kind, before) | known_properties(call.kind, body)
    return store(ArmWrite(call, body, after, before))


def patch_tags(call: ArmCall) -> Answer:
    """PATCH of a type that takes nothing but tags there."""
    before, body = find(call), call.body()
    if body.get("properties"):
        raise bad_request("Only tags can be changed with PATCH.", "InvalidRequestFormat")
    after = Resource(
        before.id, before.type, {**before.body, "properties": dict(before.properties)}, before.bound
    )
    after.body["tags"] = checked_tags(body.get("tags") or {})
    return store(ArmWrite(call, body, after, before), tags_only=True)


def delete(call: ArmCall) -> Answer:
    """DELETE, which is also content with what is not there."""
    found = call.azure.get(call.target.id)
    if found is None:
        return Answer(204)
    if call.kind.delete_check is not None:
        call.kind.delete_check(call, found)
    call.azure.remove(found)
    if call.kind.deleted is not None:
        call.kind.deleted(call, found)
    if call.kind.is_async:
        return Answer(202, None, operation_headers(call, found))
    return Answer(200)


def store(write: ArmWrite, *, tags_only: bool = False) -> Answer:
    """Checks and keeps what is written; 201 for what is new, 200 for what was there. Tags alone settle at once."""
    call, after = write.call, write.after
    kind = call.kind
    if kind.check is not None and not tags_only:
        kind.check(write)
    if kind.is_tracked and not call.session.is_seeding:
        after.body["tags"] = {**call.subscription.appended_tags, **after.body["tags"]}
    if kind.has_system_data:
        after.body["systemData"] = _system_data(call, write.before)
    if kind.has_etag:
        after.body["etag"] = call.session.randomness.guid()
    call.azure.put(after)
    if write.before is None and kind.created is not None:
        kind.created(call, after)
    if not call.session.is_seeding and not tags_only:
        after.unsettled = kind.updating_state if write.before else kind.creating_state
    headers = operation_headers(call, after) if kind.is_async and not tags_only else {}
    return Answer(200 if write.before else 201, shown(call, after), headers)


CRUD: Mapping[str, Handler] = {"list": list_below, "get": get, "put": put, "delete": delete}


def canonical_id(call: ArmCall) -> str:
    """The id of a new resource: keywords in the service's own letter case, names as the client wrote them."""
    namespace, *types = call.kind.name.split("/")
    if len(types) > 1:
        parent = call.azure.get(call.target.parent_id)
        above = parent.id if parent is not None else call.target.parent_id
        return f"{above}/{types[-1]}/{call.target.name}"
    return f"{canonical_scope(call, call.target.scope)}/providers/{namespace}/{types[0]}/{call.target.name}"


def canonical_scope(call: ArmCall, scope: str) -> str:
    found = call.azure.get(scope) if scope.strip("/") else None
    if found is not None:
        return found.id
    subscription_id = subscription_of(scope)
    return f"/subscriptions/{subscription_id}" if subscription_id else ""


def _location(body: Json, before: Resource | None) -> str:
    given = str(body.get("location") or "").replace(" ", "").lower()
    if not given:
        raise bad_request("The location property is required for this definition.", "LocationRequired")
    if before is not None and before.body["location"] != given:
        raise conflict(
            f"The resource '{before.name}' already exists in location '{before.body['location']}'. A resource "
            f"with the same name cannot be created in location '{given}'.",
            "InvalidResourceLocation",
        )
    return given


def checked_tags(tags: Any) -> dict[str, str]:
    if not isinstance(tags, dict) or len(tags) > MOST_TAGS:
        raise bad_request(f"Tags are an object of at most {MOST_TAGS} names.", "InvalidTags")
    if not all(isinstance(value, str) for value in tags.values()):
        raise bad_request("The values of tags are texts.", "InvalidTags")
    return dict(tags)


def _carried(kind: ArmType, before: Resource | None) -> Json:
    """What the service keeps about a resource through every write."""
    if before is None:
        return {}
    return {name: value for name, value in before.properties.items() if name in kind.computed}


def known_properties(kind: ArmType, body: Json) -> Json:
    """The members that a client may set; what only the service sets is ignored, as are unknown ones if not strict."""
    sent = body.get("properties") or {}
    unknown = set(sent) - kind.writable - kind.computed
    if unknown and kind.strict:
        raise bad_request(
            f"Could not find member '{min(unknown)}' on an object of type {kind.name}.",
            "InvalidRequestFormat",
        )
    return {name: value for name, value in sent.items() if name in kind.writable and value is not None}


def author(caller: Caller) -> tuple[str, str]:
    """Who is named as author of a write, and as what."""
    if caller.kind == "user":
        return str(caller.user_principal_name), "User"
    return (caller.app_id or "seed@emulator.example"), ("Application" if caller.app_id else "User")


def _system_data(call: ArmCall, before: Resource | None) -> Json:
    name, kind = author(call.session.caller)
    moment = precise_timestamp(call.session.now)
    created = {"createdBy": name, "createdByType": kind, "createdAt": moment}
    if before is not None:
        created = {key: value for key, value in before.body["systemData"].items() if key in created}
    return {**created, "lastModifiedBy": name, "lastModifiedByType": kind, "lastModifiedAt": moment}


def operation_headers(call: ArmCall, resource: Resource) -> dict[str, str]:
    """Where the client may follow a long-running write."""
    identifier = call.session.randomness.guid()
    call.azure.operations[identifier] = Operation(resource.id)
    namespace, location = call.kind.name.partition("/")[0], resource.body.get("location", "westeurope")
    base = f"{call.origin}/subscriptions/{call.subscription_id}/providers/{namespace}/locations/{location}"
    version = urlencode({"api-version": call.query.get("api-version", "")})
    return {
        "Azure-AsyncOperation": f"{base}/operations/{identifier}?{version}",
        "Location": f"{base}/operationResults/{identifier}?{version}",
    }


def _operation(call: ArmCall) -> tuple[Operation, bool]:
    """The operation and whether it is done: it is once it has been asked for before."""
    found = call.azure.operations.get(call.target.name)
    if found is None or not covers(f"/subscriptions/{call.subscription_id}", found.resource_id):
        raise not_found(f"The operation '{call.target.name}' was not found.", "OperationNotFound")
    done, found.asked = found.asked, True
    resource = call.azure.get(found.resource_id)
    if done and resource is not None:
        resource.unsettled = ""
    return found, done


def operation_status(call: ArmCall) -> Answer:
    _, done = _operation(call)
    return Answer(200, {"status": "Succeeded" if done else "InProgress"})


def operation_result(call: ArmCall) -> Answer:
    _, done = _operation(call)
    if done:
        return Answer(204)
    return Answer(202, None, {"Location": f"{call.origin}{call.path}?{urlencode(dict(call.query))}"})
