"""Domains and what hangs on them: verification, the default, references, federation; and the organisation itself."""

from collections.abc import Iterator

import pytest

from lavawall.emulator import Emulator, TenantInfo
from tests.emulator.conftest import Client, Json

DOMAINS = "/domains"
INITIAL = "auroradental.onmicrosoft.com"
MANAGED = "auroradental.example.com"
FEDERATED = "auroradental.example.net"


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    with Emulator() as running:
        yield running


@pytest.fixture
def organization(tenant: TenantInfo) -> str:
    return f"/organization/{tenant.directory_id}"


def federation(issuer: str, **more: str) -> Json:
    return {
        "displayName": "Sign-in",
        "issuerUri": issuer,
        "passiveSignInUri": "https://sts.example.org/ls",
        "signingCertificate": "MIIB",
        "preferredAuthenticationProtocol": "wsFed",
        **more,
    }


def verified(emulator: Emulator, tenant: TenantInfo, writer: Client, name: str) -> str:
    writer.post(DOMAINS, {"id": name})
    emulator.publish_domain(tenant.directory_id, name)
    writer.post(f"{DOMAINS}/{name}/verify", None)
    return f"{DOMAINS}/{name}"


def test_a_domain_is_verified_through_dns_before_anything_else(
    emulator: Emulator, tenant: TenantInfo, writer: Client
) -> None:
    path = f"{DOMAINS}/aurora.example.org"
    writer.refused("POST", DOMAINS, {"id": "no name"})
    writer.refused("POST", DOMAINS, {"id": "aurora.example.org", "isDefault": True})
    created = writer.post(DOMAINS, {"id": "aurora.example.org"})
    assert (created["isVerified"], created["authenticationType"]) == (False, "Managed")
    writer.refused("POST", DOMAINS, {"id": "aurora.example.org"}, status=409)
    writer.refused("PATCH", path, {"supportedServices": ["Email"]})
    assert writer.get(f"{path}/verificationDnsRecords")["value"][0]["text"].startswith("MS=ms")
    writer.refused("POST", f"{path}/verify")
    emulator.publish_domain(tenant.directory_id, "aurora.example.org")
    assert writer.post(f"{path}/verify", None)["isVerified"] is True
    writer.refused("POST", f"{path}/verify")
    writer.done("PATCH", path, {"supportedServices": ["Email"], "passwordValidityPeriodInDays": 180})
    writer.refused("PATCH", path, {"supportedServices": ["Fax"]})
    for name in ("authenticationType", "isVerified", "isInitial"):
        writer.refused("PATCH", path, {name: "Federated" if name == "authenticationType" else False})
    writer.done("DELETE", path)
    writer.refused("GET", path, status=404)


def test_exactly_one_domain_is_the_default(writer: Client, organization: str) -> None:
    writer.refused("PATCH", f"{DOMAINS}/{INITIAL}", {"isDefault": False})
    writer.done("PATCH", f"{DOMAINS}/{MANAGED}", {"isDefault": True})
    defaults = [each["id"] for each in writer.get(DOMAINS)["value"] if each["isDefault"]]
    assert defaults == [MANAGED]
    writer.refused("DELETE", f"{DOMAINS}/{MANAGED}")
    writer.done("PATCH", f"{DOMAINS}/{INITIAL}", {"isDefault": True})
    shown = {each["name"]: each["isDefault"] for each in writer.get(organization)["verifiedDomains"]}
    assert shown == {INITIAL: True, MANAGED: False, FEDERATED: False}


def test_a_domain_stays_while_names_lie_in_it(emulator: Emulator, tenant: TenantInfo, writer: Client) -> None:
    path = verified(emulator, tenant, writer, "used.example.org")
    body = {"displayName": "Uses the domain", "identifierUris": ["https://api.used.example.org"]}
    application = writer.post("/applications", body)["id"]
    writer.refused("DELETE", path)
    assert [each["id"] for each in writer.get(f"{path}/domainNameReferences")["value"]] == [application]
    writer.done("POST", f"{path}/forceDelete", {"disableUserAccounts": False})
    writer.refused("GET", path, status=404)
    assert writer.get(f"/applications/{application}")["identifierUris"] == []
    writer.refused("DELETE", f"{DOMAINS}/{INITIAL}")
    writer.refused("POST", f"{DOMAINS}/{INITIAL}/forceDelete", {})


def test_a_subdomain_holds_its_root_until_it_is_promoted(
    emulator: Emulator, tenant: TenantInfo, writer: Client
) -> None:
    root = verified(emulator, tenant, writer, "root.example.org")
    below = verified(emulator, tenant, writer, "below.root.example.org")
    assert writer.get(below)["isRoot"] is False
    writer.refused("DELETE", root)
    writer.refused("POST", f"{root}/promote")
    assert writer.post(f"{below}/promote", None)["value"] is True
    assert writer.get(below)["isRoot"] is True
    writer.done("DELETE", below)
    writer.done("DELETE", root)


def test_federation_turns_a_domain_and_its_end_turns_it_back(
    emulator: Emulator, tenant: TenantInfo, writer: Client
) -> None:
    path = f"{DOMAINS}/{MANAGED}/federationConfiguration"
    created = writer.post(path, federation("https://sts.example.org/one"))
    assert writer.get(f"{DOMAINS}/{MANAGED}")["authenticationType"] == "Federated"
    writer.refused("POST", path, federation("https://sts.example.org/two"))
    answer = writer.send("PATCH", f"{path}/{created['id']}", {"displayName": "Renamed"})
    assert (answer.status_code, answer.json()["displayName"]) == (200, "Renamed")
    other = writer.get(f"{DOMAINS}/{FEDERATED}/federationConfiguration")["value"][0]
    writer.refused("PATCH", f"{path}/{created['id']}", {"issuerUri": other["issuerUri"]})
    writer.done("DELETE", f"{path}/{created['id']}")
    assert writer.get(f"{DOMAINS}/{MANAGED}")["authenticationType"] == "Managed"
    activities = [each.body["activityDisplayName"] for each in emulator.state(tenant.directory_id).audits]
    assert activities[-4:] == [
        "Set federation settings on domain",
        "Set domain authentication",
        "Set federation settings on domain",
        "Set domain authentication",
    ]


@pytest.mark.parametrize(
    ("domain", "body"),
    [
        (MANAGED, federation(f"https://sts.{FEDERATED}/trust")),
        (INITIAL, federation("https://sts.example.org/three")),
        (MANAGED, {"issuerUri": "https://sts.example.org/four"}),
        (MANAGED, federation("https://sts.example.org/five", preferredAuthenticationProtocol="oidc")),
    ],
)
def test_federations_that_are_refused(writer: Client, domain: str, body: Json) -> None:
    writer.refused("POST", f"{DOMAINS}/{domain}/federationConfiguration", body)


def test_only_contacts_of_the_organisation_are_writable(writer: Client, organization: str) -> None:
    privacy = {"contactEmail": "privacy@example.com", "statementUrl": "https://example.com/privacy"}
    writer.done(
        "PATCH", organization, {"technicalNotificationMails": ["it@example.com"], "privacyProfile": privacy}
    )
    found = writer.get(organization)
    assert (found["technicalNotificationMails"], found["privacyProfile"]) == (["it@example.com"], privacy)
    for name, value in (("city", "Calgary"), ("displayName", "Mine"), ("verifiedDomains", [])):
        writer.refused("PATCH", organization, {name: value})


def test_trusted_authorities_are_replaced_by_delete_and_create(writer: Client, organization: str) -> None:
    path = f"{organization}/certificateBasedAuthConfiguration"
    present = writer.get(path)["value"][0]
    authority = present["certificateAuthorities"][0]
    assert authority["issuer"]
    assert authority["issuerSki"]
    body = {"certificateAuthorities": [{"isRootAuthority": True, "certificate": authority["certificate"]}]}
    writer.refused("POST", path, body, status=409)
    writer.refused("PATCH", f"{path}/{present['id']}", body, status=405)
    writer.done("DELETE", f"{path}/{present['id']}")
    refused: tuple[list[Json], ...] = (
        [],
        [{"isRootAuthority": True, "certificate": "AAAA"}],
        [{"isRootAuthority": False, "certificate": authority["certificate"]}],
        [authority],
    )
    for authorities in refused:
        writer.refused("POST", path, {"certificateAuthorities": authorities})
    writer.post(path, body)
