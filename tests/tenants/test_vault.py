"""Data keys: one for each tenant, wrapped by the master key, never used before they are stored for good."""

import base64
from collections.abc import Callable
from dataclasses import replace

import pytest
from django.conf import settings
from django.db import transaction
from pytest_django import DjangoAssertNumQueries, Settings

from tenants.models import DataKey, Tenant
from tenants.trust import crypto, vault
from tests.factories.tenants import TenantFactory

NEW_MASTER = bytes(range(100, 132))
Configure = Callable[..., None]


@pytest.fixture
def tenant(db: None) -> Tenant:
    tenant: Tenant = TenantFactory()
    return tenant


@pytest.fixture
def configure(settings: Settings) -> Configure:
    """Starts the platform anew with other master keys."""

    def start(**keys: bytes | None) -> None:
        settings.SECRETS = replace(settings.SECRETS, **keys)
        vault.forget()

    return start


def test_what_was_sealed_for_a_tenant_opens_after_a_restart(tenant: Tenant) -> None:
    envelope = vault.seal(tenant, b"content", "blob:1")
    vault.forget()
    assert vault.unseal(tenant, envelope, "blob:1") == b"content"


def test_an_envelope_of_one_tenant_does_not_open_for_another(tenant: Tenant) -> None:
    envelope = vault.seal(tenant, b"content", "blob:1")
    with pytest.raises(crypto.SealBroken):
        vault.unseal(TenantFactory(), envelope, "blob:1")
    with pytest.raises(crypto.SealBroken):
        vault.unseal(None, envelope, "blob:1")


def test_each_tenant_has_its_own_digest_key_unlike_its_data_key(tenant: Tenant) -> None:
    keys = {vault.digest_key(tenant), vault.digest_key(TenantFactory()), vault.ledger_key()}
    assert len(keys) == 3


def test_no_data_key_is_stored_in_the_clear(tenant: Tenant) -> None:
    vault.seal(tenant, b"content", "blob:1")
    row = DataKey.objects.get(tenant=tenant)
    key = crypto.unseal(settings.SECRETS.master_key, row.wrapped, f"data-key:{tenant.pk}")
    assert len(key) == crypto.KEY_BYTES
    assert key not in bytes(row.wrapped)


def test_a_wrapped_key_moved_to_another_tenant_does_not_open(tenant: Tenant) -> None:
    vault.seal(tenant, b"content", "blob:1")
    other: Tenant = TenantFactory()
    vault.seal(other, b"content", "blob:1")
    DataKey.objects.filter(tenant=other).update(wrapped=DataKey.objects.get(tenant=tenant).wrapped)
    vault.forget()
    with pytest.raises(vault.MasterKeyMismatch):
        vault.digest_key(other)


def test_another_master_key_is_told_in_a_sentence_that_says_what_to_do(
    tenant: Tenant, configure: Configure
) -> None:
    vault.seal(tenant, b"content", "blob:1")
    configure(master_key=NEW_MASTER)
    with pytest.raises(
        vault.MasterKeyMismatch, match="LAVAWALL_PREVIOUS_MASTER_KEY and run rotate_keys"
    ) as caught:
        vault.seal(tenant, b"content", "blob:1")
    assert base64.b64encode(NEW_MASTER).decode() not in str(caught.value)


def test_rotation_rewraps_every_key_and_the_old_master_key_is_needed_no_more(
    tenant: Tenant, configure: Configure
) -> None:
    envelope = vault.seal(tenant, b"content", "blob:1")
    ledger_key = vault.ledger_key()
    old = settings.SECRETS.master_key
    configure(master_key=NEW_MASTER, previous_master_key=old)
    assert vault.unseal(tenant, envelope, "blob:1") == b"content"
    assert vault.rewrap_all() == 2
    configure(master_key=NEW_MASTER, previous_master_key=None)
    assert vault.unseal(tenant, envelope, "blob:1") == b"content"
    assert vault.ledger_key() == ledger_key
    configure(master_key=old, previous_master_key=None)
    with pytest.raises(vault.MasterKeyMismatch):
        vault.unseal(tenant, envelope, "blob:1")


def test_a_rotation_without_the_old_master_key_changes_nothing(tenant: Tenant, configure: Configure) -> None:
    vault.seal(tenant, b"content", "blob:1")
    wrapped = bytes(DataKey.objects.get(tenant=tenant).wrapped)
    configure(master_key=NEW_MASTER)
    with pytest.raises(vault.MasterKeyMismatch):
        vault.rewrap_all()
    assert bytes(DataKey.objects.get(tenant=tenant).wrapped) == wrapped


def test_a_stored_key_is_read_once(
    committed_db: None, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    tenant: Tenant = TenantFactory()
    envelope = vault.seal(tenant, b"content", "blob:1")
    with django_assert_num_queries(0):
        vault.unseal(tenant, envelope, "blob:1")


def test_a_key_whose_row_was_rolled_back_is_never_used_again(committed_db: None) -> None:
    with pytest.raises(ZeroDivisionError), transaction.atomic():  # noqa: PT012 - the error must leave the transaction
        lost = vault.ledger_key()
        raise ZeroDivisionError
    used = vault.ledger_key()
    vault.forget()
    assert vault.ledger_key() == used != lost
