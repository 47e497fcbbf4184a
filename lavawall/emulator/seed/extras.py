"""What an administrator adds to a demo tenant beside people, roles and Conditional Access."""

import json

from lavawall.emulator.seed.builder import TenantBuilder, stable_guid
from lavawall.emulator.store import Record

PARTNERS = ("Riverside Payroll", "Lakeside Legal")


def add_extras(builder: TenantBuilder) -> None:
    """Adds to a furnished tenant; its groups and applications are found by name."""
    _contexts(builder)
    _partners(builder)
    _consent(builder)
    _application_policies(builder)
    _federated_credentials(builder)
    _security_attributes(builder)


def _contexts(builder: TenantBuilder) -> None:
    for identifier, name, published in (
        ("c1", "Sensitive records", True),
        ("c2", "Role activation", True),
        ("c3", "Payments (draft)", False),
    ):
        builder.add(
            "authenticationContextClassReference",
            {
                "id": identifier,
                "displayName": name,
                "description": f"Step-up for: {name.lower()}",
                "isAvailable": published,
            },
        )
    builder.add(
        "agreement",
        {
            "displayName": "Acceptable use of company systems",
            "isViewingBeforeAcceptanceRequired": True,
            "isPerDeviceAcceptanceRequired": False,
        },
    )


def _partners(builder: TenantBuilder) -> None:
    for index, name in enumerate(PARTNERS):
        tenant_id = stable_guid("directory", name)
        builder.add(
            "crossTenantAccessPolicyConfigurationPartner",
            {
                "tenantId": tenant_id,
                "inboundTrust": {
                    "isMfaAccepted": True,
                    "isCompliantDeviceAccepted": False,
                    "isHybridAzureADJoinedDeviceAccepted": False,
                },
                "b2bDirectConnectInbound": {
                    "usersAndGroups": {
                        "accessType": "allowed",
                        "targets": [{"target": "AllUsers", "targetType": "user"}],
                    },
                    "applications": {
                        "accessType": "allowed",
                        "targets": [{"target": "Office365", "targetType": "application"}],
                    },
                },
            },
        )
        if index == 0:
            builder.add(
                "crossTenantIdentitySyncPolicyPartner",
                {"tenantId": tenant_id, "displayName": name, "userSyncInbound": {"isSyncAllowed": True}},
                parent_id=tenant_id,
            )


def _consent(builder: TenantBuilder) -> None:
    policy = builder.add(
        "permissionGrantPolicy",
        {
            "id": "verified-low-risk",
            "displayName": "Verified publishers, low risk",
            "description": "Users consent to low-risk permissions of verified publishers",
        },
    )
    builder.add(
        "permissionGrantInclude",
        {
            "permissionType": "delegated",
            "permissionClassification": "low",
            "clientApplicationsFromVerifiedPublisherOnly": True,
        },
        name="verified-low-risk/include",
        parent_id=policy.id,
    )
    builder.add(
        "permissionGrantExclude",
        {"permissionType": "delegated", "resourceApplication": "00000002-0000-0ff1-ce00-000000000000"},
        name="verified-low-risk/exclude",
        parent_id=policy.id,
    )


def _application_policies(builder: TenantBuilder) -> None:
    sync = _first(builder, "servicePrincipal", "tags", "WindowsAzureActiveDirectoryIntegratedApp")
    claims = builder.add(
        "claimsMappingPolicy",
        {
            "displayName": "Employee number in tokens",
            "definition": [
                json.dumps(
                    {
                        "ClaimsMappingPolicy": {
                            "Version": 1,
                            "IncludeBasicClaimSet": "true",
                            "ClaimsSchema": [
                                {"Source": "user", "ID": "employeeid", "JwtClaimType": "employee_number"}
                            ],
                        }
                    }
                )
            ],
        },
    )
    sync.links["claimsMappingPolicies"][claims.id] = None
    for kind, name, definition in (
        (
            "tokenLifetimePolicy",
            "Short access tokens",
            {"TokenLifetimePolicy": {"Version": 1, "AccessTokenLifetime": "00:30:00"}},
        ),
        (
            "homeRealmDiscoveryPolicy",
            "No automatic acceleration",
            {"HomeRealmDiscoveryPolicy": {"AccelerateToFederatedDomain": False}},
        ),
        (
            "tokenIssuancePolicy",
            "Sign responses",
            {
                "TokenIssuancePolicy": {
                    "Version": 1,
                    "SigningAlgorithm": "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
                    "TokenResponseSigningPolicy": "ResponseAndToken",
                }
            },
        ),
        (
            "activityBasedTimeoutPolicy",
            "Portal time-out after 30 minutes",
            {
                "ActivityBasedTimeoutPolicy": {
                    "Version": 1,
                    "ApplicationPolicies": [
                        {"ApplicationId": "default", "WebSessionIdleTimeout": "00:30:00"}
                    ],
                }
            },
        ),
    ):
        builder.add(kind, {"displayName": name, "definition": [json.dumps(definition)]})
    group = _first(builder, "group", "displayName", "IT Administrators")
    builder.add(
        "featureRolloutPolicy",
        {"displayName": "Password hash sync pilot", "feature": "passwordHashSync", "isEnabled": True},
        links={"appliesTo": [group.id]},
    )
    builder.add(
        "appManagementPolicy",
        {
            "displayName": "No new secrets",
            "isEnabled": True,
            "restrictions": {
                "passwordCredentials": [
                    {
                        "restrictionType": "passwordAddition",
                        "state": "enabled",
                        "restrictForAppsCreatedAfterDateTime": "2024-06-01T00:00:00Z",
                    }
                ]
            },
        },
    )


def _first(builder: TenantBuilder, type_name: str, name: str, value: str) -> Record:
    """The first object that holds the value as this property or in it."""
    records = builder.directory.records[type_name].values()
    return next(
        each for each in records if value == each.body.get(name) or value in (each.body.get(name) or ())
    )


def _federated_credentials(builder: TenantBuilder) -> None:
    application = next(iter(builder.directory.records["application"].values()))
    builder.add(
        "federatedIdentityCredential",
        {
            "name": "release-pipeline",
            "issuer": "https://token.actions.githubusercontent.com",
            "subject": "repo:example/portal:ref:refs/heads/main",
            "audiences": ["api://AzureADTokenExchange"],
            "description": "Releases from the main branch",
        },
        name="release-pipeline",
        parent_id=application.id,
    )


def _security_attributes(builder: TenantBuilder) -> None:
    builder.add(
        "attributeSet", {"id": "Access", "description": "Who may see what", "maxAttributesPerSet": 25}
    )
    for name, type_name, many, predefined in (
        ("Clearance", "String", False, True),
        ("Sites", "String", True, False),
        ("Level", "Integer", False, False),
    ):
        builder.add(
            "customSecurityAttributeDefinition",
            {
                "attributeSet": "Access",
                "name": name,
                "description": f"{name} of a person",
                "type": type_name,
                "status": "Available",
                "isCollection": many,
                "isSearchable": True,
                "usePreDefinedValuesOnly": predefined,
            },
            computed={"id": f"Access_{name}"},
        )
    for value, active in (("Public", True), ("Internal", True), ("Secret", False)):
        builder.add("allowedValue", {"id": value, "isActive": active}, parent_id="Access_Clearance")
    user = next(iter(builder.directory.records["user"].values()))
    user.body["customSecurityAttributes"] = {
        "Access": {
            "@odata.type": "#Microsoft.DirectoryServices.CustomSecurityAttributeValue",
            "Clearance": "Internal",
            "Sites@odata.type": "#Collection(String)",
            "Sites": ["Main office", "Depot"],
            "Level@odata.type": "#Int32",
            "Level": 3,
        }
    }
