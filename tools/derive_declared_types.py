"""Derives which type Microsoft declares for each nested value: run by hand when a new schema is published.

usage: derive_declared_types.py [--check]    reads lavawall/emulator/data/schema.json (the published entity model) and
                                             writes snapshots/catalog/declared_types.json, or compares it
"""

import json
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "lavawall" / "emulator" / "data" / "schema.json"
TARGET = ROOT / "snapshots" / "catalog" / "declared_types.json"


def main() -> None:
    model = json.loads(SOURCE.read_text())
    types = model["types"]
    structured = {name for name, each in types.items() if "members" not in each}
    derived = {
        name: {**({"base": each["base"]} if "base" in each else {}), "values": _values(each, structured)}
        for name, each in sorted(types.items())
        if name in structured
    }
    useful = {name: each for name, each in derived.items() if each["values"] or _inherits(name, derived)}
    lines = (f"{json.dumps(name)}: {json.dumps(each, sort_keys=True)}" for name, each in useful.items())
    head = json.dumps({"source": model["source"]})[1:-1]
    content = f'{{{head}, "types": {{\n' + ",\n".join(lines) + "\n}}\n"
    if "--check" not in sys.argv[1:]:
        TARGET.write_text(content)
    elif TARGET.read_text() != content:
        sys.exit(f"{TARGET.name} is out of date: run tools/derive_declared_types.py.")


def _values(declaration: dict[str, Any], structured: set[str]) -> dict[str, str]:
    """Property → the type of its value, or of the elements of its list."""
    found = {}
    for name, declared in {**declaration.get("properties", {}), **declaration.get("navigation", {})}.items():
        plain = declared.split(" ")[0].rstrip("!").removeprefix("Collection(").rstrip(")")
        if plain in structured:
            found[name] = plain
    return found


def _inherits(name: str, derived: dict[str, Any]) -> bool:
    base = derived[name].get("base")
    return base in derived and (bool(derived[base]["values"]) or _inherits(base, derived))


if __name__ == "__main__":
    main()
