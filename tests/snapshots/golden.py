"""Digests of canonical documents, one for each type, kept in `tests/data/canonical_forms.json`.

`python -m tests.snapshots.golden` writes the file anew, after the version of each changed type was raised.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

from snapshots import catalog
from snapshots.canonical.form import canonical_bytes, canonicalise
from snapshots.catalog.spec import Document, ResourceType
from tests.snapshots.published import examples

KEPT = Path(__file__).resolve().parents[1] / "data" / "canonical_forms.json"
GENERIC: Document = {
    "id": "/subscriptions/2B8C5B5E-8F0E-4C57-8A83-0D4FB2D4E001/resourceGroups/RG/providers/A.B/things/One",
    "name": "One",
    "displayName": "One",
    "state": "enabled",
    "isEnabled": True,
    "createdDateTime": "2026-03-04T05:06:07Z",
    "assignments": [{"target": {"groupId": "2B8C5B5E-8F0E-4C57-8A83-0D4FB2D4E001"}}],
    "type": "Microsoft.Example/things",
    "location": "westeurope",
    "etag": "W/1",
    "tags": {"b": "2", "a": "1"},
    "properties": {
        "provisioningState": "Succeeded",
        "principalId": "2B8C5B5E-8F0E-4C57-8A83-0D4FB2D4E001",
        "scope": "/subscriptions/2B8C5B5E-8F0E-4C57-8A83-0D4FB2D4E001",
        "rules": [{"name": "Second"}, {"name": "First"}],
        "addressPrefixes": ["10.0.0.0/8", "*"],
        "empty": None,
    },
}
"""Something of everything, for types of which the published schema tells little or nothing."""


def forms() -> dict[str, dict[str, Any]]:
    return {spec.key: form(spec) for spec in sorted(catalog.all_types(), key=lambda spec: spec.key)}


def form(spec: ResourceType) -> dict[str, Any]:
    return {"version": spec.comparison.version, "digest": _digest(spec)}


def stored() -> dict[str, dict[str, Any]]:
    read: dict[str, dict[str, Any]] = json.loads(KEPT.read_text(encoding="utf-8"))
    return read


def _digest(spec: ResourceType) -> str:
    found = [GENERIC, *(raw for _, raw in examples(spec))]
    content = hashlib.sha256()
    for raw in found:
        content.update(canonical_bytes(canonicalise(raw, spec)))
    return content.hexdigest()


def unannounced(now: dict[str, dict[str, Any]], then: dict[str, dict[str, Any]]) -> list[str]:
    """The types whose canonical form changed while their version did not."""
    return [
        key
        for key, found in now.items()
        if key in then and found != then[key] and found["version"] <= then[key]["version"]
    ]


if __name__ == "__main__":
    if refused := unannounced(forms(), stored()):
        raise SystemExit(f"Raise the version of {', '.join(refused)} first: the canonical form changed.")
    KEPT.write_text(json.dumps(forms(), indent=1) + "\n", encoding="utf-8")
