"""Plays every declared attack and rolls it back: afterwards the tenant reads as it did before, new ids aside."""

from collections.abc import Sequence
from contextlib import closing

import pytest

from rollbacks import selectors
from rollbacks.states import State
from snapshots.catalog import registry as catalogue
from snapshots.models import Snapshot
from tenants import connections
from tenants.microsoft.request import Request
from tests.rollbacks.conftest import Scene
from tests.roundtrip.model import Act, Case, Json, World
from tests.roundtrip.registry import all_cases


@pytest.mark.parametrize("case", all_cases(), ids=lambda case: case.name)
def test_every_attack_on_a_type_is_undone(scene: Scene, case: Case) -> None:
    trip = _Trip(scene, case)
    faults = [fault for name, acts in case.attacks(trip.world) if (fault := trip.fault_of(name, acts))]
    assert not faults, "\n".join(faults)


class _Trip:
    """All attacks on one type, one after the other, in one tenant."""

    def __init__(self, scene: Scene, case: Case) -> None:
        self.scene = scene
        self.case = case
        self.types = (case.key, *case.types)
        self.service = catalogue.get(case.key).read.service
        info = scene.cloud.tenants[scene.tenant.name]
        subscriptions = getattr(info, "subscriptions", ())
        self.world = World(self._read, info.directory_id, subscriptions[0] if subscriptions else "")
        self._play(case.given, {})
        scene.observe(*self.types)

    def fault_of(self, name: str, acts: Sequence[Act]) -> str:
        """What went wrong in one attack and its rollback; nothing where all held."""
        before = Snapshot.objects.latest("pk")
        try:
            self._play(acts, self.case.subject(self.world))
            return self._undone(name, before)
        except Exception as error:  # noqa: BLE001 - each attack is judged by itself
            self.scene.observe(*self.types)
            return f"{name}: {type(error).__name__}: {error}"

    def _play(self, acts: Sequence[Act], subject: Json) -> None:
        for act in acts:
            method, path, body = act.prepared(self.world, subject)
            with closing(connections.open_client(self.scene.tenant, "writer")) as client:
                client.send(Request(method, path, body=body, service=self._service_of(path)))

    def _undone(self, name: str, before: Snapshot) -> str:
        changes = self.scene.observe(*self.types)
        if not changes:
            return f"{name}: no change was detected"
        done = self.scene.execute(self.scene.approved(changes))
        self.scene.observe(*self.types)
        lost = self.case.lost.get(name, frozenset())
        differing = selectors.differing(before, Snapshot.objects.latest("pk"))
        if lost:
            fields = {
                field.split("[")[0].split(".")[0]
                for each in done.verification["differs"]
                for field in each["fields"]
            }
            said = all(any(each in warning for warning in done.plan.warnings) for each in lost)
            return "" if fields <= lost and said else f"{name}: lost {sorted(fields)}: {done.plan.warnings}"
        if done.outcome != State.VERIFIED:
            return f"{name}: {done.outcome}: {done.message} {done.verification.get('differs')} {done.plan.warnings}"
        return f"{name}: still differs: {differing}" if differing else ""

    def _read(self, path: str) -> dict[str, object]:
        with closing(connections.open_client(self.scene.tenant, "reader")) as client:
            service = self._service_of(path)
            found = client.get(path, service=service)
            if "@odata.nextLink" in found or "nextLink" in found:
                found["value"] = list(client.items(path, service=service))
            return found

    def _service_of(self, path: str) -> str:
        is_azure = path.startswith(("/subscriptions/", "/providers/"))
        return "arm" if is_azure else self.service if self.service != "arm" else "directory"
