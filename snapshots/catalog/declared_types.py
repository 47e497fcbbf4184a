"""The declared types of nested values, used to drop a redundant `@odata.type`. Sources: Microsoft Graph's
published metadata, in declared_types.json (derived by tools/derive_declared_types.py).
"""

import json
from functools import cache
from pathlib import Path
from typing import Any

NAMESPACE = "#microsoft.graph."


def declared_type(holder: str, name: str) -> str:
    """The type of the values in a property of the type `holder`, by their short names; empty where it is not known."""
    types = _types()
    while holder in types:
        found = types[holder]["values"].get(name)
        if found is not None:
            return str(found)
        holder = types[holder].get("base", "")
    return ""


@cache
def _types() -> dict[str, Any]:
    content = json.loads(Path(__file__).with_suffix(".json").read_text())
    types: dict[str, Any] = content["types"]
    return types
