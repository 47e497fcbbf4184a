"""What the verdict promises before an incident, the planner keeps after it, for each resource of a seeded tenant."""

import io

from django.core.management import call_command

from lavawall.emulator import Emulator
from rollbacks.planning.build import build
from rollbacks.planning.model import LiveState, PlanDraft, StepKind, Target
from snapshots.catalog import registry
from snapshots.catalog.spec import Document
from snapshots.recoverability import summary
from snapshots.recoverability.summary import Judged
from snapshots.recoverability.verdicts import Answer, Verdict
from snapshots.store import content_store
from tests.factories.cloud import onboarded

CATALOGUE = {spec.key: spec for spec in registry.all_types()}
GRAPH = "https://graph.microsoft.com"


def planned(each: Judged, document: Document, *, deleted: bool) -> PlanDraft:
    """For the resource alone, as if it were gone: from the deleted items too, or not."""
    version = each.version
    target = Target(version.resource_type, version.resource_id, document, version.display_name)
    live = {target.key: LiveState(None, deleted=deleted)}
    return build([target], live, CATALOGUE, graph_url=GRAPH)


def stored(answer: Answer, draft: PlanDraft, how: StepKind) -> bool:
    """Whether the plan does what was promised, and is silent about nothing that was said to be lost."""
    if answer.verdict is Verdict.NOT_RESTORABLE:
        return not draft.steps and not draft.complete
    said = " ".join(draft.warnings)
    return (
        how in {step.kind for step in draft.steps}
        and draft.complete is (answer.verdict is not Verdict.PARTLY)
        and all(lost.what in said for lost in answer.losses)
    )


def test_plans_keep_what_the_verdicts_promise(db: None, emulator: Emulator) -> None:
    tenant = onboarded(emulator)
    call_command("snapshot", tenant.name, stdout=io.StringIO())
    versions = list(summary.current(tenant))
    documents = content_store.documents(tenant, (version.digest for version in versions))
    broken = []
    for each in summary.judged(tenant, versions):
        document = documents[each.version.digest]
        gone = each.restorability.purged or each.restorability.deleted
        if gone is not None and not stored(gone, planned(each, document, deleted=False), StepKind.RECREATE):
            broken.append(("gone", str(each.version), gone))
        held = each.restorability.deleted if each.restorability.purged is not None else None
        if held is not None and StepKind.UNDELETE not in {
            step.kind for step in planned(each, document, deleted=True).steps
        }:
            broken.append(("held", str(each.version), held))
    assert broken == []
