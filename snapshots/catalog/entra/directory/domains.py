"""Domains and their federation, declared for the registry.

Facts: Microsoft Graph's v1.0 metadata and reference pages of the domain and internalDomainFederation types.
"""

from snapshots.catalog.spec import (
    AuditHints,
    Comparison,
    Create,
    Delete,
    Document,
    Identity,
    Loss,
    MovedByNeighbours,
    Order,
    Permissions,
    RankWithinType,
    Read,
    Reference,
    ResourceType,
    Restore,
    SetOf,
    Update,
)

_DOMAINS = "/v1.0/domains"
_FEDERATION = f"{_DOMAINS}/{{domainId}}/federationConfiguration"

_SET_LATER = ("passwordNotificationWindowInDays", "passwordValidityPeriodInDays", "supportedServices")
_VERIFIED_FIRST = "can be set only once the domain is verified again"


def _default_first(wanted: Document) -> int:
    """What becomes the default takes that from the other, which then needs no write of its own."""
    return 0 if wanted.get("isDefault") is True else 1


def _name_only(body: Document) -> Document:
    """Everything else can be set only once the domain is verified again."""
    return {"id": body["id"]} if "id" in body else {}


DOMAIN = ResourceType(
    key="domain",
    label="Domain",
    plural="Domains",
    area="Domains",
    read=Read(path=_DOMAINS, item_path=f"{_DOMAINS}/{{id}}"),
    permissions=Permissions(
        read=("Domain.Read.All",),
        write=("Domain.ReadWrite.All",),
        read_also=("Directory.Read.All", "Domain.ReadWrite.All"),
    ),
    identity=Identity(name=lambda raw: str(raw.get("id", ""))),
    comparison=Comparison(
        computed=(
            "authenticationType",
            "availabilityStatus",
            "isInitial",
            "isRoot",
            "manufacturer",
            "model",
            "state",
        ),
        sets=(SetOf("supportedServices"),),
    ),
    restore=Restore(
        writable=(
            "isDefault",
            "passwordNotificationWindowInDays",
            "passwordValidityPeriodInDays",
            "supportedServices",
        ),
        create=Create(
            path=_DOMAINS,
            only=("id",),
            caller_chooses_id=True,
            shape=_name_only,
            new_id_note="Users and groups that had addresses in it keep their replacement addresses.",
        ),
        update=Update(path=f"{_DOMAINS}/{{id}}", quirks=(MovedByNeighbours(("isDefault",)),)),
        delete=Delete(path=f"{_DOMAINS}/{{id}}"),
        order=Order(rank=10, quirks=(RankWithinType(_default_first),)),
        losses=(
            Loss(
                "isVerified",
                "a domain that is added again is not verified: publish its TXT record, verify it, then plan again",
                recreated_only=True,
            ),
            Loss("isAdminManaged", "Microsoft decides it when the domain is verified", recreated_only=True),
            *(Loss(name, _VERIFIED_FIRST, recreated_only=True) for name in _SET_LATER),
        ),
    ),
    audit=AuditHints(
        activities=(
            "add unverified domain",
            "add verified domain",
            "remove unverified domain",
            "remove verified domain",
            "update domain",
            "verify domain",
            "set domain authentication",
            "set password policy",
            "add partner to company",
        ),
        services=("Core Directory",),
        singleton=True,
    ),
    notes=(
        "Graph refuses to delete a domain that is used in names of users, groups or applications.",
        "Whether a domain is managed or federated depends on its federation, which is a separate type.",
        f"Of a deleted domain only the name is restored; everything else {_VERIFIED_FIRST}.",
    ),
)


def _named_by_type(body: Document) -> Document:
    """Microsoft does not always return the type that it wants to be told."""
    return {"@odata.type": "#microsoft.graph.internalDomainFederation", **body}


FEDERATION = ResourceType(
    key="internalDomainFederation",
    label="Domain federation",
    plural="Domain federations",
    area="Domains",
    read=Read(
        path=f"{_DOMAINS}/{{parent}}/federationConfiguration",
        parent="domain",
        parent_key="domainId",
        item_path=f"{_FEDERATION}/{{id}}",
    ),
    permissions=Permissions(
        read=("Domain-InternalFederation.Read.All",),
        write=("Domain-InternalFederation.ReadWrite.All",),
        read_also=("Domain-InternalFederation.ReadWrite.All",),
        write_also=("Domain.ReadWrite.All",),
    ),
    identity=Identity(
        natural_key=("domainId",),
        name=lambda raw: f"{raw.get('displayName') or raw.get('id', '')} for {raw.get('domainId', '')}",
    ),
    comparison=Comparison(
        computed=("signingCertificateUpdateStatus",),
        normalise={"signingCertificate": "base64", "nextSigningCertificate": "base64"},
        unread={
            "defaultInteractiveAuthenticationMethod": "only the beta version has it",
            "openIdConnectDiscoveryEndpoint": "only the beta version has it",
            "passwordChangeUri": "only the beta version has it; v1.0 knows passwordResetUri",
        },
    ),
    references=(Reference("domainId", to="domain"),),
    restore=Restore(
        writable=(
            "activeSignInUri",
            "displayName",
            "federatedIdpMfaBehavior",
            "isSignedAuthenticationRequestRequired",
            "issuerUri",
            "metadataExchangeUri",
            "nextSigningCertificate",
            "passiveSignInUri",
            "passwordResetUri",
            "preferredAuthenticationProtocol",
            "promptLoginBehavior",
            "signOutUri",
            "signingCertificate",
        ),
        create=Create(
            path=_FEDERATION,
            shape=_named_by_type,
            new_id_note="Creating it makes the domain federated; nothing refers to its ID.",
        ),
        update=Update(path=f"{_FEDERATION}/{{id}}"),
        delete=Delete(path=f"{_FEDERATION}/{{id}}"),
        order=Order(rank=12),
    ),
    audit=AuditHints(
        activities=("set federation settings on domain", "set domain authentication", "update domain"),
        services=("Core Directory",),
        singleton=True,
    ),
    notes=(
        "Deleting it makes the domain managed. Its users then sign in with a cloud password.",
        "The signing certificates are public and can be restored; whitespace in them is not compared.",
    ),
)

TYPES = (DOMAIN, FEDERATION)
