"""Checks that no plan removes our own access or the last Global Administrator."""

from collections.abc import Iterator

from rollbacks.planning.model import BRINGS_BACK, EffectKind, PlanDraft, PlannedStep, StepKind
from snapshots.catalog.spec import Document
from snapshots.collection.addresses import at
from snapshots.models import Version
from snapshots.store import content_store
from tenants.models import Tenant

GLOBAL_ADMINISTRATOR = "62e90394-69f5-4237-9190-012177145e10"
"""Template id (Microsoft Learn, built-in roles)."""
HELD_FOR_GOOD = "unifiedRoleAssignment"
"""The only type that counts: what ends, or must be activated first, may be of no use when it is needed."""
OUR_TYPES = frozenset({"application", "servicePrincipal"})
GRANTS = {
    "appRoleAssignment": "principalId",
    "azureRoleAssignment": "properties.principalId",
    "unifiedRoleAssignment": "principalId",
}
"""Types of what is given to a principal, and where that stands."""
CREDENTIALS = frozenset({"passwordCredentials", "keyCredentials"})
POLICY, ENFORCED, BLOCK = "conditionalAccessPolicy", "enabled", "block"
EVERY_ONE_OF_OURS = "ServicePrincipalsInMyTenant"


def blockers(tenant: Tenant, draft: PlanDraft) -> list[str]:
    """Reasons why the plan must not be executed; empty if there are none."""
    return [
        *_against_ourselves(tenant, draft),
        *_against_the_last_administrator(tenant, draft),
        *_against_everybody(tenant, draft),
    ]


def _against_ourselves(tenant: Tenant, draft: PlanDraft) -> Iterator[str]:
    ours = _our_apps(tenant)
    for step in draft.steps:
        document = step.expected or step.target or {}
        is_ours = step.resource_type in OUR_TYPES and str(document.get("appId", "")).lower() in ours
        if is_ours and _cuts_off(step):
            yield (
                f"Step {step.order} would disable or delete Lavawall's own app registration "
                f"{step.display_name}."
            )
    taken = {
        str(at(step.expected or {}, GRANTS[step.resource_type])): step
        for step in draft.steps
        if step.resource_type in GRANTS and step.kind is StepKind.DELETE
    }
    for principal_id in taken.keys() & _our_principals(tenant, ours) if taken else ():
        yield (
            f"Step {taken[principal_id].order} would remove a permission or role of Lavawall's own app "
            "registration."
        )


def _our_apps(tenant: Tenant) -> set[str]:
    clients = tenant.connections.values_list("app_registration__client_id", flat=True)
    return {str(client_id).lower() for client_id in clients}


def _cuts_off(step: PlannedStep) -> bool:
    """Deletes or disables it, or takes one of its credentials: it may be the one that we sign in with."""
    loses_credential = any(
        planned.effect.kind is EffectKind.REMOVE and planned.effect.of in CREDENTIALS
        for planned in step.requests
    ) or any(_lacks_key(step, name) for name in CREDENTIALS)
    disabled = (step.target or {}).get("accountEnabled") is False
    return step.kind is StepKind.DELETE or disabled or loses_credential


def _lacks_key(step: PlannedStep, name: str) -> bool:
    """Whether a credential that is there now is none of those afterwards: lists are also written whole."""
    have, want = (
        {credential.get("keyId") for credential in (document or {}).get(name, ())}
        for document in (step.expected, step.target)
    )
    return bool(have - want)


def _our_principals(tenant: Tenant, ours: set[str]) -> set[str]:
    versions = Version.objects.filter(
        tenant=tenant, resource_type="servicePrincipal", last_snapshot__isnull=True
    )
    contents = content_store.documents(tenant, versions.values_list("digest", flat=True))
    return {
        version.resource_id
        for version in versions
        if str(contents[version.digest].get("appId", "")).lower() in ours
    }


def _against_the_last_administrator(tenant: Tenant, draft: PlanDraft) -> Iterator[str]:
    steps = [step for step in draft.steps if step.resource_type == HELD_FOR_GOOD]
    removed = {
        step.resource_id
        for step in steps
        if step.kind is StepKind.DELETE and _is_global_administrator(step.expected)
    }
    given = any(step.kind in BRINGS_BACK and _is_global_administrator(step.target) for step in steps)
    emptied = {step.resource_id for step in draft.steps if _empties_a_group(step)}
    if given or not (removed or emptied):
        return
    versions = Version.objects.filter(
        tenant=tenant, resource_type=HELD_FOR_GOOD, last_snapshot__isnull=True
    ).exclude(resource_id__in=removed)
    contents = content_store.documents(tenant, versions.values_list("digest", flat=True))
    holders = {str(each.get("principalId")) for each in contents.values() if _is_global_administrator(each)}
    if not holders - emptied and (removed or holders):
        yield "The plan would remove the last Global Administrator. Restore another one first."


def _empties_a_group(step: PlannedStep) -> bool:
    """Accounts that had a role through the group lose it."""
    had, has = ((document or {}).get("members") for document in (step.expected, step.target))
    return step.resource_type == "group" and (step.kind is StepKind.DELETE or bool(had and not has))


def _is_global_administrator(assignment: Document | None) -> bool:
    """In the whole tenant: within an administrative unit the role reaches its members only."""
    found = assignment or {}
    return found.get("roleDefinitionId") == GLOBAL_ADMINISTRATOR and found.get("directoryScopeId") == "/"


def _against_everybody(tenant: Tenant, draft: PlanDraft) -> Iterator[str]:
    """Policies that would block without any exception: all people (who then could not even switch it off), or us."""
    blocking = [step for step in draft.steps if step.resource_type == POLICY and _blocks(step.target)]
    for step in blocking:
        if _spares_nobody(step.target or {}):
            yield (
                f"Step {step.order} would block all users from all applications. Exclude an emergency "
                "account first."
            )
    named = {step.order: _blocked_principals(step.target or {}) for step in blocking}
    ours = (
        _our_principals(tenant, _our_apps(tenant))
        if any(included for included, _ in named.values())
        else set()
    )
    for order, (included, excluded) in named.items():
        if ours - excluded if EVERY_ONE_OF_OURS in included else ours & included:
            yield f"Step {order} would block Lavawall's own app registration."


def _blocks(policy: Document | None) -> bool:
    found = policy or {}
    return found.get("state") == ENFORCED and BLOCK in (at(found, "grantControls.builtInControls") or ())


def _spares_nobody(policy: Document) -> bool:
    """Everybody, every application, and no condition that narrows it."""
    conditions = dict(policy.get("conditions") or {})
    users, applications = conditions.pop("users", {}), conditions.pop("applications", {})
    clients = conditions.pop("clientAppTypes", ["all"])
    return (
        users == {"includeUsers": ["All"]}
        and applications == {"includeApplications": ["All"]}
        and clients == ["all"]
        and not any(conditions.values())
    )


def _blocked_principals(policy: Document) -> tuple[set[str], set[str]]:
    """Which service principals it is for wherever they come from, and which not."""
    anywhere = not at(policy, "conditions.locations.excludeLocations")
    conditions = (at(policy, "conditions.clientApplications") or {}) if anywhere else {}
    return {*conditions.get("includeServicePrincipals", ())}, {
        *conditions.get("excludeServicePrincipals", ())
    }
