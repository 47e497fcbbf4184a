"""All declared round trips, found by scanning `cases/`."""

import importlib
import pkgutil
from functools import lru_cache

from tests.roundtrip import cases
from tests.roundtrip.model import Case


@lru_cache(maxsize=1)
def families() -> tuple[tuple[Case, ...], ...]:
    """The cases by the module that declares them: one family of types each."""
    names = sorted(module.name for module in pkgutil.iter_modules(cases.__path__))
    return tuple(tuple(importlib.import_module(f"{cases.__name__}.{name}").CASES) for name in names)


def all_cases() -> tuple[Case, ...]:
    return tuple(case for family in families() for case in family)
