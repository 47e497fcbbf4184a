"""Derives the compact severity tables in changes/severity/data/ from a reference file of public facts.

Run by hand when the reference is refreshed: `python tools/derive_privileged.py REFERENCE.json`. The product
reads only the derived tables; it never reads the reference itself.
"""

import json
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

Row = Mapping[str, Any]

TABLES = Path(__file__).resolve().parent.parent / "changes" / "severity" / "data"

ORDER = ("informational", "low", "medium", "high", "critical")

DIRECT_PATH = "critical"
"""A role that the reference calls critical leads straight to control of the tenant."""

ROLE_SOURCES = (
    "Microsoft Learn: Microsoft Entra built-in roles (PRIVILEGED label)",
    "github.com/emiliensocchi/azure-tiering: Entra role tiers",
    "CISA ScubaGear: Entra ID baseline, highly privileged roles",
)
PERMISSION_SOURCES = (
    "github.com/microsoftgraph/microsoft-graph-devx-content: permission ids",
    "github.com/emiliensocchi/azure-tiering: Microsoft Graph application permission tiers",
    "CISA ScubaGear: risky application permissions",
)
SCOPE_SOURCES = (
    "github.com/microsoftgraph/microsoft-graph-devx-content: permission names",
    "CISA ScubaGear: risky delegated permissions",
    "Azure Sentinel: MaliciousOAuthApp_O365AttackToolkit, SuspiciousOAuthApp_OfflineAccess",
)
AUTHENTICATION_SOURCES = (
    "Microsoft Learn: authentication methods policy, authentication strengths",
    "github.com/microsoftgraph/msgraph-metadata: enum authenticationMethodModes",
    "CISA ScubaGear: MS.AAD.3.1 to 3.5",
)
AZURE_SOURCES = (
    "Microsoft Learn: Azure built-in roles",
    "github.com/emiliensocchi/azure-tiering: Azure role tiers",
    "Elastic: Azure RBAC Built-In Administrator Roles Assigned",
)
TARGET_SOURCES = (
    "Microsoft Learn: Conditional Access cloud apps, actions and authentication context",
    "Maester MT.1020: directory synchronisation accounts are excluded on purpose",
)

STRENGTH_RANKS = ("single_factor", "weak_mfa", "mfa", "passwordless", "phishing_resistant")
FEDERATED_MULTI_FACTOR = "federatedMultiFactor"
CONTROLS = {
    "passwordChange": 2,
    "riskRemediation": 2,
    "approvedApplication": 2,
    "compliantApplication": 2,
    "compliantDevice": 3,
    "domainJoinedDevice": 3,
    "mfa": 4,
}
BUILT_IN_STRENGTHS = {
    "00000000-0000-0000-0000-000000000002": "mfa",
    "00000000-0000-0000-0000-000000000003": "passwordless",
    "00000000-0000-0000-0000-000000000004": "phishing_resistant",
}


def lower_of(first: str, second: str) -> str:
    return min(first, second, key=ORDER.index)


def roles(reference: Row) -> dict[str, Any]:
    return {
        "sources": ROLE_SOURCES,
        "roles": {
            row["templateId"]: {
                "name": row["name"],
                "severity": row["suggested_severity_on_permanent_assignment"],
                "direct": row["suggested_severity_on_permanent_assignment"] == DIRECT_PATH,
            }
            for row in sorted(reference["directory_roles"], key=lambda row: str(row["name"]))
        },
    }


def grant_severity(row: Row) -> str:
    """Mass access to data without a path to the tenant's control is data loss: high, not critical."""
    suggested = str(row["suggested_severity_on_grant"])
    if row["community_tier"] != 0 and row["mass_data_access"]:
        return lower_of(suggested, "high")
    return suggested


def foreign_severity(row: Row, takeover: frozenset[str]) -> str:
    """Permissions of other Microsoft APIs: critical only where Graph's twin is a takeover."""
    if row["value"] in takeover and row["scuba_risk"] == "Critical":
        return "critical"
    return "high"


def permissions(reference: Row) -> dict[str, Any]:
    graph = list(reference["graph_application_permissions"])
    takeover = frozenset(row["value"] for row in graph if row["community_tier"] == 0)
    resources: dict[str, dict[str, Any]] = {}
    for row in sorted(graph, key=lambda row: str(row["value"])):
        resources.setdefault(row["resourceAppId"], {})[row["appRoleId"]] = {
            "name": row["value"],
            "severity": grant_severity(row),
            "data": bool(row["mass_data_access"]),
        }
    for row in reference["other_resource_permissions"]:
        if row["kind"] == "Application":
            resources.setdefault(row["resourceAppId"], {})[row["id"]] = {
                "name": row["value"],
                "severity": foreign_severity(row, takeover),
                "data": row["value"] not in takeover,
            }
    return {"sources": PERMISSION_SOURCES, "resources": resources}


def scopes(reference: Row) -> dict[str, Any]:
    takeover = {
        row["value"] for row in reference["graph_application_permissions"] if row["community_tier"] == 0
    }
    takeover.add("Directory.AccessAsUser.All")
    low = {str(row["value"]) for row in reference["low_risk_delegated_scopes"]}
    table: dict[str, str] = dict.fromkeys(low, "low")

    def put(rows: Iterable[Row], high: str) -> None:
        for row in rows:
            name = str(row["value"])
            if name not in low:
                critical = name in takeover and row.get("scuba_risk") == "Critical"
                table.setdefault(name, "critical" if critical else high)

    put(reference["graph_delegated_scopes_high_risk"], "high")
    put(reference["consent_phishing_scopes"], "high")
    put((row for row in reference["other_resource_permissions"] if row["kind"] == "Delegated"), "high")
    return {"sources": SCOPE_SOURCES, "when_for_all_users": dict(sorted(table.items()))}


def authentication(reference: Row) -> dict[str, Any]:
    methods = reference["authentication_methods"]
    modes = {
        mode: rank
        for rank, group in enumerate(STRENGTH_RANKS, start=1)
        for mode in methods["strength_modes_ranked"][group]
    }
    modes[FEDERATED_MULTI_FACTOR] = STRENGTH_RANKS.index("mfa") + 1
    return {
        "sources": AUTHENTICATION_SOURCES,
        "weak_methods": methods["weak_when_enabled"],
        "strong_methods": ["Fido2", "X509Certificate", "MicrosoftAuthenticator"],
        "rank_names": dict(
            enumerate((name.replace("_", " ").replace("mfa", "MFA") for name in STRENGTH_RANKS), start=1)
        ),
        "mode_ranks": modes,
        "strengths": {
            key: {
                "name": methods["builtin_strength_ids"][key],
                "rank": STRENGTH_RANKS.index(group) + 1,
            }
            for key, group in BUILT_IN_STRENGTHS.items()
        },
    }


def targets(reference: Row) -> dict[str, Any]:
    sync = ("Directory Synchronization Accounts", "On Premises Directory Sync Account")
    return {
        "sources": TARGET_SOURCES,
        "sensitive": reference["conditional_access"]["sensitive_targets"],
        "controls": CONTROLS,
        "synchronisation_roles": {
            row["templateId"]: row["name"] for row in reference["directory_roles"] if row["name"] in sync
        },
    }


def azure(reference: Row) -> dict[str, Any]:
    """`broad`: at a subscription or above; `narrow`: at a resource group or a resource."""
    network = reference["azure_network"]
    return {
        "sources": AZURE_SOURCES,
        "roles": {
            row["roleDefinitionId"]: {
                "name": row["name"],
                "broad": row["suggested_severity"]["subscription_or_mg_or_root"],
                "narrow": row["suggested_severity"]["resource_group"],
            }
            for row in sorted(reference["azure_rbac_roles"], key=lambda row: str(row["name"]))
        },
        "management_ports": network["management_ports"],
        "any_source": network["any_source"],
    }


def main(arguments: list[str]) -> int:
    if len(arguments) != 1:
        print("usage: derive_privileged.py REFERENCE.json", file=sys.stderr)
        return 2
    reference = json.loads(Path(arguments[0]).read_text(encoding="utf-8"))
    TABLES.mkdir(parents=True, exist_ok=True)
    for table in (roles, permissions, scopes, authentication, targets, azure):
        text = json.dumps(table(reference), indent=1, ensure_ascii=False) + "\n"
        (TABLES / f"{table.__name__}.json").write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
