"""Every type that has round trips is attacked once: each change is attributed, by an audit event, to whoever made it.

All attacks are played in one tenant, which is observed before and after them.
"""

from collections import defaultdict
from collections.abc import Mapping

from changes import attribution
from changes.audit.sources import UNREAD
from changes.models import Change
from snapshots.catalog import registry
from tests.rollbacks.conftest import Scene, scene
from tests.roundtrip.model import Case, World
from tests.roundtrip.playing import Player
from tests.roundtrip.registry import all_cases

__all__ = ["scene"]

UNATTRIBUTED: Mapping[str, str] = {}
"""Type → why nobody can say who changed it, although its log is read."""

LOW = {
    ("appRoleAssignment", "deleted"): "what goes with its principal has no event of its own",
    ("oAuth2PermissionGrant", "deleted"): "what goes with its principal has no event of its own",
}
"""Changes of which only low confidence is possible, and why."""


def test_every_type_that_is_attacked_is_attributed_to_the_intruder(scene: Scene) -> None:
    cases = [case for case in all_cases() if any(case.attacks(World(read=lambda _path: {})))]
    types = sorted({case.key for case in cases})
    scene.observe(*types)
    for case in cases:
        _attack(scene, case)
    changes = defaultdict(list)
    for change in scene.observe(*types):
        changes[change.resource_type].append(change)
    assert [each for each in types if not changes[each]] == []
    intruder = scene.cloud.tenants[scene.tenant.name].writer.client_id
    faults = [
        fault
        for each in types
        if each not in UNATTRIBUTED and registry.get(each).audit_log not in UNREAD
        for fault in map(lambda change: _fault(change, intruder), changes[each])
        if fault
    ]
    assert faults == []


def _attack(scene: Scene, case: Case) -> None:
    player = Player(scene, case)
    _, acts = next(iter(case.attacks(player.world)))
    player.play(acts)


def _fault(change: Change, intruder: str) -> str:
    found = attribution.best(change)
    if found is None:
        return f"{change}: by nobody"
    if found.event.actor_app_id != intruder or not found.event.event_id or not found.ours:
        return f"{change}: by {found.event.actor_name} in {found.event.activity}"
    if found.confidence == "low" and (change.resource_type, change.kind) not in LOW:
        return f"{change}: by {found.event.activity} with low confidence: {found.why}"
    return ""
