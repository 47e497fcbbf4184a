"""Plays every declared attack and rolls it back: afterwards the cloud holds what it held before, new IDs aside."""

from collections.abc import Iterator, Sequence

import pytest

from changes.models import Change
from rollbacks import selectors, services
from rollbacks.models import Execution
from rollbacks.states import State
from snapshots.catalog import registry as catalogue
from snapshots.models import Snapshot
from tests.factories.rollbacks import digest_of
from tests.rollbacks.conftest import Scene, acting
from tests.roundtrip import judge
from tests.roundtrip.model import Case, World
from tests.roundtrip.playing import Player
from tests.roundtrip.registry import families

KINDS = ("update", "create", "delete")
ONE_OF_MANY = pytest.mark.exhaustive("the first attack of its kind in its family shows the same")


def _attacks() -> list[object]:
    """All of them; the first of each kind in each family of types is played by `make test` too. Intune's types are all
    created and deleted alike.
    """
    intune: set[str] = set()
    found: list[object] = []
    for family in families():
        is_intune = catalogue.get(family[0].key).read.service == "intune"
        found += _attacks_on(family, {*intune} if is_intune else set())
        intune |= {"create", "delete"} if is_intune else set()
    return found


def _attacks_on(family: Sequence[Case], shown: set[str]) -> Iterator[object]:
    for case in family:
        for name, _ in case.attacks(World(read=lambda _path: {})):
            kind = next((each for each in KINDS if name.startswith(each)), "other")
            marks = [ONE_OF_MANY] if kind in shown else []
            shown.add(kind)
            yield pytest.param(case, name, id=f"{case.name}: {name}", marks=marks)


@pytest.mark.parametrize(("case", "attack"), _attacks())
def test_an_attack_is_undone(scene: Scene, case: Case, attack: str) -> None:
    types = (case.key, *case.types)
    player = Player(scene, case)
    player.prepare()
    _one_signature_is_enough(scene)
    scene.observe(*types)
    before, held = Snapshot.objects.latest("pk"), scene.held()
    player.play(dict(case.attacks(player.world))[attack])
    attacked = scene.held()
    changes = scene.observe(*types)
    assert changes, "no change was detected"
    done = _rolled_back(scene, changes)
    assert done.outcome == State.VERIFIED, (done.message, done.verification, done.plan.warnings)
    lost = case.lost.get(attack, frozenset())
    announced = {loss["path"].split("[")[0].split(".")[0] for loss in done.verification.get("losses", ())}
    assert lost <= announced, (announced, done.plan.warnings)
    others = {spec.key for spec in catalogue.all_types()} - {*types}
    found = judge.findings(held, attacked, scene.held(), others)
    assert not (unannounced := [each for each in found if not _announced(done, each)]), judge.shown(
        unannounced
    )
    scene.observe(*types)
    assert lost or not selectors.differing(before, Snapshot.objects.latest("pk"))


def _announced(done: Execution, found: judge.Difference) -> bool:
    """Whether the plan said of this very object that the property would be lost."""
    return any(
        f"{found.key}/".lower().startswith(f"{loss['resource_id']}/".lower())
        and (not found.path or _property(found.path) == _property(loss["path"]))
        for loss in done.verification.get("losses", ())
    )


def _property(path: str) -> str:
    """The emulator keeps the texts of passwords apart from their credentials."""
    return "passwordCredentials" if path.startswith("secret of ") else path.split(".")[0].split("[")[0]


def _one_signature_is_enough(scene: Scene) -> None:
    """Who must sign is proven elsewhere."""
    scene.tenant.required_approvals = scene.tenant.required_approvals_critical = 1
    scene.tenant.save()


def _rolled_back(scene: Scene, changes: list[Change]) -> Execution:
    rollback = scene.plan(changes)
    services.approve(acting(scene.approvers[0]), rollback=rollback, digest=digest_of(rollback))
    return scene.execute(rollback)
