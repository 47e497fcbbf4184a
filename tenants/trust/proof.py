"""Integrity proofs for append-only tables whose rows do not belong to a snapshot. The ledger records a keyed
digest over all columns of each batch; `faults` finds altered, removed and inserted rows. A row that is
updated carries its own seal (`SealedRow`).
"""

import hashlib
import hmac
import uuid
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any, TypeVar

import orjson
from django.db import models, transaction
from django.db.models import Model

from tenants.access.actors import Actor
from tenants.chunks import CHUNK
from tenants.models import LedgerEntry, Tenant
from tenants.trust import ledger, vault

ACTION = "history:append"


Row = TypeVar("Row", bound=Model)


def append(actor: Actor, tenant: Tenant, rows: Sequence[Row], *, ignore_conflicts: bool = False) -> int:
    """Inserts rows of one model and their proof in one transaction. Returns the number of new rows."""
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
    """Descriptions of faults in a tenant's `rows` (all of them) of this model."""
    table, name = model._meta.db_table, str(model._meta.verbose_name_plural)
    proven = {
        entry.detail["batch"]: entry.detail["digest"]
        for entry in LedgerEntry.objects.filter(action=ACTION, tenant_id=tenant.pk)
        if ledger.is_authentic(entry) and entry.detail["table"] == table
    }
    found: dict[str, list[Model]] = {}
    for row in rows:
        found.setdefault(getattr(row, "batch"), []).append(row)  # noqa: B009
    for batch in sorted(found.keys() - proven.keys()):
        yield f"{len(found[batch])} {name} are not recorded in the ledger"
    for batch, digest in proven.items():
        present = sorted(found.get(batch, []), key=lambda row: row.pk)
        if not hmac.compare_digest(digest, digest_of(present)):
            yield f"{name} of batch {batch[:8]}… were altered or removed"


def digest_of(rows: Iterable[Any]) -> str:
    """A keyed digest over all columns of these rows or their JSON."""
    content = orjson.dumps([facts(row) for row in rows], option=orjson.OPT_SORT_KEYS, default=_text)
    return hmac.new(vault.ledger_key(), content, hashlib.sha256).hexdigest()


def facts(row: Any, *, but: Collection[str] = (), only: Collection[str] | None = None) -> Any:
    """The columns of a row by name: all `but` these, or `only` these. Values that are not rows are returned
    unchanged.
    """
    if not isinstance(row, Model):
        return row
    names = (field.attname for field in type(row)._meta.concrete_fields)
    return {name: getattr(row, name) for name in names if name not in but and (only is None or name in only)}


class SealedRow(models.Model):
    """A row that can be updated. Each write seals its columns with a keyed digest."""

    seal = models.CharField(max_length=64, null=True, editable=False, help_text="Over all other columns.")  # noqa: DJ001

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.seal = self._seal()
        if kwargs.get("update_fields") is not None:
            kwargs["update_fields"] = {*kwargs["update_fields"], "seal"}
        super().save(*args, **kwargs)

    @property
    def label(self) -> str:
        return f"{self._meta.verbose_name} {self.pk}"

    def has_seal(self) -> bool:
        """Whether the row is unchanged since the product wrote it."""
        return self.seal is not None and hmac.compare_digest(self.seal, self._seal())

    def require_seal(self) -> None:
        """Raises Forged if the row is not as the product wrote it."""
        if not self.has_seal():
            raise ledger.Forged(f"The {self.label} was not written by the product.")

    def _seal(self) -> str:
        return digest_of([self._meta.db_table, facts(self, but=("id", "seal"))])


def _text(value: Any) -> str:
    return bytes(value).hex() if isinstance(value, bytes | memoryview) else str(value)
