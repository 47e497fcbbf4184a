"""What an administrator adds to a demo tenant beside people, roles and Conditional Access."""

from lavawall.emulator.seed.builder import TenantBuilder, stable_guid

PARTNERS = ("Riverside Payroll", "Lakeside Legal")


def add_extras(builder: TenantBuilder) -> None:
    """Adds to a furnished tenant; its groups and applications are found by name."""
    _contexts(builder)
    _partners(builder)
    _consent(builder)


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
