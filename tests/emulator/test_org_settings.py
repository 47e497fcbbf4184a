"""Branding, directory settings by template and Microsoft 365 settings of a tenant."""

from collections.abc import Iterator

import pytest

from lavawall.emulator import Emulator, TenantInfo
from tests.emulator.conftest import Client, Json

SETTINGS = "/groupSettings"
GROUPS_OF_TENANT = "62375ab9-6b52-47ed-826b-58e47e0e304b"
OF_ONE_GROUP = "08d542b9-071f-4e16-94b0-74abb372e3d9"
CONSENT = "dffd5d46-495d-40a9-8e21-954ff55e198a"
CARDS = "/admin/people/profileCardProperties"
NOBODY = "7d3f1c0a-6f0b-4d7e-9d5c-2a1b3c4d5e6f"


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    with Emulator() as running:
        yield running


@pytest.fixture
def branding(tenant: TenantInfo) -> str:
    return f"/organization/{tenant.directory_id}/branding"


def test_branding_is_shown_by_language_and_absent_until_set_up(writer: Client, branding: str) -> None:
    default = writer.get(branding, headers={"Accept-Language": "0"})
    assert default["id"] == "0"
    french = writer.get(branding, headers={"Accept-Language": "fr-FR"})
    assert (french["signInPageText"] == default["signInPageText"]) is False
    assert french["backgroundColor"] == default["backgroundColor"]
    assert {each["id"] for each in writer.get(f"{branding}/localizations")["value"]} == {"0", "fr-FR"}
    writer.refused("DELETE", branding)
    writer.done("DELETE", f"{branding}/localizations/fr-FR")
    writer.done("DELETE", branding)
    writer.refused("GET", branding, status=404)
    writer.refused("GET", f"{branding}/localizations", status=404)
    writer.done("PUT", branding, {"backgroundColor": "#102030", "signInPageText": "Welcome"})
    writer.done("PATCH", branding, {"signInPageText": "Welcome back"})
    assert writer.get(branding)["backgroundColor"] == "#102030"
    writer.done("PUT", branding, {"signInPageText": "Bare"})
    assert writer.get(branding).get("backgroundColor") is None


def test_localizations_are_known_by_their_locale(writer: Client, branding: str) -> None:
    path = f"{branding}/localizations"
    assert writer.post(path, {"id": "de-DE", "signInPageText": "Willkommen"})["id"] == "de-DE"
    writer.refused("POST", path, {"id": "de-DE"}, status=409)
    writer.refused("POST", path, {"id": "German, please"})
    writer.refused("PATCH", f"{path}/de-DE", {"backgroundColor": "red"})
    writer.refused("PATCH", f"{path}/de-DE", {"bannerLogo": "AAAA"})
    writer.refused("PATCH", f"{path}/de-DE", {"bannerLogoRelativeUrl": "logo"})
    writer.done("PATCH", f"{path}/de-DE", {"signInPageText": "Hallo"})
    writer.done("DELETE", f"{path}/de-DE")


def test_images_are_put_and_read_as_bytes(writer: Client, branding: str) -> None:
    writer.done("PATCH", branding, {"signInPageText": "With a logo"})
    logo, image = f"{branding}/localizations/0/bannerLogo", b"\x89PNG for the test"
    writer.refused("GET", logo, status=404)
    kind = {"Content-Type": "image/png"}
    url = f"{writer.base}{logo}"
    assert writer.http.put(url, data=image, headers=kind, timeout=10).status_code == 204
    assert writer.http.get(f"{writer.base}{branding}/bannerLogo", timeout=10).content == image
    wrong = {"Content-Type": "application/json"}
    assert writer.http.put(url, data=b"{}", headers=wrong, timeout=10).status_code == 400
    found = writer.get(branding)
    assert "bannerLogo" not in found
    assert found["bannerLogoRelativeUrl"].endswith("/bannerlogo")
    writer.refused("DELETE", branding)
    writer.done("DELETE", logo)
    writer.refused("DELETE", logo, status=404)
    assert not writer.get(branding).get("bannerLogoRelativeUrl")
    writer.done("DELETE", branding)


def test_a_logo_of_an_application_shows_its_address_while_there_is_one(writer: Client) -> None:
    app = f"/applications/{writer.post('/applications', {'displayName': 'Painted'})['id']}"
    url, kind = f"{writer.base}{app}/logo", {"Content-Type": "image/png"}
    assert writer.http.put(url, data=b"\x89PNG", headers=kind, timeout=10).status_code == 204
    writer.done("PATCH", app, {"info": {"supportUrl": "https://help.example.org"}})
    assert writer.get(app)["info"]["logoUrl"].startswith("https://")
    assert writer.http.get(url, timeout=10).content == b"\x89PNG"
    writer.done("DELETE", f"{app}/logo")
    assert not writer.get(app)["info"].get("logoUrl")


def pairs(setting: Json, **changed: str) -> list[Json]:
    values = {each["name"]: each["value"] for each in setting["values"]} | changed
    return [{"name": name, "value": value} for name, value in values.items()]


def test_settings_of_a_template_are_written_as_a_whole(writer: Client) -> None:
    setting = writer.get(SETTINGS)["value"][0]
    path = f"{SETTINGS}/{setting['id']}"
    assert (setting["displayName"], len(setting["values"])) == ("Group.Unified", 15)
    writer.refused("PATCH", path, {"values": [{"name": "AllowToAddGuests", "value": "true"}]})
    writer.done("PATCH", path, {"values": pairs(setting, AllowToAddGuests="true")})
    changed = {each["name"]: each["value"] for each in writer.get(path)["values"]}
    assert changed["AllowToAddGuests"] == "true"
    writer.refused("PATCH", path, {"values": pairs(setting, AllowToAddGuests="maybe")})
    writer.refused("PATCH", path, {"values": pairs(setting, Unheard="of")})
    writer.refused("PATCH", path, {"templateId": CONSENT})
    writer.refused("POST", SETTINGS, {"templateId": GROUPS_OF_TENANT, "values": []}, status=409)
    writer.done("DELETE", path)
    assert writer.post(SETTINGS, {"templateId": GROUPS_OF_TENANT, "values": []})["id"] != setting["id"]


def test_v1_knows_the_settings_of_groups_and_beta_all(writer: Client) -> None:
    beta = writer.in_beta()
    created = beta.post("/settings", {"templateId": CONSENT, "values": []})
    assert created["displayName"] == "Consent Policy Settings"
    assert {each["displayName"] for each in beta.get("/settings")["value"]} == {
        "Group.Unified",
        "Password Rule Settings",
        "Consent Policy Settings",
    }
    assert [each["displayName"] for each in writer.get(SETTINGS)["value"]] == ["Group.Unified"]
    writer.refused("GET", f"{SETTINGS}/{created['id']}", status=404)
    assert len(beta.get("/directorySettingTemplates")["value"]) == 5
    assert len(writer.get("/groupSettingTemplates")["value"]) == 5
    writer.refused("GET", "/settings")
    beta.done("DELETE", f"/settings/{created['id']}")


def test_a_group_has_settings_of_its_own(writer: Client) -> None:
    group = writer.get("/groups")["value"][0]["id"]
    path = f"/groups/{group}/settings"
    body = {"templateId": OF_ONE_GROUP, "values": [{"name": "AllowToAddGuests", "value": "false"}]}
    created = writer.post(path, body)
    writer.refused("POST", path, body, status=409)
    writer.refused("POST", path, {"templateId": CONSENT, "values": []})
    writer.refused("POST", SETTINGS, body)
    writer.refused("POST", SETTINGS, {"templateId": NOBODY, "values": []})
    writer.done("DELETE", f"{path}/{created['id']}")


@pytest.mark.parametrize(
    ("path", "body", "wrong"),
    [
        ("/admin/forms", {"settings": {"isExternalSendFormEnabled": False}}, {"settings": {"isOpen": True}}),
        ("/admin/todo", {"settings": {"isExternalShareEnabled": True}}, {"settings": "all"}),
        (
            "/admin/appsAndServices",
            {"settings": {"isOfficeStoreEnabled": False}},
            {"isOfficeStoreEnabled": True},
        ),
        ("/admin/dynamics", {"customerVoice": {"isRestrictedSurveyAccessEnabled": True}}, {"settings": {}}),
    ],
)
def test_settings_of_beta_replace_their_block(writer: Client, path: str, body: Json, wrong: Json) -> None:
    writer.refused("GET", path)
    beta = writer.in_beta()
    beta.done("PATCH", path, body)
    (block, sent), *_ = body.items()
    found = beta.get(path)[block]
    assert {name: value for name, value in found.items() if value is not None} == sent
    beta.refused("PATCH", path, wrong)


@pytest.mark.parametrize(
    ("path", "body", "wrong"),
    [
        ("/admin/sharepoint/settings", {"sharingCapability": "disabled"}, {"sharingCapability": "everybody"}),
        (
            "/admin/sharepoint/settings",
            {"deletedUserPersonalSiteRetentionPeriodInDays": 365},
            {"deletedUserPersonalSiteRetentionPeriodInDays": 5},
        ),
        (
            "/admin/sharepoint/settings",
            {"isLoopEnabled": False},
            {"availableManagedPathsForSiteCreation": ["/sites/"]},
        ),
        (
            "/admin/microsoft365Apps/installationOptions",
            {"updateChannel": "semiAnnual"},
            {"updateChannel": "weekly"},
        ),
        ("/admin/reportSettings", {"displayConcealedNames": False}, {"displayConcealedNames": None}),
        ("/admin/people/pronouns", {"isEnabledInOrganization": True}, {"isEnabledInOrganization": "yes"}),
        ("/admin/people/namePronunciation", {"isEnabledInOrganization": True}, {"enabled": True}),
        ("/admin/people/itemInsights", {"isEnabledInOrganization": False}, {"disabledForGroup": NOBODY}),
        ("/admin/people/photoUpdateSettings", {"source": "onPremises"}, {"source": 1}),
    ],
)
def test_settings_of_microsoft_365(
    emulator: Emulator, tenant: TenantInfo, reader: Client, writer: Client, path: str, body: Json, wrong: Json
) -> None:
    logged = len(emulator.state(tenant.directory_id).audits)
    assert writer.send("PATCH", path, body).status_code in {200, 204}
    found = reader.get(path)
    assert {name: found[name] for name in body} == body
    writer.refused("PATCH", path, wrong)
    reader.refused("PATCH", path, body, status=403)
    assert len(emulator.state(tenant.directory_id).audits) == logged


def test_profile_card_properties_are_known_by_their_name(writer: Client) -> None:
    created = writer.post(CARDS, {"directoryPropertyName": "fax", "annotations": []})
    assert "id" not in created
    writer.refused("POST", CARDS, {"directoryPropertyName": "fax"}, status=409)
    writer.refused("POST", CARDS, {"directoryPropertyName": "shoeSize"})
    writer.refused("POST", CARDS, {"directoryPropertyName": "customAttribute2", "annotations": []})
    changed = {"annotations": [{"displayName": "Team", "localizations": []}]}
    assert (
        writer.send("PATCH", f"{CARDS}/customAttribute1", changed).json()["annotations"][0]["displayName"]
        == "Team"
    )
    writer.done("DELETE", f"{CARDS}/fax")


def test_synchronization_features_are_changed_one_by_one(writer: Client, tenant: TenantInfo) -> None:
    path = f"/directory/onPremisesSynchronization/{tenant.directory_id}"
    writer.done("PATCH", path, {"features": {"blockSoftMatchEnabled": False}})
    features = writer.get(path)["features"]
    assert (features["blockSoftMatchEnabled"], features["softMatchOnUpnEnabled"]) == (False, True)
    writer.refused("PATCH", path, {"features": {"everything": True}})


def test_licences_of_groups_have_an_action(emulator: Emulator, tenant: TenantInfo, writer: Client) -> None:
    group = writer.get("/groups?$filter=displayName eq 'All Staff'")["value"][0]["id"]
    sku = writer.get("/subscribedSkus")["value"][0]
    plan = sku["servicePlans"][0]["servicePlanId"]
    path = f"/groups/{group}/assignLicense"
    licence = {"skuId": sku["skuId"], "disabledPlans": [plan]}
    assert writer.send("POST", path, {"addLicenses": [licence], "removeLicenses": []}).status_code == 202
    assert writer.get(f"/groups/{group}?$select=assignedLicenses")["assignedLicenses"] == [licence]
    for wrong in (
        {"addLicenses": [licence]},
        {"addLicenses": [{"skuId": NOBODY}], "removeLicenses": []},
        {"addLicenses": [{**licence, "disabledPlans": [NOBODY]}], "removeLicenses": []},
        {"addLicenses": [], "removeLicenses": [NOBODY]},
    ):
        writer.refused("POST", path, wrong)
    writer.refused("PATCH", f"/groups/{group}", {"assignedLicenses": []})
    writer.send("POST", path, {"addLicenses": [], "removeLicenses": [sku["skuId"]]})
    assert writer.get(f"/groups/{group}?$select=assignedLicenses")["assignedLicenses"] == []
    assert emulator.state(tenant.directory_id).audits[-1].body["activityDisplayName"] == "Set group license"


def test_mail_settings_and_labels_of_groups(writer: Client) -> None:
    news = writer.get("/groups?$filter=displayName eq 'Aurora Dental News'")["value"][0]["id"]
    writer.done("PATCH", f"/groups/{news}", {"hideFromAddressLists": True})
    assert writer.get(f"/groups/{news}?$select=hideFromAddressLists")["hideFromAddressLists"] is True
    listed = writer.get("/groups?$select=id,hideFromAddressLists")["value"]
    assert all("hideFromAddressLists" not in each for each in listed)
    label = [{"labelId": "0e2f5f0d-6c1b-4d0c-9d29-3a1f6e1c7b11"}]
    writer.done("PATCH", f"/groups/{news}", {"assignedLabels": label})
    staff = writer.get("/groups?$filter=displayName eq 'All Staff'")["value"][0]["id"]
    writer.refused("PATCH", f"/groups/{staff}", {"assignedLabels": label})
