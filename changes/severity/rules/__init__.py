"""The rules, found by package scan: every module of this package that exposes `RULES` is used. Nothing else
has to be changed.
"""

import importlib
import pkgutil
from functools import cache

from changes.severity.model import Rule


@cache
def all_rules() -> tuple[Rule, ...]:
    found: dict[str, Rule] = {}
    for module in pkgutil.walk_packages(__path__, f"{__name__}."):
        for rule in getattr(importlib.import_module(module.name), "RULES", ()):
            if rule.id in found:
                raise ValueError(f"Two severity rules are called {rule.id}: rename one of them.")
            found[rule.id] = rule
    return tuple(found[key] for key in sorted(found))


@cache
def rules_for(resource_type: str) -> tuple[Rule, ...]:
    return tuple(rule for rule in all_rules() if resource_type in rule.resource_types)
