"""Derives the emulator's data files: run by hand when Microsoft publishes a new schema, never at run time.

usage: derive_schema.py schema TYPES.JSON SDK.WHL   writes lavawall/emulator/data/schema.json
       derive_schema.py reference REFERENCE.JSON PERMISSIONS-DESCRIPTIONS.JSON
                                                    writes directory_roles.json and graph_permissions.json

TYPES.JSON is the entity model of microsoftgraph/msgraph-metadata (schemas/v1.0-Prod.csdl) as JSON; SDK.WHL is the wheel
of msgraph-beta-sdk, whose generated models name what only the beta version has: see beta_models.py;
PERMISSIONS-DESCRIPTIONS.JSON is permissions/permissions-descriptions.json of microsoft-graph-devx-content.
"""

import json
import re
import sys
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from beta_models import with_beta

DATA = Path(__file__).resolve().parent.parent / "lavawall" / "emulator" / "data"

# Intune's types that the entity model names without declaring them, in the form of the derived schema.
INTUNE_TYPES = Path(__file__).resolve().parent / "intune_types.json"

# Published in the same CSDL but left out of the entity model used here; names and types only.
SUPPLEMENT: dict[str, dict[str, Any]] = {
    "authenticationMethodTarget": {
        "base": "entity",
        "properties": {
            "isRegistrationRequired": "Edm.Boolean",
            "targetType": "authenticationMethodTargetType",
        },
    },
    "microsoftAuthenticatorAuthenticationMethodTarget": {
        "base": "authenticationMethodTarget",
        "properties": {"authenticationMode": "microsoftAuthenticatorAuthenticationMode"},
    },
    "smsAuthenticationMethodTarget": {
        "base": "authenticationMethodTarget",
        "properties": {"isUsableForSignIn": "Edm.Boolean"},
    },
    "passkeyAuthenticationMethodTarget": {
        "base": "authenticationMethodTarget",
        "properties": {"allowedPasskeyProfiles": "Collection(Edm.Guid)"},
    },
    "verifiableCredentialAuthenticationMethodTarget": {
        "base": "authenticationMethodTarget",
        "properties": {"verifiedIdProfiles": "Collection(Edm.Guid)"},
    },
    "federatedIdentityExpression": {
        "properties": {"languageVersion": "Edm.Int32", "value": "Edm.String"},
    },
    "microsoftAuthenticatorAuthenticationMode": {"members": ["deviceBasedPush", "push", "any"]},
    "insightsSettings": {
        "base": "entity",
        "properties": {"disabledForGroup": "Edm.String", "isEnabledInOrganization": "Edm.Boolean!"},
    },
    "photoUpdateSettings": {
        "base": "entity",
        "properties": {"allowedRoles": "Collection(Edm.String)", "source": "Edm.String"},
    },
    "subscribedSku": {
        "base": "entity",
        "properties": {
            "accountId": "Edm.String",
            "accountName": "Edm.String",
            "appliesTo": "Edm.String",
            "capabilityStatus": "Edm.String",
            "consumedUnits": "Edm.Int32",
            "prepaidUnits": "licenseUnitsDetail",
            "servicePlans": "Collection(servicePlanInfo)",
            "skuId": "Edm.Guid",
            "skuPartNumber": "Edm.String",
            "subscriptionIds": "Collection(Edm.String)",
        },
    },
    "licenseUnitsDetail": {
        "properties": {
            "enabled": "Edm.Int32",
            "lockedOut": "Edm.Int32",
            "suspended": "Edm.Int32",
            "warning": "Edm.Int32",
        },
    },
    "privilegedAccessScheduleInstance": {
        "base": "entity",
        "abstract": True,
        "properties": {"endDateTime": "Edm.DateTimeOffset", "startDateTime": "Edm.DateTimeOffset"},
    },
    "privilegedAccessGroupAssignmentScheduleInstance": {
        "base": "privilegedAccessScheduleInstance",
        "properties": {
            "accessId": "privilegedAccessGroupRelationships",
            "assignmentScheduleId": "Edm.String",
            "assignmentType": "privilegedAccessGroupAssignmentType",
            "groupId": "Edm.String",
            "memberType": "privilegedAccessGroupMemberType",
            "principalId": "Edm.String",
        },
        "navigation": {
            "activatedUsing": "privilegedAccessGroupEligibilityScheduleInstance",
            "group": "group",
            "principal": "directoryObject",
        },
    },
    "privilegedAccessGroupEligibilityScheduleInstance": {
        "base": "privilegedAccessScheduleInstance",
        "properties": {
            "accessId": "privilegedAccessGroupRelationships",
            "eligibilityScheduleId": "Edm.String",
            "groupId": "Edm.String",
            "memberType": "privilegedAccessGroupMemberType",
            "principalId": "Edm.String",
        },
        "navigation": {"group": "group", "principal": "directoryObject"},
    },
    "servicePlanInfo": {
        "properties": {
            "appliesTo": "Edm.String",
            "provisioningStatus": "Edm.String",
            "servicePlanId": "Edm.Guid",
            "servicePlanName": "Edm.String",
        },
    },
}

# In answers of the real service and in public exports of tenants, but in no published model.
SEEN: dict[str, dict[str, str]] = {
    "androidDeviceOwnerCompliancePolicy": {"localActions": "Collection(Edm.Untyped)"},
    "conditionalAccessConditionSet": {"times": "Edm.Untyped"},
    "conditionalAccessGlobalSecureAccess": {
        "excludeTrafficProfiles": "Edm.String",
        "includeTrafficProfiles": "Edm.String",
    },
    "conditionalAccessSessionControls": {"blockSensitiveActions": "Edm.Untyped"},
}

# Types of properties that the published beta model names without declaring them in the CSDL read here.
BETA_PROPERTY_TYPES = {
    "claimsMatchingExpression": "federatedIdentityExpression",
    "roleScopeTagIds": "Collection(Edm.String)",
    "settings": "Edm.Untyped",
}
BETA_BOOLEAN = re.compile(r"^(is|allow|disable|enable|supports|extract|block)[A-Z]")

# Complex types that hold properties which their schema does not declare.
OPEN_TYPES = frozenset({"customSecurityAttributeValue"})

# On the tenant's Microsoft Graph service principal, but absent from the published list of permissions.
UNPUBLISHED_PERMISSIONS = {
    "DeviceManagementScripts.Read.All": "c7a5be92-2b3d-4540-8a67-c96dcaae8b43",
    "Policy.Read.AuthenticationMethod": "8e3bc81b-d2f3-4b7b-838c-32c88218d2f0",
}

# Named by the permission catalogue of the routes, but nowhere with an id: theirs is derived from the name.
NAMED_PERMISSIONS = (
    "Domain-InternalFederation.Read.All",
    "GroupSettings.Read.All",
    "Policy.Read.B2BManagementPolicy",
    "Policy.ReadWrite.B2BManagementPolicy",
)


def beta_type(owner: str, name: str, types: dict[str, Any]) -> str:
    """What a property is that only its name is published of."""
    if name == "settings" and f"{owner.removeprefix('admin')[:1].lower()}{owner[6:]}Settings" in types:
        return f"{owner.removeprefix('admin')[:1].lower()}{owner[6:]}Settings"
    if name in types:
        return name
    if name == "customerVoice":
        return "customerVoiceSettings"
    return BETA_PROPERTY_TYPES.get(name) or ("Edm.Boolean" if BETA_BOOLEAN.match(name) else "Edm.Untyped")


def compact(name: str, source: dict[str, Any], types: dict[str, Any]) -> dict[str, Any]:
    if source["kind"] == "enum":
        return {"members": source["members"], **({"flags": True} if source.get("isFlags") else {})}
    names = source.get("names", {})
    entry: dict[str, Any] = {"base": source["base"]} if source.get("base") else {}
    if source["kind"] == "entity" and name != "entity" and "base" not in entry and not source.get("key"):
        entry["base"] = "entity"
    if source.get("abstract"):
        entry["abstract"] = True
    if name in OPEN_TYPES:
        entry["open"] = True
    if source.get("key"):
        entry["key"] = source["key"]
    entry["properties"] = {
        each: prop["type"]
        + ("" if prop.get("nullable", True) else "!")
        + (" readOnly" if prop.get("readOnly") else "")
        + (" immutable" if prop.get("immutable") else "")
        for each, prop in source.get("properties", {}).items()
    }
    extra = [*source.get("beta_extra_properties", ()), *names.get("properties", ())]
    for each in extra:
        mark = "" if names else " beta"
        entry["properties"].setdefault(each, beta_type(name, each, types) + mark)
    navigation = {each: prop["type"] for each, prop in source.get("navigation", {}).items()}
    if navigation:
        entry["navigation"] = navigation
    return entry


def derive_schema(path: Path, wheel: Path) -> None:
    source = json.loads(path.read_text())
    origin = source.pop("_meta")["generated_from"]
    types = {name: compact(name, each, source) for name, each in source.items()}
    types |= SUPPLEMENT | json.loads(INTUNE_TYPES.read_text())
    types = with_beta(types, wheel)
    for name, properties in SEEN.items():
        types[name]["properties"] |= {each: f"{kind} beta" for each, kind in properties.items()}
    document = {
        "source": f"{origin['repo']} commit {origin['commit']}, schemas of v1.0 and beta; models of {wheel.name}",
        "types": dict(sorted(types.items())),
    }
    (DATA / "schema.json").write_text(json.dumps(document, indent=1) + "\n")


def derive_reference(reference_path: Path, permissions_path: Path) -> None:
    reference = json.loads(reference_path.read_text())
    roles = sorted((role["name"], role["templateId"]) for role in reference["directory_roles"])
    (DATA / "directory_roles.json").write_text(
        json.dumps(
            {
                "source": "Microsoft Learn, Microsoft Entra built-in roles: names and template ids",
                "roles": dict(roles),
            },
            indent=1,
        )
        + "\n"
    )
    published = json.loads(permissions_path.read_text())
    application = {
        entry["value"]: entry["appRoleId"]
        for entry in reference["graph_application_permissions"]
        if entry.get("appRoleId")
    }
    application |= {entry["value"]: entry["id"] for entry in published["applicationScopesList"]}
    application |= UNPUBLISHED_PERMISSIONS
    application |= {
        name: str(uuid5(NAMESPACE_URL, name)) for name in NAMED_PERMISSIONS if name not in application
    }
    delegated = {
        entry["value"]: entry["id"]
        for group in (
            "graph_delegated_scopes_high_risk",
            "consent_phishing_scopes",
            "low_risk_delegated_scopes",
        )
        for entry in reference[group]
        if entry.get("id")
    }
    document = {
        "source": "microsoftgraph/microsoft-graph-devx-content, permissions/permissions-descriptions.json; "
        f"ids derived from the name, for want of published ones: {', '.join(NAMED_PERMISSIONS)}",
        "application": dict(sorted(application.items())),
        "delegated": dict(sorted(delegated.items())),
    }
    (DATA / "graph_permissions.json").write_text(json.dumps(document, indent=1) + "\n")


def main(arguments: list[str]) -> int:
    if len(arguments) == 3 and arguments[0] == "schema":
        derive_schema(Path(arguments[1]), Path(arguments[2]))
        return 0
    if len(arguments) == 3 and arguments[0] == "reference":
        derive_reference(Path(arguments[1]), Path(arguments[2]))
        return 0
    print(__doc__, file=sys.stderr)
    return 2


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
