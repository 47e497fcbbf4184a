"""A tenant of the emulator with the people of one rollback, and an intruder who changes it over HTTPS."""

from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from changes.models import Change
from lavawall import pipeline
from lavawall.emulator import Emulator
from rollbacks import services
from rollbacks.execution import runner
from rollbacks.models import Execution, Rollback
from tenants.access.actors import Actor
from tenants.access.matrix import Role
from tenants.connections import onboarding
from tenants.microsoft.request import Request
from tenants.models import Run, Tenant, User
from tenants.runs import leases
from tests.factories.cloud import onboarded
from tests.factories.rollbacks import digest_of
from tests.factories.tenants import person

POLICIES = "/beta/identity/conditionalAccess/policies"
LOCATIONS = "/beta/identity/conditionalAccess/namedLocations"
CONTAINER = "/v1.0/identity/conditionalAccess/deletedItems"


def without_sleep(seconds: float) -> None:
    del seconds


@dataclass
class Scene:
    """One tenant, its four people, and what happens to it."""

    cloud: Emulator
    tenant: Tenant
    requester: User
    approvers: tuple[User, User]
    engineer: User

    def observe(self, *types: str) -> list[Change]:
        run = leases.create(
            self.tenant, Run.Kind.COLLECT, requested_by="test", parameters={"types": list(types) or None}
        )
        lease = leases.claim(run.pk)
        assert lease is not None
        return pipeline.observe(lease).changes

    def intrude(self, method: str, path: str, body: Any = None) -> Any:
        with closing(onboarding.open_client(self.tenant, "writer")) as client:
            return client.send(Request(method, path, body=body, service=_service_of(path))).body

    def read(self, path: str) -> dict[str, Any]:
        with closing(onboarding.open_client(self.tenant, "reader")) as client:
            return client.get(path, service=_service_of(path))

    def named(self, path: str, name: str) -> dict[str, Any]:
        return next(each for each in self.read(path)["value"] if each["displayName"].startswith(name))

    def held(self) -> dict[str, dict[str, Any]]:
        """What the emulator itself says that the tenant holds."""
        return self.cloud.export(str(self.tenant.directory_id))

    def plan(self, changes: Iterable[Change], **facts: Any) -> Rollback:
        return services.plan_rollback(acting(self.requester), tenant=self.tenant, changes=changes, **facts)

    def approved(self, changes: Iterable[Change]) -> Rollback:
        rollback = self.plan(changes)
        for approver in self.approvers:
            services.approve(acting(approver), rollback=rollback, digest=digest_of(rollback))
        self.cloud.requests.clear()
        return rollback

    def signed(self, rollback: Rollback) -> Rollback:
        """By one person, where one is enough."""
        services.approve(acting(self.approvers[0]), rollback=rollback, digest=digest_of(rollback))
        return rollback

    def claim(self, rollback: Rollback) -> leases.Lease:
        claimed = services.execute(acting(self.engineer), rollback=rollback)
        lease = leases.claim(claimed.present_run)
        assert lease is not None
        return lease

    def execute(self, rollback: Rollback) -> Execution:
        return runner.perform(self.claim(rollback), sleep=without_sleep)

    def resume(self, rollback: Rollback) -> Execution:
        """After the worker's death: the lease lapses, and another worker takes the run over."""
        run_id = Execution.objects.get(plan__rollback=rollback).present_run
        lease = leases.claim(run_id, now=timezone.now() + timedelta(hours=1))
        assert lease is not None
        return runner.perform(lease, sleep=without_sleep)

    def writes(self) -> list[tuple[str, str]]:
        """What reached the tenant and was not refused, since the plan was approved."""
        return [
            (logged.method, logged.path)
            for logged in self.cloud.requests
            if logged.method != "GET" and logged.status < 400 and not logged.path.endswith("getByIds")
        ]


def _service_of(path: str) -> str:
    return "arm" if path.startswith("/subscriptions/") else "directory"


def acting(user: User) -> Actor:
    """As the next request would see the user: with nothing cached."""
    return Actor.person(User.objects.get(pk=user.pk), "test")


@pytest.fixture
def scene(committed_db: None, emulator: Emulator) -> Scene:
    tenant = onboarded(emulator)
    _may_write_all_of_azure(emulator, tenant)
    return Scene(
        emulator,
        tenant,
        person(Role.ENGINEER, tenant=tenant, username="rita"),
        (
            person(Role.APPROVER, tenant=tenant, username="ada"),
            person(Role.APPROVER, tenant=tenant, username="ben"),
        ),
        person(Role.ENGINEER, tenant=tenant, username="eve"),
    )


def _may_write_all_of_azure(emulator: Emulator, tenant: Tenant) -> None:
    """Custom roles and locks need more than the writer's roles in the seed."""
    info = emulator.tenants[tenant.name]
    writer = emulator.state(info.directory_id).by_property("servicePrincipal", "appId", info.writer.client_id)
    assert writer is not None
    emulator.azure.assign(f"/subscriptions/{info.subscriptions[0]}", "User Access Administrator", writer.id)


@dataclass
class Incident:
    """Two changes to undo: a policy switched off, and another deleted for good with the location it names."""

    changes: list[Change]
    weakened: dict[str, Any]
    deleted: dict[str, Any]
    location: dict[str, Any]


@pytest.fixture
def incident(scene: Scene) -> Incident:
    return strike(scene, purge=True)


@pytest.fixture
def recoverable(scene: Scene) -> Incident:
    """The same, with everything still in the deleted items."""
    return strike(scene, purge=False)


def strike(scene: Scene, *, purge: bool) -> Incident:
    types = ("conditionalAccessPolicy", "namedLocation")
    scene.observe(*types)
    weakened = scene.named(POLICIES, "CA001")
    deleted, location = scene.named(POLICIES, "CA006"), scene.named(LOCATIONS, "Blocked countries")
    scene.intrude("PATCH", f"{POLICIES}/{weakened['id']}", {"state": "disabled"})
    scene.intrude("DELETE", f"{POLICIES}/{deleted['id']}")
    scene.intrude("DELETE", f"{LOCATIONS}/{location['id']}")
    if purge:
        scene.intrude("DELETE", f"{CONTAINER}/policies/{deleted['id']}")
        scene.intrude("DELETE", f"{CONTAINER}/namedLocations/{location['id']}")
    changes = scene.observe(*types)
    assert len(changes) == 3
    return Incident(changes, weakened, deleted, location)
