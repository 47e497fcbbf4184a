"""What objects are called: by all that they join, so that no two look alike, and by words instead of ids and codes."""

import re
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.db import transaction

from lavawall.emulator import Emulator
from snapshots import naming
from snapshots.catalog import registry, words
from snapshots.collection import capture
from snapshots.models import Version
from tenants.connections.onboarding import open_client
from tests.factories.cloud import onboarded

GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
GRAPH, HELPER, MAIL, FILES = "graph", "helper", "mail-role", "files-role"


@dataclass
class Known:
    """A snapshot that knows a few objects."""

    names: dict[str, str] = field(
        default_factory=lambda: {
            GRAPH: "Microsoft Graph",
            HELPER: "Mailbox Migration Helper",
            "role": "Global Administrator",
            "ada": "Ada",
            "unit": "Front of House",
            "group": "IT Administrators",
        }
    )

    def name(self, identifier: str) -> str:
        return self.names.get(identifier, identifier)

    def app_role(self, resource_id: str, role_id: str) -> str:
        roles = {MAIL: "Mail.ReadWrite", FILES: "Files.ReadWrite.All"}
        return roles.get(role_id, "") if resource_id == GRAPH else ""


@pytest.mark.parametrize(
    ("key", "document", "called"),
    [
        (
            "appRoleAssignment",
            {"resourceId": GRAPH, "appRoleId": MAIL, "principalId": HELPER},
            "Mail.ReadWrite on Microsoft Graph for Mailbox Migration Helper",
        ),
        (
            "appRoleAssignment",
            {"resourceId": GRAPH, "appRoleId": FILES, "principalId": HELPER},
            "Files.ReadWrite.All on Microsoft Graph for Mailbox Migration Helper",
        ),
        (
            "appRoleAssignment",
            {"resourceId": "portal", "appRoleId": naming.NO_ROLE, "principalId": "ada"},
            "Default access on portal for Ada",
        ),
        (
            "appRoleAssignment",
            {"resourceId": "portal", "appRoleId": "unknown", "principalId": "ada"},
            "unknown on portal for Ada",
        ),
        (
            "oAuth2PermissionGrant",
            {"scope": "User.Read openid", "resourceId": GRAPH, "clientId": HELPER},
            "User.Read, openid on Microsoft Graph by Mailbox Migration Helper for all users",
        ),
        (
            "oAuth2PermissionGrant",
            {"scope": "User.Read", "resourceId": GRAPH, "clientId": HELPER, "principalId": "ada"},
            "User.Read on Microsoft Graph by Mailbox Migration Helper for Ada",
        ),
        (
            "unifiedRoleAssignment",
            {"principalId": "ada", "roleDefinitionId": "role", "directoryScopeId": "/"},
            "Ada as Global Administrator",
        ),
        (
            "unifiedRoleEligibilitySchedule",
            {
                "principalId": "ada",
                "roleDefinitionId": "role",
                "directoryScopeId": "/administrativeUnits/unit",
            },
            "Ada as Global Administrator in Front of House",
        ),
        (
            "privilegedAccessGroupEligibilitySchedule",
            {"principalId": "ada", "accessId": "owner", "groupId": "group"},
            "Ada as owner of IT Administrators",
        ),
    ],
)
def test_what_joins_others_is_called_by_all_of_them(key: str, document: dict[str, Any], called: str) -> None:
    assert naming.name(registry.get(key), "", document, Known()) == called


def test_ids_in_a_name_are_replaced_where_they_are_known() -> None:
    known, unknown = "0b7d4a52-7a0d-4d51-8c5f-3a6fb8a8d001", "0b7d4a52-7a0d-4d51-8c5f-3a6fb8a8d002"
    named = naming.name(
        registry.get("azureRoleAssignment"), f"{known} as {unknown}", None, Known({known: "Ada"})
    )

    assert named == f"Ada as {unknown}"


def test_in_a_whole_tenant_no_two_objects_of_a_type_are_called_the_same(db: None, emulator: Emulator) -> None:
    tenant = onboarded(emulator)
    with closing(open_client(tenant, "reader")) as client:
        collected = capture.collect(tenant, client)
    with transaction.atomic():
        capture.seal(collected, requested_by="test")

    named = list(
        Version.objects.filter(tenant=tenant).values_list("resource_type", "resource_id", "display_name")
    )
    alike = [key for key, count in Counter((kind, name) for kind, _, name in named).items() if count > 1]
    assert alike == []
    known = {resource_id for _, resource_id, _ in named}
    by_id = [
        (kind, name)
        for kind, resource_id, name in named
        if (found := GUID.search(name)) and found[0] in known and found[0] != resource_id
    ]
    assert by_id == []


@pytest.mark.parametrize(
    ("code", "called"),
    [("RO", "Romania (RO)"), ("gb", "United Kingdom (GB)"), ("ZZ", "ZZ"), ("", "")],
)
def test_a_country_is_called_by_its_name(code: str, called: str) -> None:
    assert words.country(code) == called


@pytest.mark.parametrize(
    ("text", "called"),
    [
        ("password,sms", "Password + SMS"),
        ("fido2", "Passkey (FIDO2)"),
        ("something,new", "something + new"),
    ],
)
def test_a_combination_of_methods_is_called_by_their_names(text: str, called: str) -> None:
    assert words.combination(text) == called
