"""Onboards tenants, stores their encrypted credentials, and opens clients for them. The only module that
decrypts a credential. Callers, who know the catalogue, pass in which permissions a purpose needs.
"""

import hashlib
import hmac
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, cast
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from tenants.access import permissions
from tenants.access.actors import Actor
from tenants.access.matrix import Action
from tenants.errors import DomainError, InvalidInput
from tenants.microsoft.client import GraphClient
from tenants.microsoft.connection import (
    CLOUDS,
    CertificateCredential,
    ConnectionConfig,
    Endpoints,
    SecretCredential,
)
from tenants.microsoft.errors import MicrosoftError
from tenants.models import AppRegistration, Connection, Customer, Tenant
from tenants.trust import ledger, vault

Purpose = Literal["reader", "writer"]
Credential = SecretCredential | CertificateCredential


class NoConnection(DomainError):
    """The tenant has no such connection."""


class Misconfigured(InvalidInput):
    """Invalid connection settings; the message says what to enter instead."""


@dataclass(frozen=True)
class NewConnection:
    """The settings of one connection, as entered by an administrator. `shared` marks the MSP's multi-tenant
    app registration.
    """

    client_id: UUID
    credential: Credential
    cloud: str = "commercial"
    endpoints: Endpoints | None = None
    shared: bool = False
    granted: tuple[str, ...] | None = None
    """The permissions seen by a connection test, if one was made."""


@dataclass(frozen=True)
class Ability:
    """What a connection may and may not do, by application permission."""

    granted: tuple[str, ...]
    missing: Mapping[str, tuple[str, ...]]
    """Missing permission → what cannot be read (or written) without it."""


@transaction.atomic
def onboard(
    actor: Actor,
    *,
    customer_name: str,
    name: str,
    directory_id: UUID,
    reader: NewConnection,
    writer: NewConnection | None = None,
    subscriptions: tuple[str, ...] = (),
) -> Tenant:
    """Creates the customer (if new), the tenant and its connections. Raises Misconfigured or Refused."""
    customer = Customer.objects.filter(name=customer_name).first()
    if customer is None:
        permissions.require_everywhere(actor, Action.MANAGE)
        customer = Customer.objects.create(name=customer_name)
        ledger.record(actor, "customer:create", customer_name, customer=customer)
    else:
        permissions.require_on_customer(actor, Action.MANAGE, customer)
    try:
        with transaction.atomic():
            tenant = Tenant.objects.create(
                customer=customer, name=name, directory_id=directory_id, subscriptions=list(subscriptions)
            )
    except IntegrityError as error:
        raise Misconfigured(
            f"A tenant called {name}, or one with directory ID {directory_id}, is already connected."
        ) from error
    ledger.record(actor, "tenant:create", name, tenant=tenant, directory_id=str(directory_id))
    connect(actor, tenant=tenant, purpose="reader", new=reader)
    if writer is not None:
        connect(actor, tenant=tenant, purpose="writer", new=writer)
    return tenant


@transaction.atomic
def connect(actor: Actor, *, tenant: Tenant, purpose: Purpose, new: NewConnection) -> Connection:
    """Sets or replaces a tenant's connection for one purpose."""
    permissions.require(actor, Action.MANAGE, tenant)
    if new.cloud == Connection.Cloud.CUSTOM and new.endpoints is None:
        raise Misconfigured("A connection to a custom cloud needs its login, Graph, ARM and management URLs.")
    registration = _registration(actor, tenant, new)
    urls = new.endpoints
    connection, _ = Connection.objects.update_or_create(
        tenant=tenant,
        purpose=purpose,
        defaults={
            "app_registration": registration,
            "cloud": new.cloud,
            "login_url": urls.login_url if urls else "",
            "graph_url": urls.graph_url if urls else "",
            "arm_url": urls.arm_url if urls else "",
            "management_url": urls.management_url if urls else "",
            "tested_at": None if new.granted is None else timezone.now(),
            "test_error": "",
            "granted": list(new.granted or ()),
        },
    )
    AppRegistration.objects.filter(tenant=tenant, connections__isnull=True).delete()
    ledger.record(
        actor,
        "connection:set",
        f"{purpose} of {tenant.name}",
        tenant=tenant,
        client_id=str(new.client_id),
        kind=registration.credential_kind,
        cloud=new.cloud,
    )
    return connection


def probe(directory_id: UUID, new: NewConnection) -> tuple[str, ...]:
    """Signs in with a connection that is not stored yet. Returns the permissions in its token. Raises
    MicrosoftError.
    """
    if new.cloud != Connection.Cloud.CUSTOM:
        endpoints = CLOUDS[new.cloud]
    elif new.endpoints is None:
        raise Misconfigured("A connection to a custom cloud needs its login, Graph, ARM and management URLs.")
    else:
        endpoints = new.endpoints
    config = ConnectionConfig(
        directory_id=str(directory_id),
        client_id=str(new.client_id),
        endpoints=endpoints,
        credential=new.credential,
        pace=cast("Literal['published', 'unlimited']", settings.LAVAWALL_PACE),
    )
    with closing(GraphClient(config)) as client:
        return tuple(sorted(client.check().roles))


def check_connection(actor: Actor, *, tenant: Tenant, purpose: Purpose) -> tuple[str, ...]:
    """Signs in with the stored connection and returns the permissions in its token. Records the result on the
    connection. Raises MicrosoftError with the reason if signing in fails.
    """
    permissions.require(actor, Action.MANAGE, tenant)
    connection = _connection(tenant, purpose)
    try:
        with closing(open_client(tenant, purpose)) as client:
            granted = tuple(sorted(client.check().roles))
    except MicrosoftError as error:
        _keep_test(actor, connection, granted=(), error=str(error))
        raise
    _keep_test(actor, connection, granted=granted, error="")
    return granted


def open_client(
    tenant: Tenant,
    purpose: Purpose,
    *,
    priority: Literal["low", "normal", "high"] = "low",
    on_answer: Callable[[], None] = lambda: None,
) -> GraphClient:
    """A client for the tenant. Only a writer connection's client can write. Raises NoConnection."""
    return GraphClient(
        config_of(_connection(tenant, purpose)),
        writable=purpose == "writer",
        priority=priority,
        on_answer=on_answer,
    )


def is_on_loopback(tenant: Tenant) -> bool:
    """Whether the tenant is an emulator's: it has connections, and all their endpoints are on this machine."""
    endpoints = [_endpoints(connection) for connection in tenant.connections.all()]
    return bool(endpoints) and all(each.is_loopback for each in endpoints)


def config_of(connection: Connection) -> ConnectionConfig:
    return ConnectionConfig(
        directory_id=str(connection.tenant.directory_id),
        client_id=str(connection.app_registration.client_id),
        endpoints=_endpoints(connection),
        credential=_unsealed(connection.app_registration),
        pace=cast("Literal['published', 'unlimited']", settings.LAVAWALL_PACE),
    )


def _connection(tenant: Tenant, purpose: Purpose) -> Connection:
    connection = (
        tenant.connections.filter(purpose=purpose)
        .select_related("app_registration__tenant", "tenant")
        .first()
    )
    if connection is None:
        raise NoConnection(
            f"{tenant.name} has no {purpose} connection. Add one with the client ID and credential of "
            "its app registration."
        )
    return connection


def _endpoints(connection: Connection) -> Endpoints:
    if connection.cloud != Connection.Cloud.CUSTOM:
        return CLOUDS[connection.cloud]
    return Endpoints(
        login_url=connection.login_url,
        graph_url=connection.graph_url,
        arm_url=connection.arm_url,
        management_url=connection.management_url,
    )


def _registration(actor: Actor, tenant: Tenant, new: NewConnection) -> AppRegistration:
    """The app registration with this credential. A shared registration is reused, a tenant's own one is
    replaced. The shared registration can reach every tenant, so only someone who may manage all of them can
    set its credential.
    """
    owner = None if new.shared else tenant
    kind, text, expires_at = _parts(new.credential)
    registration = AppRegistration.objects.filter(client_id=new.client_id, tenant=owner).first()
    if new.shared and (registration is None or registration.fingerprint != _fingerprint(text)):
        permissions.require_everywhere(actor, Action.MANAGE)
    registration = registration or AppRegistration(client_id=new.client_id, tenant=owner)
    registration.name = registration.name or (
        f"shared app {new.client_id}" if new.shared else f"app of {tenant.name}"
    )
    registration.credential_kind = kind
    registration.fingerprint = _fingerprint(text)
    registration.sealed_credential = vault.seal(owner, text.encode(), _context(new.client_id))
    registration.expires_at = expires_at
    registration.save()
    return registration


def _unsealed(registration: AppRegistration) -> Credential:
    text = vault.unseal(
        registration.tenant, registration.sealed_credential, _context(registration.client_id)
    ).decode()
    if registration.credential_kind == AppRegistration.Credential.CERTIFICATE:
        return CertificateCredential(text)
    return SecretCredential(text)


def _parts(credential: Credential) -> tuple[str, str, datetime | None]:
    if isinstance(credential, CertificateCredential):
        return AppRegistration.Credential.CERTIFICATE, credential.pem, credential.not_valid_after
    return AppRegistration.Credential.SECRET, credential.secret, None


def _fingerprint(text: str) -> str:
    return hmac.new(vault.ledger_key(), b"credential:" + text.encode(), hashlib.sha256).hexdigest()


def _context(client_id: UUID) -> str:
    return f"credential:{client_id}"


@transaction.atomic
def _keep_test(actor: Actor, connection: Connection, *, granted: tuple[str, ...], error: str) -> None:
    Connection.objects.filter(pk=connection.pk).update(
        tested_at=timezone.now(), test_error=error, granted=list(granted)
    )
    ledger.record(
        actor,
        "connection:test",
        f"{connection.purpose} of {connection.tenant.name}",
        tenant=connection.tenant,
        outcome=error or "signed in",
    )
