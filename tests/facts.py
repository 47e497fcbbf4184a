"""Published facts about Microsoft's API, for the tests.

What tests need to know of the schema, of permissions and of documented requests is derived from the facts and carried
in `tests/data/`, so that it is there in every clone. `make facts` derives it anew. Microsoft's documented payloads are
not carried: tests that go through them have the mark `facts`. They are looked for in the folder that LAVAWALL_FACTS
names, or in `../shared/graph` beside the repository.
"""

import json
import os
import re
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

Json = dict[str, Any]

ROOT = Path(__file__).parents[1]
DATA = ROOT / "tests" / "data"
FACTS = Path(os.environ.get("LAVAWALL_FACTS", ROOT.parent / "shared" / "graph"))
READ_ONLY = " read-only"
"""Ends the type of a property that only the service writes."""
_FIELD = re.compile(r"\{\w+\}")


def require() -> None:
    """Skips a test where the facts are absent; where they must not be absent, fails it."""
    if (FACTS / "types.json").is_file():
        return
    missing = f"Microsoft's documented payloads are not in {FACTS}. Name their folder in LAVAWALL_FACTS."
    if os.environ.get("CI") == "true":
        pytest.fail(missing)
    pytest.skip(missing)


def published(name: str) -> Any:
    """One of the files of the facts."""
    return json.loads((FACTS / name).read_text(encoding="utf-8"))


@cache
def derived(name: str) -> Any:
    """What was derived and is carried: `schema`, `permissions`, `written` or `identifiers`."""
    return json.loads((DATA / f"{name}.json").read_text(encoding="utf-8"))


def derive_schema() -> dict[str, Json]:
    """Kind, ancestry, words and the types of all members of every published type."""
    types = published("types.json")
    return {name: _type(entry) for name, entry in sorted(types.items()) if name != "_meta"}


def _type(entry: Json) -> Json:
    names = entry.get("names", {})
    found = {
        "kind": entry.get("kind"),
        "base": entry.get("base"),
        "derived": entry.get("derived"),
        "members": entry.get("members"),
        "properties": _members(entry.get("properties", {})),
        "navigation": _members(entry.get("navigation", {})),
        "other_properties": [*entry.get("beta_extra_properties", ()), *names.get("properties", ())],
        "other_navigation": [
            *entry.get("beta_extra_navigation", ()),
            *names.get("navigationProperties", ()),
        ],
    }
    return {name: value for name, value in found.items() if value}


def _members(entries: Json) -> dict[str, str]:
    return {
        name: entry["type"] + (READ_ONLY if entry.get("readOnly") else "") for name, entry in entries.items()
    }


def derive_permissions() -> Json:
    """Path of the catalogue → verb → permissions that allow it; under "" the permissions listed for any path."""
    listed = {path: verbs for path, verbs in published("permissions.json").items() if path.startswith("/")}
    anywhere = {name for verbs in listed.values() for each in verbs.values() for name in each["all"]}
    paths = {path: listed[path] for path in sorted(_paths_of_the_catalogue()) if path in listed}
    return {"": sorted(anywhere)} | {
        path: {verb: sorted(each["all"]) for verb, each in sorted(verbs.items())}
        for path, verbs in paths.items()
    }


def _paths_of_the_catalogue() -> Iterator[str]:
    from snapshots import catalog

    for spec in catalog.all_types():
        restore = spec.restore
        for path in (spec.read.path, restore.create.path, restore.update.path, restore.delete.path):
            yield listed_path(path)


def listed_path(path: str | None) -> str:
    """A path as Microsoft's list of permissions writes it."""
    return _FIELD.sub("{id}", (path or "").removeprefix("/v1.0").removeprefix("/beta").lower())


def derive_written() -> Json:
    """Type of the catalogue → what documented requests send although the schema lacks it or calls it read-only."""
    from snapshots import catalog
    from tests.snapshots.published import entity, properties

    requests = [
        (entry, body)
        for entry in published("writes/index.json")
        if isinstance(body := published(f"writes/{entry['file']}")["body"], dict)
    ]
    found: Json = {}
    for spec in (each for each in catalog.all_types() if not each.on_azure):
        own = (spec.restore.update.path or "").removeprefix("/v1.0").removeprefix("/beta")
        known = properties(entity(spec))
        sent = {
            name
            for entry, body in requests
            if entry["type"] == entity(spec) or entry["url"].partition("?")[0].endswith(own or "-")
            for name in body
            if "@" not in name and (name not in known or known[name].get("readOnly"))
        }
        if sent:
            found[spec.key] = sorted(sent)
    return found


def derive_identifiers() -> Json:
    from tests.snapshots.identifying import from_facts

    return from_facts()


DERIVED: dict[str, Callable[[], Json]] = {
    "schema": derive_schema,
    "permissions": derive_permissions,
    "written": derive_written,
    "identifiers": derive_identifiers,
}


def text(value: Json) -> str:
    """One entry a line, so that a difference can be read."""
    entries = [f"{json.dumps(key)}: {json.dumps(each)}" for key, each in value.items()]
    return "{\n" + ",\n".join(entries) + "\n}\n"


def main() -> None:
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()
    for name, derive in DERIVED.items():
        (DATA / f"{name}.json").write_text(text(derive()), encoding="utf-8")
        derived.cache_clear()
        sys.stdout.write(f"tests/data/{name}.json\n")


if __name__ == "__main__":
    main()
