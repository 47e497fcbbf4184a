"""Furnishes one tenant of the demo: people, groups, roles, locations, strength, Conditional Access and apps."""

from dataclasses import dataclass

from lavawall.emulator.permissions import GLOBAL_ADMINISTRATOR
from lavawall.emulator.seed.baseline import EXCHANGE_APP_ID
from lavawall.emulator.seed.builder import TenantBuilder, UserLogin, reference_data
from lavawall.emulator.seed.governance import govern
from lavawall.emulator.store import Json

EMERGENCY_ACCOUNTS = ("Emergency Access One", "Emergency Access Two")
ADMIN_ROLES = (
    "Global Administrator",
    "Privileged Role Administrator",
    "Security Administrator",
    "Conditional Access Administrator",
    "Exchange Administrator",
    "SharePoint Administrator",
    "Helpdesk Administrator",
    "User Administrator",
    "Application Administrator",
    "Cloud Application Administrator",
    "Authentication Administrator",
    "Privileged Authentication Administrator",
    "Billing Administrator",
)


@dataclass(frozen=True)
class Plan:
    """What sets one tenant of the demo apart from the others."""

    tenant: str
    customer: str
    domain: str
    country: str
    administrator: str
    people: tuple[tuple[str, str, str], ...]
    offices: tuple[tuple[str, tuple[str, ...]], ...]
    countries: tuple[str, ...]
    apps: tuple[str, ...]


@dataclass(frozen=True)
class Groups:
    everyone: str
    emergency: str
    administrators: str
    departments: dict[str, str]


def role_id(name: str) -> str:
    found: str = reference_data("directory_roles")["roles"][name]
    return found


def furnish(builder: TenantBuilder, plan: Plan) -> tuple[UserLogin, ...]:
    """Fills the tenant and returns its administrators' logins, the ordinary one first."""
    people = [
        builder.user(name, jobTitle=title, department=department, usageLocation=plan.country)
        for name, title, department in plan.people
    ]
    administrator = builder.user(plan.administrator, jobTitle="Head of IT", department="IT")
    emergency = [builder.user(name, department=None) for name in EMERGENCY_ACCOUNTS]
    groups = _groups(builder, plan, people, administrator, emergency)
    _roles(builder, people, administrator, emergency, groups)
    locations = _locations(builder, plan)
    strength = _strength(builder)
    _policies(builder, groups, locations, strength)
    _apps(builder, plan, people, administrator)
    govern(
        builder,
        people,
        administrator,
        emergency,
        administrators=groups.administrators,
        team=next(iter(groups.departments.values())),
    )
    return (administrator, *emergency)


def _groups(
    builder: TenantBuilder,
    plan: Plan,
    people: list[UserLogin],
    administrator: UserLogin,
    emergency: list[UserLogin],
) -> Groups:
    departments: dict[str, list[str]] = {}
    for login, (_, _, department) in zip(people, plan.people, strict=True):
        departments.setdefault(department, []).append(login.id)
    by_department = {
        name: builder.group(f"{name} Team", members, [members[0]], description=f"Everybody in {name}")
        for name, members in departments.items()
    }
    everyone = builder.group(
        "All Staff",
        by_department.values(),
        [administrator.id],
        description="Holds the teams of all departments",
    )
    emergency_group = builder.group(
        "Break-Glass Accounts",
        [login.id for login in emergency],
        [administrator.id],
        description="Excluded from every Conditional Access policy",
    )
    administrators = builder.group(
        "IT Administrators",
        [
            login.id
            for login, (_, _, department) in zip(people, plan.people, strict=True)
            if department == "IT"
        ],
        [administrator.id],
        description="Holds directory roles",
        isAssignableToRole=True,
    )
    builder.group(
        f"{plan.tenant} News",
        [login.id for login in people],
        [people[0].id],
        groupTypes=["Unified"],
        mailEnabled=True,
        visibility="Private",
    )
    builder.group(
        "Managed Windows Devices",
        description="Filled by rule",
        groupTypes=["DynamicMembership"],
        membershipRule='(device.deviceOSType -eq "Windows")',
        membershipRuleProcessingState="On",
    )
    return Groups(everyone, emergency_group, administrators, by_department)


def _roles(
    builder: TenantBuilder,
    people: list[UserLogin],
    administrator: UserLogin,
    emergency: list[UserLogin],
    groups: Groups,
) -> None:
    builder.add(
        "unifiedRoleDefinition",
        {
            "displayName": "Application Support Reader",
            "description": "Reads application registrations and their sign-in settings",
            "isEnabled": True,
            "rolePermissions": [
                {
                    "allowedResourceActions": [
                        "microsoft.directory/applications/standard/read",
                        "microsoft.directory/servicePrincipals/standard/read",
                        "microsoft.directory/applications/owners/read",
                    ],
                    "condition": None,
                }
            ],
        },
        computed={"templateId": builder.guid("unifiedRoleDefinition", "Application Support Reader")},
    )
    for login in (administrator, *emergency):
        builder.role(GLOBAL_ADMINISTRATOR, login.id)
    builder.role(role_id("User Administrator"), groups.administrators)
    builder.role(role_id("Exchange Administrator"), people[0].id)
    builder.role(builder.guid("unifiedRoleDefinition", "Application Support Reader"), people[2].id)


def _range(address: str) -> Json:
    version = 6 if ":" in address else 4
    return {"@odata.type": f"#microsoft.graph.iPv{version}CidrRange", "cidrAddress": address}


def _locations(builder: TenantBuilder, plan: Plan) -> dict[str, str]:
    locations = {
        name: builder.add(
            "namedLocation",
            {
                "@odata.type": "#microsoft.graph.ipNamedLocation",
                "displayName": name,
                "isTrusted": index == 0,
                "ipRanges": [_range(address) for address in addresses],
            },
        ).id
        for index, (name, addresses) in enumerate(plan.offices)
    }
    for name, countries in (("Home countries", plan.countries), ("Blocked countries", ("BY", "KP", "RU"))):
        locations[name] = builder.add(
            "namedLocation",
            {
                "@odata.type": "#microsoft.graph.countryNamedLocation",
                "displayName": name,
                "countriesAndRegions": list(countries),
                "includeUnknownCountriesAndRegions": name == "Blocked countries",
            },
        ).id
    return locations | {"office": locations[plan.offices[0][0]]}


def _strength(builder: TenantBuilder) -> str:
    strength = builder.add(
        "authenticationStrengthPolicy",
        {
            "displayName": "Administrators: hardware-bound only",
            "description": "Security keys and Windows Hello for people with directory roles",
            "allowedCombinations": ["fido2", "windowsHelloForBusiness", "x509CertificateMultiFactor"],
        },
        computed={"policyType": "custom", "requirementsSatisfied": "mfa"},
    )
    builder.add(
        "authenticationCombinationConfiguration",
        {
            "@odata.type": "#microsoft.graph.fido2CombinationConfiguration",
            "appliesToCombinations": ["fido2"],
            "allowedAAGUIDs": [
                "cb69481e-8ff7-4039-93ec-0a2729a154a8",
                "ee882879-721c-4913-9775-3dfcce97072a",
            ],
        },
        name="fido2",
        parent_id=strength.id,
    )
    return strength.id


def _policies(builder: TenantBuilder, groups: Groups, locations: dict[str, str], strength: str) -> None:
    all_users: Json = {"includeUsers": ["All"], "excludeGroups": [groups.emergency]}
    admins: Json = {
        "includeRoles": [role_id(name) for name in ADMIN_ROLES],
        "excludeGroups": [groups.emergency],
    }
    all_apps: Json = {"includeApplications": ["All"]}
    mfa: Json = {"operator": "OR", "builtInControls": ["mfa"]}
    block: Json = {"operator": "OR", "builtInControls": ["block"]}
    table: tuple[tuple[str, str, Json, Json | None, Json | None], ...] = (
        ("CA001: Require MFA for administrators", "enabled", {"users": admins}, mfa, None),
        ("CA002: Require MFA for all users", "enabled", {"users": all_users}, mfa, None),
        (
            "CA003: Block legacy authentication",
            "enabled",
            {"users": all_users, "clientAppTypes": ["exchangeActiveSync", "other"]},
            block,
            None,
        ),
        (
            "CA004: Phishing-resistant sign-in to admin portals",
            "enabled",
            {"users": admins, "applications": {"includeApplications": ["MicrosoftAdminPortals"]}},
            {"operator": "OR", "builtInControls": [], "authenticationStrength": {"id": strength}},
            None,
        ),
        (
            "CA005: Register security info from the office only",
            "enabled",
            {
                "users": all_users,
                "applications": {"includeUserActions": ["urn:user:registersecurityinfo"]},
                "locations": {"includeLocations": ["All"], "excludeLocations": [locations["office"]]},
            },
            block,
            None,
        ),
        (
            "CA006: Block sign-in from blocked countries",
            "enabled",
            {
                "users": all_users,
                "locations": {"includeLocations": [locations["Blocked countries"]], "excludeLocations": []},
            },
            block,
            None,
        ),
        (
            "CA007: Compliant device for Office 365",
            "enabled",
            {"users": all_users, "applications": {"includeApplications": ["Office365"]}},
            {"operator": "OR", "builtInControls": ["compliantDevice", "domainJoinedDevice"]},
            None,
        ),
        (
            "CA008: Short sessions outside home countries",
            "enabledForReportingButNotEnforced",
            {
                "users": all_users,
                "locations": {"includeLocations": ["All"], "excludeLocations": [locations["Home countries"]]},
            },
            None,
            {
                "signInFrequency": {
                    "isEnabled": True,
                    "type": "hours",
                    "value": 4,
                    "authenticationType": "primaryAndSecondaryAuthentication",
                    "frequencyInterval": "timeBased",
                },
                "persistentBrowser": {"isEnabled": True, "mode": "never"},
            },
        ),
    )
    for name, state, conditions, grant, session in table:
        builder.add(
            "conditionalAccessPolicy",
            {
                "displayName": name,
                "state": state,
                "conditions": {"applications": all_apps, "clientAppTypes": ["all"], **conditions},
                "grantControls": grant,
                "sessionControls": session,
            },
        )


def _apps(builder: TenantBuilder, plan: Plan, people: list[UserLogin], administrator: UserLogin) -> None:
    slug = plan.domain.partition(".")[0]
    portal, sync, archive = plan.apps
    _, portal_principal = builder.application(
        portal,
        [people[1].id],
        secret=True,
        web={
            "homePageUrl": f"https://portal.{slug}.example.com",
            "redirectUris": [
                f"https://portal.{slug}.example.com/signin-oidc",
                "https://localhost:5001/signin-oidc",
            ],
        },
        identifierUris=[f"https://portal.{slug}.example.com"],
        appRoles=[
            {
                "allowedMemberTypes": ["User"],
                "description": "Works with every record",
                "displayName": "Staff",
                "id": builder.guid("appRole", "Staff"),
                "isEnabled": True,
                "value": "Portal.Staff",
            }
        ],
    )
    _, sync_principal = builder.application(
        sync,
        [administrator.id, people[1].id],
        secret=True,
        publicClient={"redirectUris": ["http://localhost"]},
        tags=["internal", "sync"],
    )
    _, archive_principal = builder.application(
        archive, [people[1].id], spa={"redirectUris": [f"https://archive.{slug}.example.com/"]}
    )
    builder.grant_scopes(portal_principal.id, "openid profile email User.Read")
    builder.grant_scopes(archive_principal.id, "User.Read offline_access", people[0].id)
    builder.grant_app_role(sync_principal.id, "User.Read.All")
    builder.grant_app_role(sync_principal.id, "full_access_as_app", resource_app_id=EXCHANGE_APP_ID)
    builder.add(
        "appRoleAssignment",
        {
            "principalId": people[0].id,
            "resourceId": portal_principal.id,
            "appRoleId": builder.guid("appRole", "Staff"),
        },
        name="portal staff",
    )
