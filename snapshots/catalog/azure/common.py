"""What the types of Azure have in common: every one is written by PUT, which replaces the whole object, at an ID that
the caller chooses and that never changes (docs/decisions/0014-azure-is-written-whole.md).
"""

from collections.abc import Mapping

from snapshots.catalog.spec import Create, Delete, Guards, Loss, Order, Restore, Undelete, Update

UNGUARDED = Guards()


def written_whole(
    params: Mapping[str, str],
    *writable: str,
    order: Order,
    given: tuple[str, ...] = (),
    recreate_for: tuple[str, ...] = (),
    new_id_note: str = "",
    undelete: Undelete | None = None,
    guards: Guards = UNGUARDED,
    losses: tuple[Loss, ...] = (),
) -> Restore:
    """`params` names the API version; `writable` are the top-level properties that a write sends."""
    return Restore(
        writable=writable,
        params=params,
        create=Create(
            path="{scope}/{name}",
            method="PUT",
            given=given,
            caller_chooses_id=True,
            recreate_for=recreate_for,
            new_id_note=new_id_note,
        ),
        update=Update(path="{id}", method="PUT"),
        delete=Delete(path="{id}"),
        undelete=undelete,
        order=order,
        guards=guards,
        losses=losses,
    )
