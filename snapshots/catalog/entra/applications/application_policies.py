"""Policies that are assigned to applications: tokens, claims, sign-in, credentials; declared for the registry.

Facts: Microsoft Graph's v1.0 metadata and reference pages of these types.
"""

from collections.abc import Iterator

from snapshots.catalog.spec import (
    AuditHints,
    Comparison,
    Create,
    Delete,
    Identity,
    Order,
    Part,
    Permissions,
    Read,
    Reference,
    ResourceType,
    Restore,
    SetOf,
    Update,
)

_POLICIES = "/v1.0/policies"
_AREA = "Application policies"

_PERMISSIONS = Permissions(
    read=("Policy.Read.All",),
    write=("Policy.ReadWrite.ApplicationConfiguration",),
    read_also=("Policy.ReadWrite.ApplicationConfiguration",),
)
_AUDIT = AuditHints(
    activities=(
        "add policy",
        "update policy",
        "delete policy",
        "add policy to application",
        "remove policy from application",
        "add policy to service principal",
        "remove policy from service principal",
    ),
    services=("Core Directory",),
)


_HOLDERS = {
    "#microsoft.graph.application": "applications",
    "#microsoft.graph.servicePrincipal": "servicePrincipals",
}
_ASSIGNED = Permissions(
    read=("Policy.Read.All", "Application.Read.All"),
    write=("Policy.ReadWrite.ApplicationConfiguration", "Application.ReadWrite.All"),
)


def _applies_to(collection: str) -> Part:
    """The applications and service principals that hold a policy; it is they to which it is assigned."""
    policy = f"{_POLICIES}/{collection}/{{id}}"
    held = f"/v1.0/{{holder}}/{{element}}/{collection}"
    return Part(
        name="appliesTo",
        path=f"{policy}/appliesTo",
        params={"$select": "id"},
        projected_fields=("@odata.type", "id"),
        add_ref=f"{held}/$ref",
        remove_ref=f"{held}/{{id}}/$ref",
        holders=_HOLDERS,
        holds=policy,
        reference="directoryObject",
    )


def _sts_policy(key: str, label: str, plural: str, collection: str) -> ResourceType:
    """The types share one form: a definition, which is JSON in a string, and whether it is the tenant's default."""
    path = f"{_POLICIES}/{collection}"
    return ResourceType(
        key=key,
        label=label,
        plural=plural,
        area=_AREA,
        read=Read(path=path, item_path=f"{path}/{{id}}"),
        permissions=_ASSIGNED,
        identity=Identity(natural_key=("displayName",)),
        comparison=Comparison(normalise={"definition[]": "json"}),
        parts=(_applies_to(collection),),
        not_references={"definition[]": "claims, lifetimes and applications of Microsoft"},
        restore=Restore(
            writable=("definition", "description", "displayName", "isOrganizationDefault"),
            create=Create(
                path=path,
                new_id_note="Applications and service principals with the old policy are assigned the new one.",
            ),
            update=Update(path=f"{path}/{{id}}"),
            delete=Delete(path=f"{path}/{{id}}"),
            order=Order(rank=36),
        ),
        audit=_AUDIT,
        notes=("The definition is compared as JSON, ignoring whitespace and key order.",),
    )


def _restrictions(where: str) -> Iterator[SetOf]:
    for kind in ("passwordCredentials", "keyCredentials"):
        yield SetOf(f"{where}.{kind}", key="restrictionType")
        yield SetOf(f"{where}.{kind}[].excludeActors.customSecurityAttributes", key="id")


def _lifetimes(where: str) -> dict[str, str]:
    """How long a secret or a certificate may be valid, however it is spelled."""
    kinds = ("passwordCredentials", "keyCredentials")
    return {f"{where}.{kind}[].maxLifetime": "duration" for kind in kinds}


_SPARED = "excludeActors.customSecurityAttributes[].id"
"""Whom a restriction spares, by the values of a security attribute."""


def _named_by_restrictions(where: str) -> Iterator[Reference]:
    for kind in ("passwordCredentials", "keyCredentials"):
        yield Reference(f"{where}.{kind}[].{_SPARED}", to="customSecurityAttributeDefinition")
    yield Reference(
        f"{where}.keyCredentials[].certificateBasedApplicationConfigurationIds[]",
        to="certificateBasedApplicationConfiguration",
    )


_BY_KIND = ("audiences", "identifierUris", "redirectUris")
"""Restrictions of which each kind stands by itself."""


def _named_by_kinds(where: str) -> Iterator[Reference]:
    for each in _BY_KIND:
        yield Reference(f"{where}.{each}.*.{_SPARED}", to="customSecurityAttributeDefinition")


def _exemptions(where: str) -> Iterator[SetOf]:
    for each in _BY_KIND:
        yield SetOf(f"{where}.{each}.*.excludeActors.customSecurityAttributes", key="id")
    for words in ("allowedDomains", "allowedSchemes", "blockedDomains", "blockedSchemes", "exemptFormats"):
        yield SetOf(f"{where}.redirectUris.*.{words}")
        yield SetOf(f"{where}.redirectUris.*.*.{words}")
    yield SetOf(f"{where}.redirectUris.*.*.excludeWildcardsInPathWithDomains")


_DEFAULT = "/beta/policies/defaultAppManagementPolicy"
_CUSTOM = "/beta/policies/appManagementPolicies"
"""At beta: v1.0 leaves restrictions of audiences and redirect URIs out, and takes them away when it writes."""

TENANT_APP_MANAGEMENT = ResourceType(
    key="tenantAppManagementPolicy",
    label="Tenant app management policy",
    plural="Tenant app management policies",
    area=_AREA,
    read=Read(path=_DEFAULT, singleton=True),
    permissions=_PERMISSIONS,
    comparison=Comparison(
        first_read={"applicationRestrictions.audiences": 2, "applicationRestrictions.redirectUris": 2},
        computed=(
            "applicationRestrictions.identifierUris.*.isStateSetByMicrosoft",
            "description",
            "displayName",
        ),
        sets=(
            *_restrictions("applicationRestrictions"),
            *_restrictions("servicePrincipalRestrictions"),
            *_exemptions("applicationRestrictions"),
        ),
        normalise={**_lifetimes("applicationRestrictions"), **_lifetimes("servicePrincipalRestrictions")},
    ),
    references=(
        *_named_by_restrictions("applicationRestrictions"),
        *_named_by_restrictions("servicePrincipalRestrictions"),
        *_named_by_kinds("applicationRestrictions"),
    ),
    restore=Restore(
        writable=("applicationRestrictions", "isEnabled", "servicePrincipalRestrictions"),
        update=Update(path=_DEFAULT),
        order=Order(rank=24),
    ),
    audit=AuditHints(
        activities=("update policy", "update tenant app management policy"),
        services=("Core Directory",),
        singleton=True,
    ),
)

APP_MANAGEMENT = ResourceType(
    key="appManagementPolicy",
    label="App management policy",
    plural="App management policies",
    area=_AREA,
    read=Read(path=_CUSTOM, item_path=f"{_CUSTOM}/{{id}}"),
    permissions=_ASSIGNED,
    identity=Identity(natural_key=("displayName",)),
    comparison=Comparison(
        first_read={
            "restrictions.applicationRestrictions.audiences": 2,
            "restrictions.applicationRestrictions.redirectUris": 2,
        },
        computed=("restrictions.applicationRestrictions.identifierUris.*.isStateSetByMicrosoft",),
        sets=(*_restrictions("restrictions"), *_exemptions("restrictions.applicationRestrictions")),
        normalise=_lifetimes("restrictions"),
    ),
    parts=(_applies_to("appManagementPolicies"),),
    references=(
        *_named_by_restrictions("restrictions"),
        *_named_by_kinds("restrictions.applicationRestrictions"),
    ),
    restore=Restore(
        writable=("description", "displayName", "isEnabled", "restrictions"),
        create=Create(
            path=_CUSTOM,
            new_id_note="Applications and service principals with the old policy are assigned the new one.",
        ),
        update=Update(path=f"{_CUSTOM}/{{id}}"),
        delete=Delete(path=f"{_CUSTOM}/{{id}}"),
        order=Order(rank=36),
    ),
    audit=_AUDIT,
)

TYPES = (
    _sts_policy(
        "tokenLifetimePolicy", "Token lifetime policy", "Token lifetime policies", "tokenLifetimePolicies"
    ),
    _sts_policy(
        "tokenIssuancePolicy", "Token issuance policy", "Token issuance policies", "tokenIssuancePolicies"
    ),
    _sts_policy(
        "claimsMappingPolicy", "Claims mapping policy", "Claims mapping policies", "claimsMappingPolicies"
    ),
    _sts_policy(
        "homeRealmDiscoveryPolicy",
        "Home realm discovery policy",
        "Home realm discovery policies",
        "homeRealmDiscoveryPolicies",
    ),
    _sts_policy(
        "activityBasedTimeoutPolicy",
        "Idle timeout policy",
        "Idle timeout policies",
        "activityBasedTimeoutPolicies",
    ),
    TENANT_APP_MANAGEMENT,
    APP_MANAGEMENT,
)
