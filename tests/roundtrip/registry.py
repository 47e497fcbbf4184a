"""All declared round trips, found by scanning `cases/`."""

import importlib
import pkgutil
from functools import lru_cache

from tests.roundtrip import cases
from tests.roundtrip.model import Case


@lru_cache(maxsize=1)
def all_cases() -> tuple[Case, ...]:
    names = sorted(module.name for module in pkgutil.iter_modules(cases.__path__))
    modules = [importlib.import_module(f"{cases.__name__}.{name}") for name in names]
    return tuple(case for module in modules for case in module.CASES)
