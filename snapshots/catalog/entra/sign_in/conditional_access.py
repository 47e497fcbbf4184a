"""Conditional Access: policies, named locations, authentication strengths and contexts, declared for the registry.

Facts: Microsoft Graph's metadata and reference pages of these types. Policies and locations are read and written at
beta: v1.0 leaves out conditions (agents, times, traffic profiles) and kinds of locations, and a policy that is written
there loses them.
"""

from snapshots.catalog.spec import (
    Action,
    AuditHints,
    Comparison,
    Create,
    Delete,
    Document,
    Guards,
    Identity,
    Loss,
    OnlyWhen,
    Order,
    Part,
    Permissions,
    PreparedWith,
    Read,
    Reference,
    ResourceType,
    Restore,
    SetOf,
    Staged,
    Undelete,
    Update,
)

_CONTAINER = "/v1.0/identity/conditionalAccess"
_WHOLE = "/beta/identity/conditionalAccess"
_CONTEXTS = f"{_CONTAINER}/authenticationContextClassReferences"
_STRENGTHS = "/v1.0/policies/authenticationStrengthPolicies"

_PERMISSIONS = Permissions(
    read=("Policy.Read.All",),
    write=("Policy.Read.All", "Policy.ReadWrite.ConditionalAccess"),
)
_NO_DOCUMENTED_PERMISSION = "Microsoft documents no application permission for them."
_NO_DOCUMENTED_UNDELETE = (
    "Microsoft documents no application permission for the deleted items. If the undelete is refused, "
    "the object is recreated."
)

_ANYONE = frozenset({"All", "None", "GuestsOrExternalUsers"})
_ANY_APPLICATION = frozenset({"All", "None", "Office365", "MicrosoftAdminPortals"})
_ANY_LOCATION = frozenset({"All", "AllTrusted", "00000000-0000-0000-0000-000000000000"})
_ANY_SERVICE_PRINCIPAL = frozenset({"ServicePrincipalsInMyTenant"})


def _include_and_exclude(
    where: str, what: str, to: str, *, by: str = "id", words: frozenset[str] = frozenset()
) -> tuple[Reference, ...]:
    return tuple(
        Reference(f"conditions.{where}.{side}{what}[]", to=to, by=by, words=words)
        for side in ("include", "exclude")
    )


CONDITIONAL_ACCESS_POLICY = ResourceType(
    key="conditionalAccessPolicy",
    label="Conditional Access policy",
    plural="Conditional Access policies",
    area="Conditional Access",
    read=Read(path=f"{_WHOLE}/policies", service="conditional_access", item_path=f"{_WHOLE}/policies/{{id}}"),
    permissions=_PERMISSIONS,
    identity=Identity(natural_key=("displayName",)),
    comparison=Comparison(
        first_read=dict.fromkeys(
            (
                "conditions.agentContext",
                "conditions.agentIdRiskLevels",
                "conditions.agents",
                "conditions.applications.globalSecureAccess",
                "conditions.applications.networkAccess",
                "conditions.clientApplications.agentIdServicePrincipalFilter",
                "conditions.clientApplications.excludeAgentIdServicePrincipals",
                "conditions.clientApplications.includeAgentIdServicePrincipals",
                "conditions.deviceStates",
                "conditions.devices.excludeDeviceStates",
                "conditions.devices.excludeDevices",
                "conditions.devices.includeDeviceStates",
                "conditions.devices.includeDevices",
                "conditions.times",
                "sessionControls.blockSensitiveActions",
                "sessionControls.continuousAccessEvaluation",
                "sessionControls.globalSecureAccessFilteringProfile",
            ),
            2,
        ),
        computed=("templateId",),
        nested_fields={"grantControls.authenticationStrength": ("id",)},
        sets=(
            SetOf("conditions.*"),
            SetOf("conditions.*.*"),
            SetOf("conditions.users.*.externalTenants.members"),
            SetOf("grantControls.*"),
        ),
        normalise={
            "conditions.users.includeGuestsOrExternalUsers.guestOrExternalUserTypes": "comma_set",
            "conditions.users.excludeGuestsOrExternalUsers.guestOrExternalUserTypes": "comma_set",
            "conditions.agentIdRiskLevels": "comma_set",
            "conditions.applications.globalSecureAccess.excludeTrafficProfiles": "comma_set",
            "conditions.applications.globalSecureAccess.includeTrafficProfiles": "comma_set",
            "conditions.insiderRiskLevels": "comma_set",
            "conditions.authenticationFlows.transferMethods": "comma_set",
        },
    ),
    references=(
        *_include_and_exclude("users", "Users", "user", words=_ANYONE),
        *_include_and_exclude("users", "Groups", "group"),
        *_include_and_exclude("users", "Roles", "unifiedRoleDefinition", by="templateId"),
        *_include_and_exclude(
            "applications", "Applications", "servicePrincipal", by="appId", words=_ANY_APPLICATION
        ),
        *_include_and_exclude("locations", "Locations", "namedLocation", words=_ANY_LOCATION),
        *_include_and_exclude(
            "clientApplications", "ServicePrincipals", "servicePrincipal", words=_ANY_SERVICE_PRINCIPAL
        ),
        *_include_and_exclude(
            "clientApplications", "AgentIdServicePrincipals", "servicePrincipal", words=_ANYONE
        ),
        *_include_and_exclude("agents", "AgentUsers", "user", words=_ANYONE),
        Reference(
            "conditions.applications.includeAuthenticationContextClassReferences[]",
            to="authenticationContextClassReference",
        ),
        Reference("grantControls.authenticationStrength.id", to="authenticationStrengthPolicy"),
        Reference("grantControls.termsOfUse[]", to="agreement"),
        Reference(
            "sessionControls.globalSecureAccessFilteringProfile.profileId", to="globalSecureAccessProfile"
        ),
    ),
    not_references={
        "conditions.agentContext.*[]": "words for the situations of agents",
        "conditions.deviceStates.*[]": "words for the state of a device",
        "conditions.devices.*[]": "words for the state of a device",
        "conditions.users.*.externalTenants.members[]": "other directories",
        "grantControls.customAuthenticationFactors[]": "names of controls of other makers",
    },
    restore=Restore(
        writable=("displayName", "description", "state", "conditions", "grantControls", "sessionControls"),
        create=Create(
            path=f"{_WHOLE}/policies",
            new_id_note="No configuration refers to a policy; its sign-in history stays under the old ID.",
        ),
        update=Update(
            path=f"{_WHOLE}/policies/{{id}}",
            quirks=(
                Staged(
                    property="state",
                    enforcing=frozenset({"enabled"}),
                    via="enabledForReportingButNotEnforced",
                ),
            ),
        ),
        delete=Delete(path=f"{_WHOLE}/policies/{{id}}"),
        undelete=Undelete(
            item_path=f"{_CONTAINER}/deletedItems/policies/{{id}}",
            restore_path=f"{_CONTAINER}/deletedItems/policies/{{id}}/restore",
            days=30,
            doubt=_NO_DOCUMENTED_PERMISSION,
        ),
        order=Order(rank=90),
    ),
    audit=AuditHints(
        activities=(
            "add conditional access policy",
            "update conditional access policy",
            "delete conditional access policy",
        ),
        services=("Conditional Access", "Core Directory"),
    ),
    licence="Microsoft Entra ID P1",
    notes=(
        _NO_DOCUMENTED_UNDELETE,
        "Conditions that only beta knows (agents, times, traffic profiles) are kept and written like all others.",
        "First written in report-only state, then enforced in the last step.",
        "Terms of use are stored as IDs; the documents themselves (PDF files) are not read.",
    ),
)

NAMED_LOCATION = ResourceType(
    key="namedLocation",
    label="Named location",
    plural="Named locations",
    area="Conditional Access",
    read=Read(
        path=f"{_WHOLE}/namedLocations",
        service="conditional_access",
        item_path=f"{_WHOLE}/namedLocations/{{id}}",
    ),
    permissions=_PERMISSIONS,
    identity=Identity(natural_key=("displayName",)),
    comparison=Comparison(
        sets=(
            SetOf("ipRanges", key="cidrAddress"),
            SetOf("countriesAndRegions"),
            SetOf("privateLinkResourcePolicyIds"),
            SetOf("serviceTags"),
        ),
        normalise={"ipRanges[].cidrAddress": "cidr"},
    ),
    not_references={
        "privateLinkResourcePolicyIds[]": "private links, which Lavawall does not read",
        "serviceTags[]": "services of Azure, by their names",
    },
    restore=Restore(
        writable=(
            "displayName",
            "isTrusted",
            "ipRanges",
            "countriesAndRegions",
            "countryLookupMethod",
            "includeUnknownCountriesAndRegions",
            "compliantNetworkType",
        ),
        typed=True,
        create=Create(
            path=f"{_WHOLE}/namedLocations",
            new_id_note="Conditional Access policies that refer to the old location are updated.",
        ),
        update=Update(path=f"{_WHOLE}/namedLocations/{{id}}"),
        delete=Delete(path=f"{_WHOLE}/namedLocations/{{id}}", quirks=(PreparedWith({"isTrusted": False}),)),
        undelete=Undelete(
            item_path=f"{_CONTAINER}/deletedItems/namedLocations/{{id}}",
            restore_path=f"{_CONTAINER}/deletedItems/namedLocations/{{id}}/restore",
            days=30,
            doubt=_NO_DOCUMENTED_PERMISSION,
        ),
        order=Order(rank=40),
    ),
    audit=AuditHints(
        activities=("add named location", "update named location", "delete named location"),
        services=("Conditional Access", "Core Directory"),
    ),
    licence="Microsoft Entra ID P1",
    notes=(
        "IP ranges are compared as networks: host bits and spelling do not matter.",
        "Graph refuses to delete a location that is used by a policy or trusted, so trust is removed first.",
        _NO_DOCUMENTED_UNDELETE,
    ),
)


def _not_built_in(raw: Document) -> bool:
    return raw.get("policyType") != "builtIn"


def _protected_strength(document: Document) -> str | None:
    if document.get("policyType") == "builtIn":
        return "Microsoft's built-in authentication strengths cannot be changed."
    return None


AUTHENTICATION_STRENGTH_POLICY = ResourceType(
    key="authenticationStrengthPolicy",
    label="Authentication strength",
    plural="Authentication strengths",
    area="Conditional Access",
    read=Read(path=_STRENGTHS, service="directory", item_path=f"{_STRENGTHS}/{{id}}"),
    permissions=Permissions(
        read=("Policy.Read.AuthenticationMethod",),
        write=("Policy.ReadWrite.ConditionalAccess",),
        read_also=(
            "Policy.Read.All",
            "Policy.ReadWrite.AuthenticationMethod",
            "Policy.ReadWrite.ConditionalAccess",
        ),
        write_also=("Policy.ReadWrite.AuthenticationMethod",),
    ),
    identity=Identity(natural_key=("displayName",)),
    comparison=Comparison(
        computed=("requirementsSatisfied",),
        sets=(
            SetOf("allowedCombinations"),
            SetOf("combinationConfigurations[].appliesToCombinations"),
            SetOf("combinationConfigurations[].allowedAAGUIDs"),
            SetOf("combinationConfigurations[].allowedIssuerSkis"),
            SetOf("combinationConfigurations[].allowedPolicyOIDs"),
        ),
        normalise={
            "allowedCombinations[]": "comma_set",
            "combinationConfigurations[].appliesToCombinations[]": "comma_set",
        },
    ),
    parts=(
        Part(
            name="combinationConfigurations",
            path=f"{_STRENGTHS}/{{id}}/combinationConfigurations",
            create_path=f"{_STRENGTHS}/{{id}}/combinationConfigurations",
            element_path=f"{_STRENGTHS}/{{id}}/combinationConfigurations/{{element}}",
            quirks=(OnlyWhen(_not_built_in),),
        ),
    ),
    not_references={"combinationConfigurations[].allowedAAGUIDs[]": "models of security keys"},
    restore=Restore(
        writable=("displayName", "description"),
        create=Create(
            path=_STRENGTHS,
            only=("allowedCombinations",),
            given=("policyType",),
            new_id_note="Conditional Access policies that require the old strength are updated.",
        ),
        update=Update(
            path=f"{_STRENGTHS}/{{id}}",
            actions=(
                Action(
                    property="allowedCombinations",
                    path=f"{_STRENGTHS}/{{id}}/updateAllowedCombinations",
                    body=lambda combinations, _live: {"allowedCombinations": combinations or []},
                ),
            ),
        ),
        delete=Delete(path=f"{_STRENGTHS}/{{id}}"),
        order=Order(rank=40),
        guards=Guards(protected=_protected_strength),
        losses=(
            Loss("id", "a deleted strength gets a new ID"),
            Loss("combinationConfigurations[].id", "its combination configurations get new IDs"),
        ),
    ),
    audit=AuditHints(
        activities=(
            "authentication strength policy create",
            "authentication strength policy update",
            "authentication strength policy delete",
            "authentication strength combination configuration create",
            "authentication strength combination configuration update",
            "authentication strength combination configuration delete",
        ),
        services=("Authentication Methods",),
    ),
    licence="Microsoft Entra ID P1",
    notes=(
        "Each combination is itself a set: `password, sms` and `sms,password` are the same.",
        "Combinations are changed by updateAllowedCombinations; PATCH takes only name and description.",
        "Cannot be deleted while a Conditional Access policy requires it.",
    ),
)

AUTHENTICATION_CONTEXT = ResourceType(
    key="authenticationContextClassReference",
    label="Authentication context",
    plural="Authentication contexts",
    area="Conditional Access",
    read=Read(path=_CONTEXTS, service="conditional_access", item_path=f"{_CONTEXTS}/{{id}}"),
    permissions=Permissions(
        read=("AuthenticationContext.Read.All",),
        write=("AuthenticationContext.ReadWrite.All",),
        read_also=("AuthenticationContext.ReadWrite.All", "Policy.Read.ConditionalAccess"),
    ),
    restore=Restore(
        writable=("description", "displayName", "isAvailable"),
        create=Create(path=f"{_CONTEXTS}/{{id}}", method="PATCH", caller_chooses_id=True),
        update=Update(path=f"{_CONTEXTS}/{{id}}"),
        delete=Delete(path=f"{_CONTEXTS}/{{id}}", quirks=(PreparedWith({"isAvailable": False}),)),
        order=Order(rank=40),
    ),
    audit=AuditHints(
        activities=(
            "add authentication context class reference",
            "update authentication context class reference",
            "delete authentication context class reference",
            "add authenticationcontextclassreference",
            "update authenticationcontextclassreference",
            "delete authenticationcontextclassreference",
        ),
        services=("Conditional Access", "Core Directory"),
    ),
    licence="Microsoft Entra ID P1",
    notes=(
        (
            "The ID (`c1` to `c99`) is chosen by the caller: a recreated context keeps it, and all "
            "references stay valid."
        ),
        "Published contexts are unpublished before they are deleted.",
    ),
)

TYPES = (
    CONDITIONAL_ACCESS_POLICY,
    NAMED_LOCATION,
    AUTHENTICATION_STRENGTH_POLICY,
    AUTHENTICATION_CONTEXT,
)
