"""Every type that has round trips is attacked once: each change is attributed, by an audit event, to whoever made it.

All attacks of a kind are played in one tenant, which is observed before and after them. Where two attacks want the
same object, the first has it.
"""

from collections import defaultdict

import pytest

from changes import selectors
from changes.audit.sources import UNREAD
from changes.models import Change
from snapshots.catalog import registry
from snapshots.models import Coverage, Snapshot
from tenants.microsoft.errors import MicrosoftError
from tests.rollbacks.conftest import Scene, scene
from tests.roundtrip.model import Case, World
from tests.roundtrip.playing import Player
from tests.roundtrip.registry import all_cases

__all__ = ["scene"]

pytestmark = pytest.mark.exhaustive("every type; test_attribution.py shows each way of finding who did it")

FOLLOW_UPS = {
    "Managed Service Identity": "the principal of a managed identity goes with it; who deleted it stands there",
}
"""Services of Microsoft that do something on their own after a change, and whose change that was."""

MOVED_UP = ("delete", "deviceEnrollmentConfiguration", "updated")
"""Where one configuration goes, Intune moves the priorities of the others up, and logs nothing."""

LOW = {
    ("appRoleAssignment", "deleted"): "what goes with its principal has no event of its own",
    ("oAuth2PermissionGrant", "deleted"): "what goes with its principal has no event of its own",
}
"""Changes of which only low confidence is possible, and why."""


@pytest.mark.parametrize("kind", ["update", "create", "delete"])
def test_every_type_that_is_attacked_is_attributed_to_the_intruder(scene: Scene, kind: str) -> None:
    attacks = [(case, name) for case in all_cases() if (name := _attack_of(case, kind))]
    attacks.sort(key=lambda each: registry.get(each[0].key).restore.order.rank, reverse=kind == "delete")
    for case, _ in attacks:
        Player(scene, case).prepare()
    types = {each for case, _ in attacks for each in (case.key, *case.types)}
    scene.observe(*types)
    struck = {case.key for case, name in attacks if _struck(scene, case, name)}
    changes = defaultdict(list)
    for change in scene.observe(*types):
        changes[change.resource_type].append(change)
    assert struck & _still_read() <= changes.keys()
    intruder = scene.cloud.tenants[scene.tenant.name].writer.client_id
    faults = [
        fault
        for each in sorted(changes)
        if registry.get(each).audit_log not in UNREAD
        for change in changes[each]
        if (kind, each, change.kind) != MOVED_UP and (fault := _fault(change, intruder))
    ]
    assert not faults, "\n".join(faults)


def _still_read() -> set[str]:
    """One of the deletions takes a permission away from the reader itself."""
    covered = Coverage.objects.filter(snapshot=Snapshot.objects.latest("pk"), status="complete")
    return set(covered.values_list("resource_type", flat=True))


def _struck(scene: Scene, case: Case, name: str) -> bool:
    """False where an earlier attack had the same object first; that the attack is none is told by its round trip."""
    player = Player(scene, case)
    try:
        player.play(dict(case.attacks(player.world))[name])
    except (MicrosoftError, LookupError, StopIteration):
        return False
    return True


def _attack_of(case: Case, kind: str) -> str | None:
    """The first attack of its kind; what is no update, creation or deletion counts as an update."""
    names = [name for name, _ in case.attacks(World(read=lambda _path: {}))]
    return next(
        (
            name
            for name in names
            if name.startswith(kind) or (kind == "update" and name not in {"create", "delete"})
        ),
        None,
    )


def _fault(change: Change, intruder: str) -> str:
    found = selectors.best_attribution(change)
    if found is None:
        return f"{change}: by nobody, {selectors.difference_of(change).patch}"
    if found.event.actor_name in FOLLOW_UPS:
        return ""
    if found.event.actor_app_id != intruder or not found.event.event_id or found.ours:
        return f"{change}: by {found.event.actor_name} in {found.event.activity}"
    if found.confidence == "low" and (change.resource_type, change.kind) not in LOW:
        return f"{change}: by {found.event.activity} with low confidence: {found.why}"
    return ""
