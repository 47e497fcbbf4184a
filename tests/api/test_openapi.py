"""The OpenAPI document is complete, and the answers are what it says."""

from types import SimpleNamespace
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest
from django.core.management import call_command
from drf_spectacular.generators import SchemaGenerator

from tenants.access.matrix import Role
from tests.api.conftest import World
from tests.api.routes import OPERATIONS, Operation

OBJECT = SimpleNamespace(
    pk="{id}",
    snapshot_id="{id}",
    name="",
    resource_type="{resource_type}",
    resource_id="{resource_id}",
    previous_snapshot_id="",
)
PLACEHOLDER: Any = SimpleNamespace(
    customer=OBJECT,
    tenant=OBJECT,
    change=OBJECT,
    event=OBJECT,
    run=OBJECT,
    rollback=OBJECT,
    act=SimpleNamespace(number="{number}"),
)
"""A side whose ids are the names of the path's parameters."""


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    made: dict[str, Any] = SchemaGenerator().get_schema(public=True)
    return made


def operations(document: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        operation
        for methods in document["paths"].values()
        for method, operation in methods.items()
        if method in ("get", "post", "put", "patch", "delete")
    ]


def test_the_document_is_valid_and_without_warnings(tmp_path: Any) -> None:
    call_command("spectacular", validate=True, fail_on_warn=True, file=str(tmp_path / "schema.yml"))


def test_every_operation_is_described(document: dict[str, Any]) -> None:
    assert len(operations(document)) == len(OPERATIONS)
    for operation in operations(document):
        assert operation["summary"]
        assert len(operation["tags"]) == 1
        assert {"apiToken": []} in operation["security"]
        assert {"401", "403", "404"} <= set(operation["responses"])
    names = [operation["operationId"] for operation in operations(document)]
    assert len(names) == len(set(names))


def test_a_token_and_a_session_are_declared(document: dict[str, Any]) -> None:
    schemes = document["components"]["securitySchemes"]
    assert schemes["apiToken"]["scheme"] == "bearer"
    assert schemes["session"]["in"] == "cookie"


@pytest.mark.parametrize("operation", OPERATIONS, ids=str)
def test_answers_are_what_the_document_says(
    world: World, document: dict[str, Any], operation: Operation
) -> None:
    client = world.client(operation.allowed)
    response = getattr(client, operation.method)(
        f"/api/v1/{operation.path(world.ours)}", operation.body(world.ours)
    )
    declared = declared_for(document, operation)["responses"][str(response.status_code)]
    schema = strict(declared["content"][response["Content-Type"]]["schema"])
    components = {name: strict(each) for name, each in document["components"]["schemas"].items()}
    jsonschema.validate(response.json(), {**schema, "components": {"schemas": components}})


def test_problems_are_what_the_document_says(world: World, document: dict[str, Any]) -> None:
    problem = strict(document["components"]["schemas"]["Problem"])
    client = world.client(Role.ENGINEER)
    for response in (client.get("/api/v1/changes/0/"), client.post("/api/v1/snapshots/", {})):
        jsonschema.validate(response.json(), problem)


def declared_for(document: dict[str, Any], operation: Operation) -> dict[str, Any]:
    """By the address that a placeholder side makes."""
    address = operation.path(PLACEHOLDER).partition("?")[0]
    found: dict[str, Any] = document["paths"][f"/api/v1/{address}"][operation.method]
    return found


def strict(schema: Any) -> Any:
    """OpenAPI 3.0 as JSON Schema: nullable spelled out, and objects closed, so that an undeclared field is found."""
    if isinstance(schema, list):
        return [strict(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    plain = {key: strict(value) for key, value in schema.items() if key not in ("nullable", "example")}
    if "properties" in plain:
        plain.setdefault("additionalProperties", False)
    return {"anyOf": [plain, {"type": "null"}]} if schema.get("nullable") else plain
