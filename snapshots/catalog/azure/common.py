"""What the types of Azure have in common: every one is written by PUT, which replaces the whole object, at an ID that
the caller chooses and that never changes (docs/decisions/0014-azure-is-written-whole.md).
"""

from collections.abc import Mapping

from snapshots.catalog.spec import Restore


def written_whole(params: Mapping[str, str], *writable: str) -> Restore:
    """`params` names the API version; `writable` are the top-level properties that a write sends."""
    return Restore(
        writable=writable,
        create_path="{scope}/{name}",
        create_method="PUT",
        update_path="{id}",
        update_method="PUT",
        delete_path="{id}",
        params=params,
        caller_chooses_id=True,
    )
