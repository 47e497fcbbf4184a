"""Kinds of objects that configuration refers to but that are not in the catalogue, and how to check whether
they exist.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from snapshots.catalog.spec import Service

_NETWORK = {"api-version": "2023-09-01"}


@dataclass(frozen=True)
class Elsewhere:
    """One kind. Without `item_path`, it cannot be looked up by its ID."""

    label: str
    item_path: str | None = None
    service: Service = "directory"
    params: Mapping[str, str] = field(default_factory=dict)


DIRECTORY_KINDS: Mapping[str, str] = {
    "device": "Device",
    "directoryObject": "Object of the directory",
    "user": "User",
}
"""Looked up in batches with `directoryObjects/getByIds`."""

KINDS: Mapping[str, Elsewhere] = {
    "agreement": Elsewhere("Terms of use", "/v1.0/identityGovernance/termsOfUse/agreements/{id}"),
    "applicationSecurityGroup": Elsewhere("Application security group", "{id}", "arm", _NETWORK),
    "certificateBasedApplicationConfiguration": Elsewhere(
        "Trusted certificate authorities of applications",
        "/beta/directory/certificateAuthorities/certificateBasedApplicationConfigurations/{id}",
    ),
    "connectedOrganization": Elsewhere(
        "Connected organisation", "/v1.0/identityGovernance/entitlementManagement/connectedOrganizations/{id}"
    ),
    "deviceComplianceScript": Elsewhere(
        "Custom compliance script", "/beta/deviceManagement/deviceComplianceScripts/{id}", "intune"
    ),
    "deviceManagementTemplate": Elsewhere(
        "Endpoint security template", "/beta/deviceManagement/templates/{id}", "intune"
    ),
    "globalSecureAccessProfile": Elsewhere(
        "Security profile of Global Secure Access", "/beta/networkAccess/filteringProfiles/{id}"
    ),
    "groupPolicyDefinition": Elsewhere(
        "Administrative template setting", "/beta/deviceManagement/groupPolicyDefinitions/{id}", "intune"
    ),
    "logAnalyticsWorkspace": Elsewhere("Log Analytics workspace"),
    "microsoftTunnelSite": Elsewhere(
        "Microsoft Tunnel site", "/beta/deviceManagement/microsoftTunnelSites/{id}", "intune"
    ),
    "mobileContainedApp": Elsewhere("App inside another app"),
    "rightsManagementTemplate": Elsewhere("Rights management template"),
    "subnet": Elsewhere("Subnet", "{id}", "arm", _NETWORK),
    "vppToken": Elsewhere(
        "Apple volume purchase token", "/beta/deviceAppManagement/vppTokens/{id}", "intune"
    ),
}

NOT_COLLECTED = frozenset(KINDS) | frozenset(DIRECTORY_KINDS)
