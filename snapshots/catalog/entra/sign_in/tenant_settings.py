"""Tenant-wide settings of signing in and registering devices, declared for the registry.

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
    Permissions,
    Read,
    Reference,
    ResourceType,
    Restore,
    SetOf,
    Update,
    WrittenFirst,
    WrittenLast,
)

_DEFAULTS = "/v1.0/policies/identitySecurityDefaultsEnforcementPolicy"
_FLOWS = "/v1.0/policies/authenticationFlowsPolicy"
_DEVICES = "/v1.0/policies/deviceRegistrationPolicy"
_AREA = "Authentication"

SECURITY_DEFAULTS = ResourceType(
    key="identitySecurityDefaultsEnforcementPolicy",
    label="Security defaults",
    plural="Security defaults",
    area=_AREA,
    read=Read(path=_DEFAULTS, singleton=True),
    permissions=Permissions(
        read=("Policy.Read.All",),
        write=("Policy.Read.All", "Policy.ReadWrite.SecurityDefaults"),
        read_also=("Policy.ReadWrite.SecurityDefaults",),
    ),
    comparison=Comparison(computed=("description", "displayName")),
    restore=Restore(
        writable=("isEnabled",),
        update=Update(path=_DEFAULTS),
        order=Order(rank=35, quirks=(WrittenLast(lambda wanted: wanted.get("isEnabled") is True),)),
    ),
    audit=AuditHints(
        activities=("update security defaults", "update policy", "set company information"),
        services=("Core Directory",),
        singleton=True,
    ),
    notes=(
        "Microsoft refuses them while Conditional Access policies are enabled, and new policies while they are on.",
        (
            "A plan turns them off before it creates policies, and on after all policies are disabled or "
            "deleted."
        ),
    ),
)

AUTHENTICATION_FLOWS = ResourceType(
    key="authenticationFlowsPolicy",
    label="Authentication flows policy",
    plural="Authentication flows policies",
    area=_AREA,
    read=Read(path=_FLOWS, singleton=True),
    permissions=Permissions(
        read=("Policy.Read.All",),
        write=("Policy.ReadWrite.AuthenticationFlows",),
        read_also=("Policy.ReadWrite.AuthenticationFlows",),
    ),
    comparison=Comparison(computed=("description", "displayName")),
    restore=Restore(writable=("selfServiceSignUp",), update=Update(path=_FLOWS)),
    audit=AuditHints(
        activities=("update authentication flows policy", "update policy"),
        services=("Core Directory", "B2C"),
        singleton=True,
    ),
    notes=("Microsoft's schema calls the setting read-only; its reference documents the write.",),
)

_MEMBERSHIPS = (
    "azureADJoin.allowedToJoin",
    "azureADJoin.localAdmins.registeringUsers",
    "azureADRegistration.allowedToRegister",
)


def _member_sets() -> Iterator[SetOf]:
    for membership in _MEMBERSHIPS:
        yield SetOf(f"{membership}.users")
        yield SetOf(f"{membership}.groups")


def _members() -> Iterator[Reference]:
    for membership in _MEMBERSHIPS:
        yield Reference(f"{membership}.users[]", to="user")
        yield Reference(f"{membership}.groups[]", to="group")


DEVICE_REGISTRATION = ResourceType(
    key="deviceRegistrationPolicy",
    label="Device registration policy",
    plural="Device registration policies",
    area=_AREA,
    read=Read(path=_DEVICES, singleton=True),
    permissions=Permissions(
        read=("Policy.Read.DeviceConfiguration",),
        write=("Policy.ReadWrite.DeviceConfiguration",),
        read_also=("Policy.ReadWrite.DeviceConfiguration",),
    ),
    comparison=Comparison(sets=tuple(_member_sets())),
    references=tuple(_members()),
    restore=Restore(
        writable=(
            "azureADJoin",
            "azureADRegistration",
            "description",
            "displayName",
            "localAdminPassword",
            "multiFactorAuthConfiguration",
            "userDeviceQuota",
        ),
        update=Update(path=_DEVICES, method="PUT"),
    ),
    audit=AuditHints(
        activities=("set device registration policies",),
        services=("Device Registration Service",),
        singleton=True,
    ),
    notes=("Written as a whole: a PUT without a property would reset it.",),
)

_AUTHORITIES = "/v1.0/organization/{organizationId}/certificateBasedAuthConfiguration"

CERTIFICATE_AUTHORITIES = ResourceType(
    key="certificateBasedAuthConfiguration",
    label="Certificate authorities for sign-in",
    plural="Certificate authorities for sign-in",
    area=_AREA,
    read=Read(
        path="/v1.0/organization/{parent}/certificateBasedAuthConfiguration",
        parent="organization",
        parent_key="organizationId",
        item_path=f"{_AUTHORITIES}/{{id}}",
    ),
    permissions=Permissions(
        read=("Organization.Read.All",),
        write=("Organization.ReadWrite.All",),
        read_also=("Organization.ReadWrite.All",),
    ),
    identity=Identity(name=lambda _raw: "Certificate authorities"),
    comparison=Comparison(
        computed=("certificateAuthorities[].issuer", "certificateAuthorities[].issuerSki"),
        sets=(SetOf("certificateAuthorities"),),
    ),
    references=(Reference("organizationId", to="organization"),),
    restore=Restore(
        create=Create(
            path=_AUTHORITIES,
            only=("certificateAuthorities",),
            recreate_for=("certificateAuthorities",),
            new_id_note="Nothing refers to the configuration.",
        ),
        delete=Delete(path=f"{_AUTHORITIES}/{{id}}"),
        order=Order(quirks=(WrittenFirst(lambda _live, wanted: wanted is None),)),
    ),
    audit=AuditHints(
        activities=("set company information", "update company"),
        services=("Core Directory",),
        targets=("organizationId",),
    ),
    notes=(
        "Microsoft cannot update a configuration: it is deleted and recreated.",
        (
            "In between, nobody can sign in with a certificate. There is at most one, so an added one is "
            "deleted first."
        ),
    ),
)

TYPES = (SECURITY_DEFAULTS, AUTHENTICATION_FLOWS, DEVICE_REGISTRATION, CERTIFICATE_AUTHORITIES)
