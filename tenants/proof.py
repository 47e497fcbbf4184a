"""Rows that can prove themselves: each batch of them stands in the ledger with a keyed digest over all its columns.

For append-only tables whose rows belong to no snapshot. An altered, removed or slipped-in row is found by `faults`.
"""

import hashlib
import hmac
import uuid
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeVar

import orjson
from django.db import transaction
from django.db.models import Model

from tenants import ledger, vault
from tenants.actors import Actor
from tenants.models import LedgerEntry, Tenant

ACTION = "history:append"
CHUNK = 500


Row = TypeVar("Row", bound=Model)


def append(actor: Actor, tenant: Tenant, rows: Sequence[Row], *, ignore_conflicts: bool = False) -> int:
    """Inserts rows of one model and their proof in one transaction; returns how many were new."""
    if not rows:
        return 0
    model, batch = type(rows[0]), uuid.uuid4().hex
    for row in rows:
        setattr(row, "batch", batch)  # noqa: B010 - a column of every model that comes here, which typing cannot say
    with transaction.atomic():
        model._default_manager.bulk_create(rows, batch_size=CHUNK, ignore_conflicts=ignore_conflicts)
        written = list(model._default_manager.filter(batch=batch).order_by("pk"))
        if written:
            ledger.record(
                actor,
                ACTION,
                f"{len(written)} {model._meta.verbose_name_plural} of {tenant.name}",
                tenant=tenant,
                table=model._meta.db_table,
                batch=batch,
                digest=digest_of(written),
            )
    return len(written)


def faults(model: type[Model], tenant: Tenant, rows: Iterable[Model]) -> Iterator[str]:
    """What is wrong with a tenant's `rows` (all of them) of this model, in words."""
    table, name = model._meta.db_table, str(model._meta.verbose_name_plural)
    proven = {
        entry.detail["batch"]: entry.detail["digest"]
        for entry in LedgerEntry.objects.filter(action=ACTION, tenant_id=tenant.pk)
        if entry.detail["table"] == table
    }
    found: dict[str, list[Model]] = {}
    for row in rows:
        found.setdefault(getattr(row, "batch"), []).append(row)  # noqa: B009
    for batch in sorted(found.keys() - proven.keys()):
        yield f"{len(found[batch])} {name} are not known to the ledger"
    for batch, digest in proven.items():
        present = sorted(found.get(batch, []), key=lambda row: row.pk)
        if not hmac.compare_digest(digest, digest_of(present)):
            yield f"{name} of batch {batch[:8]}… were altered or removed"


def digest_of(rows: Iterable[Any]) -> str:
    """A keyed digest over every column of these rows, or of what their JSON is."""
    content = orjson.dumps([facts(row) for row in rows], option=orjson.OPT_SORT_KEYS, default=_text)
    return hmac.new(vault.ledger_key(), content, hashlib.sha256).hexdigest()


def facts(row: Any, but: str = "") -> Any:
    """Every column of a row by name, `but` one; anything else is what it is."""
    if not isinstance(row, Model):
        return row
    names = (field.attname for field in type(row)._meta.concrete_fields if field.attname != but)
    return {name: getattr(row, name) for name in names}


def _text(value: Any) -> str:
    return bytes(value).hex() if isinstance(value, bytes | memoryview) else str(value)
