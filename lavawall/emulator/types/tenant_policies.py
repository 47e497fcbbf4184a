"""Policies of which a tenant has exactly one: security defaults, authorization, device registration and the like."""

from typing import Any

from lavawall.emulator import audit
from lavawall.emulator.errors import bad_request
from lavawall.emulator.filters import value_at
from lavawall.emulator.model import BETA, Audit, EntityType, Permissions, Write
from lavawall.emulator.presentation import View
from lavawall.emulator.store import Json
from lavawall.emulator.validation import WriteRules

READ: Permissions = ("Policy.Read.All",)
FIXED_TEXTS = frozenset({"displayName", "description"})
GUEST_ROLES = frozenset(
    {
        "a0b1b346-4d3e-4e8b-98f8-753987be4970",
        "10dae51f-b6af-4016-8d66-8c2a99b929b3",
        "2af84b1e-32c8-42b7-82bc-daa82404023b",
    }
)
ASSIGNED = "permissionGrantPoliciesAssigned"
ASSIGNED_IN_BETA = "permissionGrantPolicyIdsAssignedToDefaultUserRole"
PREFIXES = ("ManagePermissionGrantsForSelf.", "ManagePermissionGrantsForOwnedResource.")
LONGEST_CONSENT_REQUEST = 60
REVIEWER_TYPES = {"users": "user", "groups": "group", "directoryRoles": "unifiedRoleDefinition"}


def check_no_policies_enabled(write: Write) -> None:
    """Security defaults and enabled Conditional Access policies exclude each other."""
    enabled = [
        each
        for each in write.session.directory.records["conditionalAccessPolicy"].values()
        if each.body.get("state") == "enabled"
    ]
    if write.after.get("isEnabled") and enabled:
        raise bad_request(
            "Security defaults cannot be enabled while Conditional Access policies are enabled.", "BadRequest"
        )


def check_authorization(write: Write) -> None:
    if write.after.get("guestUserRoleId") not in GUEST_ROLES:
        raise bad_request("'guestUserRoleId' is none of the roles that guests can have.")
    permissions = write.after["defaultUserRolePermissions"]
    if ASSIGNED_IN_BETA in write.body:
        permissions[ASSIGNED] = write.after.pop(ASSIGNED_IN_BETA) or []
    elif ASSIGNED in (write.body.get("defaultUserRolePermissions") or {}) and _speaks_beta(write):
        raise bad_request(f"Invalid property '{ASSIGNED}': it is not a property of type of beta.")
    for assigned in permissions.get(ASSIGNED) or []:
        name = assigned_policy(assigned)
        if name is None or write.session.directory.get("permissionGrantPolicy", name) is None:
            raise bad_request(f"The permission grant policy '{assigned}' does not exist.")


def _speaks_beta(write: Write) -> bool:
    return write.session.version == "beta" and not write.session.is_seeding


def assigned_policy(assigned: Any) -> str | None:
    """The id of the policy in an assignment like ManagePermissionGrantsForSelf.{id}."""
    return next(
        (str(assigned).removeprefix(each) for each in PREFIXES if str(assigned).startswith(each)), None
    )


def show_authorization(view: View) -> None:
    """One setting has a place in v1.0 and another in beta."""
    if view.session.version != "beta":
        return
    permissions = dict(view.body["defaultUserRolePermissions"])
    view.body[ASSIGNED_IN_BETA] = permissions.pop(ASSIGNED, None) or []
    view.body["defaultUserRolePermissions"] = permissions


def check_device_registration(write: Write) -> None:
    for path in ("azureADJoin/allowedToJoin", "azureADRegistration/allowedToRegister"):
        membership = value_at(write.after, path) or {}
        for name, type_name in (("users", "user"), ("groups", "group")):
            for identifier in membership.get(name) or []:
                if write.session.directory.get(type_name, identifier) is None:
                    raise bad_request(f"'{identifier}' in {path} does not exist.", "BadRequest")


def check_consent_requests(write: Write) -> None:
    after = write.after
    if not write.session.is_seeding:
        after["version"] = (write.before or {}).get("version", 0) + 1
    if not 0 <= after["requestDurationInDays"] <= LONGEST_CONSENT_REQUEST:
        raise bad_request(f"'requestDurationInDays' is at most {LONGEST_CONSENT_REQUEST}.", "BadRequest")
    if after["isEnabled"] and not after.get("reviewers"):
        raise bad_request("An enabled consent request policy needs reviewers.", "BadRequest")
    for reviewer in after.get("reviewers") or []:
        _check_reviewer(write, reviewer)


def _check_reviewer(write: Write, reviewer: Json) -> None:
    parts = str(reviewer.get("query") or "").removeprefix("/v1.0").removeprefix("/beta").strip("/").split("/")
    type_name = REVIEWER_TYPES.get(parts[0])
    if type_name is None or len(parts) < 2 or write.session.directory.get(type_name, parts[1]) is None:
        raise bad_request(f"The reviewer '{reviewer.get('query')}' does not exist.", "BadRequest")


def policy_audit(update: str, *, category: str = "Policy", service: str = audit.CORE_DIRECTORY) -> Audit:
    return Audit(service=service, category=category, target_type="Policy", update=update)


KINDS = (
    EntityType(
        name="identitySecurityDefaultsEnforcementPolicy",
        path="/policies/identitySecurityDefaultsEnforcementPolicy",
        singleton="00000000-0000-0000-0000-000000000005",
        verbs=frozenset({"get", "update"}),
        read=(*READ, "Policy.ReadWrite.SecurityDefaults"),
        write=("Policy.Read.All & Policy.ReadWrite.SecurityDefaults",),
        rules=WriteRules(computed=FIXED_TEXTS | {"deletedDateTime"}),
        audit=policy_audit("Update security defaults"),
        checks=(check_no_policies_enabled,),
        dates=(),
    ),
    EntityType(
        name="authorizationPolicy",
        path="/policies/authorizationPolicy",
        beta_path="/policies/authorizationPolicy/authorizationPolicy",
        singleton="authorizationPolicy",
        verbs=frozenset({"get", "update"}),
        read=(*READ, "Policy.ReadWrite.Authorization"),
        write=("Policy.ReadWrite.Authorization",),
        rules=WriteRules(computed=FIXED_TEXTS | {"deletedDateTime"}),
        audit=policy_audit("Update authorization policy", category="AuthorizationPolicy"),
        checks=(check_authorization,),
        dates=(),
        merged=frozenset({"defaultUserRolePermissions"}),
        present=show_authorization,
    ),
    EntityType(
        name="authenticationFlowsPolicy",
        path="/policies/authenticationFlowsPolicy",
        singleton="authenticationFlowsPolicy",
        verbs=frozenset({"get", "update"}),
        read=(*READ, "Policy.ReadWrite.AuthenticationFlows"),
        write=("Policy.ReadWrite.AuthenticationFlows",),
        rules=WriteRules(writable=frozenset({"selfServiceSignUp"})),
        audit=policy_audit("Update authentication flows policy"),
        dates=(),
    ),
    EntityType(
        name="externalIdentitiesPolicy",
        path="/policies/externalIdentitiesPolicy",
        singleton="externalIdentityPolicy",
        verbs=frozenset({"get", "update"}),
        read=(*READ, "Policy.ReadWrite.ExternalIdentities"),
        write=("Policy.ReadWrite.ExternalIdentities",),
        audit=policy_audit("Update policy"),
        dates=(),
        versions=BETA,
    ),
    EntityType(
        name="deviceRegistrationPolicy",
        path="/policies/deviceRegistrationPolicy",
        singleton="deviceRegistrationPolicy",
        verbs=frozenset({"get", "update", "replace"}),
        read=("Policy.Read.DeviceConfiguration", "Policy.ReadWrite.DeviceConfiguration"),
        write=("Policy.ReadWrite.DeviceConfiguration",),
        rules=WriteRules(
            computed=FIXED_TEXTS,
            required=(
                "userDeviceQuota",
                "multiFactorAuthConfiguration",
                "azureADRegistration",
                "azureADJoin",
            ),
        ),
        audit=policy_audit("Set device registration policies", service="Device Registration Service"),
        checks=(check_device_registration,),
        dates=(),
        repeatable=FIXED_TEXTS | {"id"},
    ),
    EntityType(
        name="adminConsentRequestPolicy",
        path="/policies/adminConsentRequestPolicy",
        singleton="adminConsentRequestPolicy",
        verbs=frozenset({"get", "replace"}),
        read=(*READ, "Policy.ReadWrite.ConsentRequest", "Directory.Read.All", "Directory.ReadWrite.All"),
        write=("Policy.ReadWrite.ConsentRequest", "Directory.ReadWrite.All"),
        rules=WriteRules(
            required=(
                "isEnabled",
                "notifyReviewers",
                "remindersEnabled",
                "requestDurationInDays",
                "reviewers",
            )
        ),
        audit=policy_audit("Update policy"),
        checks=(check_consent_requests,),
        dates=(),
        on_request=frozenset({"id"}),
    ),
)
