"""Tokens stand for identifiers that only the execution will know: "the new id of step 3" is `~new.3.id~`.

A plan is approved with its tokens; the executor puts the real identifiers in. Made of characters that a URL path
leaves alone.
"""

import re
from collections.abc import Callable
from typing import Any, TypeVar

from rollbacks.planning.model import Effect, PlannedRequest, PlannedStep
from tenants.microsoft.request import Request

Lookup = Callable[[int, str], str]
"""Number and property of a token → what to put in its place."""

_TOKEN = re.compile(r"~new\.(\d+)\.(\w+(?:\.\w+)*)~")
_T = TypeVar("_T")


def token(number: int, name: str = "id") -> str:
    return f"~new.{number}.{name}~"


def found_in(value: Any) -> set[tuple[int, str]]:
    """Number and property of every token anywhere in a JSON value."""
    if isinstance(value, str):
        return {(int(found[1]), found[2]) for found in _TOKEN.finditer(value)}
    if isinstance(value, dict):
        return set().union(*(found_in(inner) for inner in value.values()))
    if isinstance(value, list | tuple):
        return set().union(*(found_in(inner) for inner in value))
    return set()


def put_in(value: _T, lookup: Lookup) -> _T:
    """The same JSON value with every token replaced."""
    return _put_in(value, lookup)  # type: ignore[no-any-return]


def request_with(planned: PlannedRequest, lookup: Lookup) -> PlannedRequest:
    request = Request.from_json(put_in(planned.request.to_json(), lookup))
    effect = Effect.from_json(put_in(planned.effect.to_json(), lookup))
    return PlannedRequest(request, effect, planned.secrets)


def step_with(step: PlannedStep, lookup: Lookup) -> PlannedStep:
    return PlannedStep.from_json(put_in(step.to_json(), lookup))


def _put_in(value: Any, lookup: Lookup) -> Any:
    if isinstance(value, str):
        if _TOKEN.search(value) is None:
            return value
        return _TOKEN.sub(lambda found: lookup(int(found[1]), found[2]), value)
    if isinstance(value, dict):
        return {key: _put_in(inner, lookup) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_put_in(inner, lookup) for inner in value]
    return value
