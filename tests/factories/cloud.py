"""Tenants of the emulator, onboarded through the real service, and clients that do not wait between attempts."""

from typing import Any
from uuid import UUID

from lavawall.emulator import AppRegistration, Emulator
from snapshots.catalog import registry
from tenants.access.actors import Actor
from tenants.access.matrix import Action
from tenants.connections import onboarding
from tenants.connections.onboarding import NewConnection
from tenants.microsoft.client import GraphClient
from tenants.microsoft.connection import CertificateCredential, Endpoints, SecretCredential
from tenants.microsoft.retry import RetryPolicy
from tenants.models import Tenant

OPERATOR = Actor.system("test", *Action)
TENANT = "Brenner Logistics"
SIBLINGS = ("Aurora Dental", "Aurora Labs")
IMPATIENT = RetryPolicy(first_wait=0, longest_wait=0, jitter=lambda low, _high: low)


def endpoints(emulator: Emulator) -> Endpoints:
    return Endpoints(emulator.url, emulator.url, emulator.url, emulator.url)


def connection_of(
    emulator: Emulator, app: AppRegistration, *, certificate: bool = False, **facts: Any
) -> NewConnection:
    given: dict[str, Any] = {
        "client_id": UUID(app.client_id),
        "credential": (
            CertificateCredential(app.certificate_pem) if certificate else SecretCredential(app.secret)
        ),
        "cloud": "custom",
        "endpoints": endpoints(emulator),
    }
    return NewConnection(**given | facts)


def onboarded(emulator: Emulator, name: str = TENANT, *, actor: Actor = OPERATOR, **facts: Any) -> Tenant:
    """A seeded tenant with its reader and its writer."""
    info = emulator.tenants[name]
    return onboarding.onboard(
        actor,
        customer_name=info.customer,
        name=name,
        directory_id=UUID(info.directory_id),
        reader=connection_of(emulator, info.reader, **facts),
        writer=connection_of(emulator, info.writer, **facts),
        subscriptions=info.subscriptions,
    )


def impatient_client(tenant: Tenant, purpose: onboarding.Purpose = "reader") -> GraphClient:
    """Like open_client, but attempts follow one another at once."""
    connection = tenant.connections.select_related("app_registration__tenant", "tenant").get(purpose=purpose)
    return GraphClient(onboarding.config_of(connection), writable=purpose == "writer", retry=IMPATIENT)


def path_of(key: str) -> str:
    """A pattern that matches the listing of a type and nothing below it."""
    return f"^{registry.get(key).read.path}$"
