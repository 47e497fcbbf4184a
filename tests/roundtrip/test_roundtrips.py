"""Plays every declared attack and rolls it back: afterwards the tenant reads as it did before, new ids aside."""

from collections.abc import Sequence

import pytest
from django.db import connection

from changes.models import Change
from rollbacks import selectors, services
from rollbacks.models import Rollback
from rollbacks.states import State
from snapshots.models import Snapshot
from tests.factories.rollbacks import digest_of
from tests.rollbacks.conftest import Scene, acting
from tests.roundtrip.model import Act, Case
from tests.roundtrip.playing import Player
from tests.roundtrip.registry import all_cases


@pytest.mark.parametrize("case", all_cases(), ids=lambda case: case.name)
def test_every_attack_on_a_type_is_undone(scene: Scene, case: Case) -> None:
    trip = _Trip(scene, case)
    attacks = _chosen(list(case.attacks(trip.player.world)))
    faults = [fault for name, acts in attacks if (fault := trip.fault_of(name, acts))]
    assert not faults, "\n".join(faults)


def _chosen(attacks: list[tuple[str, Sequence[Act]]]) -> list[tuple[str, Sequence[Act]]]:
    """All attacks where the suite runs on SQLite. Which property is attacked makes no difference to a database: on
    PostgreSQL each case plays the first, the last and one between.
    """
    if connection.vendor == "sqlite" or len(attacks) <= 3:
        return attacks
    return [attacks[0], attacks[len(attacks) // 2], attacks[-1]]


class _Trip:
    """All attacks on one type, one after the other, in one tenant."""

    def __init__(self, scene: Scene, case: Case) -> None:
        self.scene = scene
        self.case = case
        self.types = (case.key, *case.types)
        self.player = Player(scene, case)
        self.player.prepare()
        scene.tenant.required_approvals = scene.tenant.required_approvals_critical = 1
        scene.tenant.save()
        scene.observe(*self.types)

    def fault_of(self, name: str, acts: Sequence[Act]) -> str:
        """What went wrong in one attack and its rollback; nothing where all held."""
        before = Snapshot.objects.latest("pk")
        try:
            self.player.play(acts)
            return self._undone(name, before)
        except Exception as error:  # noqa: BLE001 - each attack is judged by itself
            self.scene.observe(*self.types)
            return f"{name}: {type(error).__name__}: {error}"

    def _approved(self, changes: Sequence[Change]) -> Rollback:
        """By one person, as this tenant asks; who must sign is proven elsewhere."""
        rollback = self.scene.plan(changes)
        services.approve(acting(self.scene.approvers[0]), rollback=rollback, digest=digest_of(rollback))
        return rollback

    def _undone(self, name: str, before: Snapshot) -> str:
        changes = self.scene.observe(*self.types)
        if not changes:
            return f"{name}: no change was detected"
        done = self.scene.execute(self._approved(changes))
        self.scene.observe(*self.types)
        lost = self.case.lost.get(name, frozenset())
        differing = selectors.differing(before, Snapshot.objects.latest("pk"))
        announced = {loss["path"].split("[")[0].split(".")[0] for loss in done.verification.get("losses", ())}
        if done.outcome != State.VERIFIED:
            return f"{name}: {done.outcome}: {done.message} {done.verification.get('differs')} {done.plan.warnings}"
        if lost:
            return "" if lost <= announced else f"{name}: announced {sorted(announced)}: {done.plan.warnings}"
        return f"{name}: still differs: {differing}" if differing else ""
