"""What no plan may do: cut off our own access, or take the last Global Administrator away."""

from collections.abc import Iterator

from rollbacks.planning.model import PlanDraft, PlannedStep, StepKind
from snapshots import store
from snapshots.models import Version
from tenants.models import Tenant

GLOBAL_ADMINISTRATOR = "62e90394-69f5-4237-9190-012177145e10"
"""Template id (Microsoft Learn, built-in roles)."""
OUR_TYPES = frozenset({"application", "servicePrincipal"})


def blockers(tenant: Tenant, draft: PlanDraft) -> list[str]:
    """Why the plan must not be applied; empty where nothing stands against it."""
    return [*_against_ourselves(tenant, draft), *_against_the_last_administrator(tenant, draft)]


def _against_ourselves(tenant: Tenant, draft: PlanDraft) -> Iterator[str]:
    ours = {
        str(client_id).lower()
        for client_id in tenant.connections.values_list("app_registration__client_id", flat=True)
    }
    for step in draft.steps:
        if step.resource_type not in OUR_TYPES:
            continue
        document = step.expected or step.target or {}
        if str(document.get("appId", "")).lower() in ours and _cuts_off(step):
            yield f"Step {step.order} would cut off Lavawall's own app registration {step.display_name}."


def _cuts_off(step: PlannedStep) -> bool:
    return step.kind is StepKind.DELETE or (step.target or {}).get("accountEnabled") is False


def _against_the_last_administrator(tenant: Tenant, draft: PlanDraft) -> Iterator[str]:
    removed = {
        step.resource_id
        for step in draft.steps
        if step.kind is StepKind.DELETE
        and (step.expected or {}).get("roleDefinitionId") == GLOBAL_ADMINISTRATOR
    }
    if not removed:
        return
    versions = Version.objects.filter(
        tenant=tenant, resource_type="unifiedRoleAssignment", last_snapshot__isnull=True
    ).exclude(resource_id__in=removed)
    contents = store.documents(tenant, versions.values_list("digest", flat=True))
    remaining = any(
        document.get("roleDefinitionId") == GLOBAL_ADMINISTRATOR and document.get("directoryScopeId") == "/"
        for document in contents.values()
    )
    if not remaining:
        yield "The plan would remove the last Global Administrator. Restore another one first."
