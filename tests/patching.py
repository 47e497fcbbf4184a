"""Applies JSON Patches with a library that shares no code with the product."""

from typing import Any

import jsonpatch


def patched(patch: list[dict[str, Any]], before: Any) -> Any:
    """The document after the patch (RFC 6902); None where the patch removes the whole document."""
    if patch == [{"op": "remove", "path": ""}]:
        return None
    return jsonpatch.apply_patch(before, patch)
