"""The data keys: one for each tenant and one for the platform, each wrapped by the master key.

The only module that touches the master key. Callers name what they encrypt (`context`). They never see a key,
except the derived single-purpose keys from `digest_key`, `ledger_key` and `secret_key`.
"""

from dataclasses import dataclass, field
from functools import lru_cache

from django.conf import settings
from django.db import connection, transaction

from tenants.errors import StorageError
from tenants.models import DataKey, Tenant
from tenants.trust import crypto

_kept: dict[int | None, bytes] = {}
"""Cache of unwrapped keys, filled on commit: a key whose row is rolled back must never be used."""


class MasterKeyMismatch(StorageError):
    """The stored data keys were wrapped by a different master key than the configured one."""


def seal(tenant: Tenant | None, plaintext: bytes, context: str) -> bytes:
    return crypto.seal(_data_key(_id(tenant)), plaintext, context)


def unseal(tenant: Tenant | None, envelope: bytes | memoryview, context: str) -> bytes:
    """Raises crypto.SealBroken if the envelope was altered or belongs elsewhere."""
    return crypto.unseal(_data_key(_id(tenant)), envelope, context)


def digest_key(tenant: Tenant) -> bytes:
    """The key for the tenant's content digests. Equal contents in two tenants have unrelated digests."""
    return _derived(_data_key(_id(tenant)), "digest")


def ledger_key() -> bytes:
    return _derived(_data_key(None), "ledger")


def secret_key() -> bytes:
    """The key for the marks that distinguish stored secrets without showing them."""
    return _derived(_data_key(None), "secret")


def forget() -> None:
    """Clears the key cache, after a rotation and between tests (which reuse row IDs)."""
    _kept.clear()
    connection.run_on_commit = [each for each in connection.run_on_commit if not isinstance(each[1], _Keep)]
    _derived.cache_clear()


def rewrap_all() -> int:
    """Rewraps every data key with the current master key. Returns the number of rewrapped keys."""
    with transaction.atomic():
        rows = list(DataKey.objects.select_for_update())
        for row in rows:
            key = _unwrap(row)
            row.wrapped = crypto.seal(settings.SECRETS.master_key, key, _wrap_context(row.tenant_id))
            row.save(update_fields=["wrapped"])
    forget()
    return len(rows)


def _id(tenant: Tenant | None) -> int | None:
    return None if tenant is None else tenant.pk


@lru_cache(maxsize=4096)
def _derived(key: bytes, purpose: str) -> bytes:
    return crypto.derive(key, purpose)


def _data_key(tenant_id: int | None) -> bytes:
    key = _kept.get(tenant_id)
    if key is None:
        key = next((entry.key for entry in _waiting() if entry.tenant_id == tenant_id), None)
    if key is None:
        row = DataKey.objects.filter(tenant=tenant_id).first()
        key = _create(tenant_id) if row is None else _unwrap(row)
        transaction.on_commit(_Keep(tenant_id, key))
    return key


@dataclass(frozen=True)
class _Keep:
    """Caches a key when its transaction commits; a rollback discards it."""

    tenant_id: int | None
    key: bytes = field(repr=False)

    def __call__(self) -> None:
        _kept[self.tenant_id] = self.key


def _waiting() -> list[_Keep]:
    """Keys that this transaction has read and will cache on commit."""
    return [each[1] for each in connection.run_on_commit if isinstance(each[1], _Keep)]


def _create(tenant_id: int | None) -> bytes:
    wrapped = crypto.seal(settings.SECRETS.master_key, crypto.new_key(), _wrap_context(tenant_id))
    with transaction.atomic():
        DataKey.objects.bulk_create([DataKey(tenant_id=tenant_id, wrapped=wrapped)], ignore_conflicts=True)
        return _unwrap(DataKey.objects.get(tenant=tenant_id))


def _unwrap(row: DataKey) -> bytes:
    context = _wrap_context(row.tenant_id)
    for master in (settings.SECRETS.master_key, settings.SECRETS.previous_master_key):
        if master is None:
            continue
        try:
            return crypto.unseal(master, row.wrapped, context)
        except crypto.SealBroken:
            continue
    raise MasterKeyMismatch(
        "The stored keys cannot be opened with this LAVAWALL_MASTER_KEY. Use the key that this "
        "database was set up with. During a rotation, set the old key as LAVAWALL_PREVIOUS_MASTER_KEY "
        "and run rotate_keys."
    )


def _wrap_context(tenant_id: int | None) -> str:
    return f"data-key:{tenant_id or 'platform'}"
