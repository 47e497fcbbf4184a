"""Changes as detection records them, from two states."""

from django.db import transaction

from changes.detection.detect import detect
from changes.models import Change
from snapshots.collection import capture
from tenants.models import Tenant
from tests.factories.snapshots import State, collected, take

MFA_POLICY_ID = "6f1f0b0e-6a1c-4b8e-9b58-0d4b2f6f9a01"


def mfa_policy(**overrides: object) -> dict[str, object]:
    """An enforced policy that requires MFA of administrators, in Graph's shape."""
    return {
        "id": MFA_POLICY_ID,
        "displayName": "Require MFA for administrators",
        "state": "enabled",
        "conditions": {
            "users": {"includeRoles": ["62e90394-69f5-4237-9190-012177145e10"], "excludeUsers": []},
            "applications": {"includeApplications": ["All"]},
            "clientAppTypes": ["all"],
        },
        "grantControls": {"operator": "OR", "builtInControls": ["mfa"]},
        **overrides,
    }


def detected(tenant: Tenant, before: State, after: State) -> list[Change]:
    """The changes between two states of a tenant, each sealed as a snapshot."""
    take(tenant, before)
    gathered = collected(tenant, after)
    with transaction.atomic():
        return detect(capture.seal(gathered, requested_by="test"))


def disabled_mfa(tenant: Tenant) -> Change:
    """One critical change: the administrators' MFA policy was switched off."""
    (change,) = detected(
        tenant,
        {"conditionalAccessPolicy": {MFA_POLICY_ID: mfa_policy()}},
        {"conditionalAccessPolicy": {MFA_POLICY_ID: mfa_policy(state="disabled")}},
    )
    return change
