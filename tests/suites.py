"""What `make test` shows and what only `make test-all` goes through: the marker `exhaustive`, with its reason."""

from collections.abc import Iterable, Sequence
from typing import Any

import pytest


def representative(values: Iterable[Any], *, why: str, shown: int = 1) -> Sequence[Any]:
    """Parameters of which the first ones stand for all; `why` says what they share."""
    given = list(values)
    rest = [pytest.param(value, marks=pytest.mark.exhaustive(why)) for value in given[shown:]]
    return [*given[:shown], *rest]
