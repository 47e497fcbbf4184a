"""Applications and service principals with owners and credentials' metadata, declared for the registry.

Facts: Microsoft Graph's v1.0 metadata and reference pages of these types.
"""

from collections.abc import Callable

from snapshots.catalog.spec import (
    AfterCreate,
    AuditHints,
    Comparison,
    Create,
    Delete,
    Document,
    ElementRemoval,
    Guards,
    Identity,
    Loss,
    MovedByNeighbours,
    NamedLater,
    NeverDeleted,
    Order,
    Part,
    Permissions,
    Read,
    Reference,
    ResourceType,
    Restore,
    SetOf,
    Stream,
    SwitchedOffFirst,
    Undelete,
    Update,
    WrittenFirst,
)
from snapshots.catalog.stream_values import lost
from snapshots.catalog.texts import anywhere

_APPLICATIONS = "/v1.0/applications"
_SERVICE_PRINCIPALS = "/v1.0/servicePrincipals"
_DELETED = "/v1.0/directory/deletedItems"

_UNDELETE = Undelete(item_path=f"{_DELETED}/{{id}}", restore_path=f"{_DELETED}/{{id}}/restore", days=30)

_PERMISSIONS = Permissions(
    read=("Application.Read.All",),
    write=("Application.ReadWrite.All",),
    read_also=("Application.ReadWrite.All", "Directory.Read.All"),
)

_SECRETS = ("passwordCredentials[].hint", "passwordCredentials[].secretText")
_CREDENTIAL_SETS = (SetOf("keyCredentials", key="keyId"), SetOf("passwordCredentials", key="keyId"))


def _credentials(property_name: str) -> Callable[[Document], list[str]]:
    """Each secret or certificate by name, key id and expiry."""

    def listed(document: Document) -> list[str]:
        return [
            f"{credential.get('displayName') or 'without a name'}, key id {credential.get('keyId')}, "
            f"expires {str(credential.get('endDateTime') or 'never')[:10]}"
            for credential in document.get(property_name) or ()
        ]

    return listed


_LOST_SECRETS = Loss(
    "passwordCredentials",
    "a removed secret cannot be restored: only its users know the value",
    items=_credentials("passwordCredentials"),
)
_LOST_CERTIFICATES = Loss(
    "keyCredentials",
    "certificates are compared; adding or removing one needs proof of possession",
    items=_credentials("keyCredentials"),
)


def _has_certificates(raw: Document) -> bool:
    return bool(raw.get("keyCredentials"))


_APPLICATION_WRITABLE = (
    "addIns",
    "api",
    "appRoles",
    "authenticationBehaviors",
    "defaultRedirectUri",
    "description",
    "displayName",
    "groupMembershipClaims",
    "identifierUris",
    "info",
    "isDeviceOnlyAuthSupported",
    "isFallbackPublicClient",
    "keyCredentials",
    "nativeAuthenticationApisEnabled",
    "notes",
    "oauth2RequirePostResponse",
    "optionalClaims",
    "parentalControlSettings",
    "publicClient",
    "requestSignatureVerification",
    "requiredResourceAccess",
    "serviceManagementReference",
    "servicePrincipalLockConfiguration",
    "signInAudience",
    "spa",
    "tags",
    "tokenEncryptionKeyId",
    "web",
)
_APPLICATION_SELECTED = ",".join(
    (
        "id",
        "appId",
        "createdByAppId",
        "disabledByMicrosoftStatus",
        "isDisabled",
        "managerApplications",
        "passwordCredentials",
        "publisherDomain",
        "uniqueName",
        *_APPLICATION_WRITABLE,
    )
)
"""Some properties, such as `authenticationBehaviors`, are answered only when they are asked for."""


def _own_identifier(path: str) -> Reference:
    """`api://{appId}`: Microsoft takes it only from the application that has this id."""
    return Reference(
        path, to="application", by="appId", prefix="api://", continues=True, guids=True, if_gone="kept"
    )


def _owners(of: str) -> Part:
    return Part(
        name="owners",
        path=f"{of}/{{id}}/owners",
        params={"$select": "id", "$top": "999"},
        projected_fields=("@odata.type", "id"),
        add_ref=f"{of}/{{id}}/owners/$ref",
        remove_ref=f"{of}/{{id}}/owners/{{element}}/$ref",
        reference="directoryObject",
    )


def _password_removal(of: str) -> ElementRemoval:
    return ElementRemoval(
        property="passwordCredentials",
        path=f"{of}/{{id}}/removePassword",
        body=lambda credential: {"keyId": credential["keyId"]},
    )


APPLICATION = ResourceType(
    key="application",
    label="Application",
    plural="Applications",
    area="Applications",
    read=Read(
        path=_APPLICATIONS,
        params={"$select": _APPLICATION_SELECTED, "$top": "999"},
        item_path=f"{_APPLICATIONS}/{{id}}",
        item_params={"$select": _APPLICATION_SELECTED},
        each=_has_certificates,
        quirks=(
            Stream(
                "logo",
                f"{_APPLICATIONS}/{{id}}/logo",
                present=lambda raw: bool((raw.get("info") or {}).get("logoUrl")),
            ),
        ),
    ),
    permissions=_PERMISSIONS,
    identity=Identity(natural_key=("displayName",)),
    comparison=Comparison(
        computed=(
            *_SECRETS,
            "api.oauth2PermissionScopes[].origin",
            "api.preAuthorizedApplications[].permissionIds",
            "applicationTemplateId",
            "appRoles[].origin",
            "certification",
            "createdByAppId",
            "disabledByMicrosoftStatus",
            "info.logoUrl",
            "publisherDomain",
            "samlMetadataUrl",
            "verifiedPublisher",
            "web.oauth2AllowImplicitFlow",
        ),
        sets=(
            *_CREDENTIAL_SETS,
            SetOf("addIns", key="id"),
            SetOf("addIns[].properties", key="key"),
            SetOf("api.knownClientApplications"),
            SetOf("api.oauth2PermissionScopes", key="id"),
            SetOf("api.preAuthorizedApplications", key="appId"),
            SetOf("api.preAuthorizedApplications[].delegatedPermissionIds"),
            SetOf("appRoles", key="id"),
            SetOf("appRoles[].allowedMemberTypes"),
            SetOf("identifierUris"),
            SetOf("managerApplications"),
            SetOf("optionalClaims.*", key="name"),
            SetOf("optionalClaims.*[].additionalProperties"),
            SetOf("parentalControlSettings.countriesBlockedForMinors"),
            SetOf("publicClient.redirectUris"),
            SetOf("requiredResourceAccess", key="resourceAppId"),
            SetOf("requiredResourceAccess[].resourceAccess", key="id"),
            SetOf("spa.redirectUris"),
            SetOf("tags"),
            SetOf("web.redirectUris"),
            SetOf("web.redirectUriSettings", key="uri"),
        ),
        normalise={
            "groupMembershipClaims": "comma_set",
            "requestSignatureVerification.allowedWeakAlgorithms": "comma_set",
        },
        unread={
            "authenticationBehaviors.coopEnforcement": "only the beta version has it",
            "onPremisesPublishing": "App Proxy is configured with connectors that are outside the directory",
            "servicePrincipalLockConfiguration.enforcementScope": "only the beta version has it",
            "signInAudienceRestrictions": "only the beta version has it",
            "windows": "only the beta version has it; beta spells other properties of an application otherwise",
        },
    ),
    parts=(_owners(_APPLICATIONS),),
    references=(
        Reference(
            "requiredResourceAccess[].resourceAppId", to="servicePrincipal", by="appId", if_gone="kept"
        ),
        Reference("api.knownClientApplications[]", to="application", by="appId", if_gone="kept"),
        Reference("api.preAuthorizedApplications[].appId", to="application", by="appId", if_gone="kept"),
        _own_identifier("identifierUris[]"),
        anywhere("publicClient.redirectUris[]", to="application", by="appId"),
    ),
    not_references={
        "addIns[].id": "the add-in's own id",
        "api.oauth2PermissionScopes[].id": "the scope's own id, which a new application keeps",
        "api.preAuthorizedApplications[].delegatedPermissionIds[]": "scopes of the application itself",
        "api.preAuthorizedApplications[].permissionIds": "scopes of the application itself",
        "appId": "its own id; what names it follows",
        "appRoles[].id": "the role's own id, which a new application keeps",
        "managerApplications[]": "applications of Microsoft; never written",
        "requiredResourceAccess[].resourceAccess[].id": (
            "a role or scope of the resource, whose ids a new application keeps"
        ),
        "spa.redirectUris[]": "addresses of the application's own pages",
        "tokenEncryptionKeyId": "one of the application's own certificates",
        "web.redirectUris[]": "addresses of the application's own pages",
    },
    restore=Restore(
        writable=_APPLICATION_WRITABLE,
        create=Create(
            path=_APPLICATIONS,
            given=("managerApplications",),
            new_id_note=(
                "The application (client) ID changes too. Update code, other tenants and consents that use "
                "the old one. Within 30 days of the deletion, an undelete keeps both IDs."
            ),
            quirks=(
                AfterCreate(("identifierUris", "publicClient.redirectUris")),
                NamedLater({"api.preAuthorizedApplications": "api.oauth2PermissionScopes"}),
            ),
        ),
        update=Update(
            path=f"{_APPLICATIONS}/{{id}}",
            quirks=(
                SwitchedOffFirst(("api.oauth2PermissionScopes", "appRoles")),
                _password_removal(_APPLICATIONS),
            ),
        ),
        delete=Delete(path=f"{_APPLICATIONS}/{{id}}"),
        undelete=_UNDELETE,
        order=Order(rank=20),
        losses=(
            _LOST_SECRETS,
            Loss("appId", "a recreated application gets a new application (client) ID", recreated_only=True),
            *lost(("logo",)),
            Loss("uniqueName", "cannot be set again"),
        ),
    ),
    audit=AuditHints(
        activities=(
            "add application",
            "update application",
            "update application - certificates and secrets management",
            "delete application",
            "hard delete application",
            "restore application",
            "add owner to application",
            "remove owner from application",
        ),
        services=("Core Directory",),
    ),
    notes=(
        "Secrets are compared by key ID, dates and name; their values are neither readable nor stored.",
        (
            "Certificates are stored with their public part. For this, every application with certificates "
            "is read individually."
        ),
        "Added certificates are removed and removed ones restored by writing the whole list.",
        "A logo is read with a separate request. Unverified: that Graph accepts a DELETE of it.",
        "Undeleting an application does not restore its service principal, which is a separate step.",
        "App roles and scopes must be disabled in one write before another may remove them.",
        "A scope is written before the applications that are preauthorised for it.",
        "An identifier `api://{appId}` of a recreated application gets the new ID, as do its redirect URIs.",
    ),
)

_MICROSOFT = "f8cdef31-a31e-4b4a-93e4-5f571e91255a"
"""The directory that owns Microsoft's own applications."""
_WITHOUT_APPLICATION = frozenset({"ManagedIdentity", "Legacy", "SocialIdp"})


def _protected_service_principal(document: Document) -> str | None:
    kind = document.get("servicePrincipalType")
    if kind in _WITHOUT_APPLICATION:
        return f"A service principal of type {kind} belongs to another service and can only be changed there."
    return None


def _comes_by_itself(document: Document) -> str | None:
    if document.get("appOwnerOrganizationId") == _MICROSOFT:
        return (
            "Microsoft creates its own service principals automatically, and services of the tenant "
            "may need it."
        )
    return None


SERVICE_PRINCIPAL = ResourceType(
    key="servicePrincipal",
    label="Service principal",
    plural="Service principals",
    area="Applications",
    read=Read(path=_SERVICE_PRINCIPALS, params={"$top": "999"}, item_path=f"{_SERVICE_PRINCIPALS}/{{id}}"),
    permissions=_PERMISSIONS,
    identity=Identity(natural_key=("appId",)),
    comparison=Comparison(
        computed=(
            *_SECRETS,
            "keyCredentials[].key",
            "appDescription",
            "appDisplayName",
            "applicationTemplateId",
            "appRoles",
            "createdByAppId",
            "customSecurityAttributes",
            "disabledByMicrosoftStatus",
            "info",
            "oauth2PermissionScopes",
            "lifecycle",
            "lifecyclePolicyComplianceState",
            "lifecyclePolicyComplianceStateLastModifiedDateTime",
            "lifecyclePolicyComplianceStateReason",
            "lifecyclePolicyNonComplianceDisablementDateTime",
            "managerApplications",
            "preferredTokenSigningKeyEndDateTime",
            "publishedPermissionScopes",
            "publisherName",
            "resourceSpecificApplicationPermissions",
            "signInAudience",
            "verifiedPublisher",
        ),
        sets=(
            *_CREDENTIAL_SETS,
            SetOf("addIns", key="id"),
            SetOf("addIns[].properties", key="key"),
            SetOf("alternativeNames"),
            SetOf("notificationEmailAddresses"),
            SetOf("replyUrls"),
            SetOf("servicePrincipalNames"),
            SetOf("tags"),
        ),
        unread={
            "errorUrl": "only the beta version has it",
            "passwordSingleSignOnSettings": "passwords of applications must be entered again manually",
            "samlMetadataUrl": "only the beta version has it; v1.0 shows it with the application",
        },
    ),
    parts=(_owners(_SERVICE_PRINCIPALS),),
    references=(
        Reference("appId", to="application", by="appId", if_gone="kept"),
        Reference("servicePrincipalNames[]", to="application", by="appId", if_gone="kept"),
        _own_identifier("servicePrincipalNames[]"),
    ),
    not_references={
        "addIns[].id": "the add-in's own id",
        "agentIdentityBlueprintId": "set when an agent is made; never written",
        "alternativeNames[]": "the Azure resource of a managed identity, which is never written here",
        "appOwnerOrganizationId": "the directory of the publisher",
        "tokenEncryptionKeyId": "one of the service principal's own certificates",
    },
    restore=Restore(
        writable=(
            "accountEnabled",
            "alternativeNames",
            "appRoleAssignmentRequired",
            "description",
            "homepage",
            "loginUrl",
            "logoutUrl",
            "notes",
            "notificationEmailAddresses",
            "preferredSingleSignOnMode",
            "preferredTokenSigningKeyThumbprint",
            "replyUrls",
            "samlSingleSignOnSettings",
            "servicePrincipalNames",
            "tags",
            "tokenEncryptionKeyId",
        ),
        create=Create(
            path=_SERVICE_PRINCIPALS,
            only=("appId",),
            given=(
                "appOwnerOrganizationId",
                "displayName",
                "servicePrincipalType",
            ),
            new_id_note=(
                "Grants, app roles, role assignments and memberships of the old service principal are "
                "recreated for the new one; Azure role assignments are not."
            ),
        ),
        update=Update(
            path=f"{_SERVICE_PRINCIPALS}/{{id}}",
            quirks=(
                _password_removal(_SERVICE_PRINCIPALS),
                MovedByNeighbours(("displayName", "replyUrls", "servicePrincipalNames")),
            ),
        ),
        delete=Delete(path=f"{_SERVICE_PRINCIPALS}/{{id}}"),
        undelete=_UNDELETE,
        order=Order(rank=30),
        guards=Guards(protected=_protected_service_principal, quirks=(NeverDeleted(_comes_by_itself),)),
        losses=(_LOST_SECRETS, _LOST_CERTIFICATES),
    ),
    audit=AuditHints(
        activities=(
            "add service principal",
            "update service principal",
            "remove service principal",
            "hard delete service principal",
            "restore service principal",
            "add service principal credentials",
            "remove service principal credentials",
            "add owner to service principal",
            "remove owner from service principal",
            "consent to application",
        ),
        services=("Core Directory",),
        targets=("appId",),
    ),
    notes=(
        (
            "App roles and scopes are copies from the publisher's application and not part of this "
            "tenant's state."
        ),
        (
            "Graph allows writing only a few properties of Microsoft's own service principals. A plan "
            "never deletes one."
        ),
        "Managed identities are read, never written.",
    ),
)

_WHOLE = "/beta/applications"
"""Where federated credentials are complete: expressions that match claims are known to beta only."""
_FEDERATED = f"{_WHOLE}/{{applicationId}}/federatedIdentityCredentials"

FEDERATED_CREDENTIAL = ResourceType(
    key="federatedIdentityCredential",
    label="Federated credential",
    plural="Federated credentials",
    area="Applications",
    read=Read(
        path=f"{_WHOLE}/{{parent}}/federatedIdentityCredentials",
        parent="application",
        parent_key="applicationId",
        item_path=f"{_FEDERATED}/{{id}}",
    ),
    permissions=Permissions(
        read=("Application.Read.All",),
        write=("Application.ReadWrite.All",),
        read_also=("Application.ReadWrite.All",),
    ),
    identity=Identity(
        natural_key=("applicationId", "name"),
        name=lambda raw: str(raw.get("name") or raw.get("id") or ""),
    ),
    comparison=Comparison(first_read={"claimsMatchingExpression": 2}, sets=(SetOf("audiences"),)),
    references=(
        Reference("applicationId", to="application"),
        Reference("subject", to="servicePrincipal", guids=True, if_gone="kept"),
    ),
    not_references={"issuer": "an address, which may hold the id of a directory"},
    restore=Restore(
        writable=("audiences", "claimsMatchingExpression", "description", "issuer", "subject"),
        create=Create(
            path=_FEDERATED,
            only=("name",),
            recreate_for=("name",),
            new_id_note="Nothing refers to a federated credential; workloads only use its subject.",
        ),
        update=Update(path=f"{_FEDERATED}/{{id}}"),
        delete=Delete(path=f"{_FEDERATED}/{{id}}"),
        order=Order(rank=35, quirks=(WrittenFirst(lambda _live, wanted: wanted is None),)),
    ),
    audit=AuditHints(
        activities=("update application", "update application - certificates and secrets management"),
        services=("Core Directory",),
        targets=("applicationId",),
    ),
    notes=(
        "Read once for each application. The name cannot be changed.",
        (
            "Name, and issuer with subject, are unique in an application, so an added credential is "
            "deleted first."
        ),
    ),
)

TYPES = (APPLICATION, SERVICE_PRINCIPAL, FEDERATED_CREDENTIAL)
