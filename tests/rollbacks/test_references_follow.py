"""Every kind of reference, attacked by deleting what it names: afterwards the emulator's own state names the new id.

The references here stand where nobody would look for one: in lists of apps and mail recipients, inside the text of a
rule, in settings of a kiosk, deep in a settings catalog, in a redirect address.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import pytest

from tests.rollbacks.conftest import Scene

DEVICES, APPS = "/beta/deviceManagement", "/beta/deviceAppManagement"
GROUPS, DELETED = "/v1.0/groups", "/v1.0/directory/deletedItems"
TYPE = "#microsoft.graph."
SETTING = f"{TYPE}deviceManagementConfiguration"

Ids = Mapping[str, str]


@dataclass(frozen=True)
class Named:
    """Something that is named: how it is made, and the requests that delete it for good."""

    path: str
    body: dict[str, Any]
    type: str
    purge: str = ""
    stays_in_use: bool = False
    """Microsoft refuses to delete it while something names it."""


@dataclass(frozen=True)
class Naming:
    """Something that names it: given the ids of what is named, its body; and where its ids can be seen."""

    path: str
    body: Callable[[Ids], dict[str, Any]]
    type: str
    names: tuple[str, ...]
    companion: str = ""
    """Where the part that names it is read, below the object."""
    then: tuple[str, Callable[[Ids], dict[str, Any]]] | None = None
    """An action below the object that completes it, and its body."""


NAMED = {
    "group": Named(
        GROUPS,
        {"displayName": "Named", "mailEnabled": False, "securityEnabled": True, "mailNickname": "named"},
        "group",
        purge=DELETED,
    ),
    "app": Named(
        f"{APPS}/mobileApps",
        {
            "@odata.type": f"{TYPE}webApp",
            "displayName": "Named app",
            "publisher": "Us",
            "appUrl": "https://x.example",
        },
        "mobileApp",
    ),
    "vpn": Named(
        f"{DEVICES}/deviceConfigurations",
        {"@odata.type": f"{TYPE}iosVpnConfiguration", "displayName": "Named VPN"},
        "deviceConfiguration",
    ),
    "message": Named(
        f"{DEVICES}/notificationMessageTemplates",
        {"displayName": "Named message"},
        "notificationMessageTemplate",
        stays_in_use=True,
    ),
    "shared": Named(
        f"{DEVICES}/reusablePolicySettings",
        {
            "displayName": "Named setting",
            "settingInstance": {
                "@odata.type": f"{SETTING}SimpleSettingInstance",
                "settingDefinitionId": "firewall_remoteaddresses",
                "simpleSettingValue": {"@odata.type": f"{SETTING}StringSettingValue", "value": "10.0.0.0/8"},
            },
        },
        "deviceManagementReusablePolicySetting",
        stays_in_use=True,
    ),
}


def _blocking(**notified: Any) -> list[dict[str, Any]]:
    actions = [
        {"actionType": "block", "gracePeriodHours": 72},
        {"actionType": "notification", "gracePeriodHours": 0, **notified},
    ]
    return [{"ruleName": "PasswordRequired", "scheduledActionConfigurations": actions}]


def _kiosk(ids: Ids) -> dict[str, Any]:
    def uwp(name: str) -> dict[str, Any]:
        return {
            "@odata.type": f"{TYPE}windowsKioskUWPApp",
            "name": name,
            "appId": ids["app"],
            "appUserModelId": "Us.App!App",
        }

    user = {"@odata.type": f"{TYPE}windowsKioskAzureADGroup", "displayName": "Named", "groupId": ids["group"]}
    single = {"@odata.type": f"{TYPE}windowsKioskSingleUWPApp", "uwpApp": uwp("One")}
    several = {"@odata.type": f"{TYPE}windowsKioskMultipleApps", "apps": [uwp("Of many")]}
    return {
        "@odata.type": f"{TYPE}windowsKioskConfiguration",
        "displayName": "Naming kiosk",
        "kioskProfiles": [
            {
                "profileId": f"profile-{number}",
                "profileName": f"Profile {number}",
                "appConfiguration": configuration,
                "userAccountsConfiguration": [user],
            }
            for number, configuration in enumerate((single, several))
        ],
    }


def _choice_with_shared_setting(ids: Ids) -> list[dict[str, Any]]:
    shared = {
        "@odata.type": f"{SETTING}SimpleSettingInstance",
        "settingDefinitionId": "outer_inner",
        "simpleSettingValue": {"@odata.type": f"{SETTING}ReferenceSettingValue", "value": ids["shared"]},
    }
    outer = {
        "@odata.type": f"{SETTING}ChoiceSettingInstance",
        "settingDefinitionId": "outer",
        "choiceSettingValue": {"value": "outer_1", "children": [shared]},
    }
    return [{"settingInstance": outer}]


def _rule(text: str) -> Callable[[Ids], dict[str, Any]]:
    return lambda ids: {
        "displayName": "Naming group",
        "mailEnabled": False,
        "securityEnabled": True,
        "mailNickname": "naming",
        "groupTypes": ["DynamicMembership"],
        "membershipRule": text.replace("GROUP", ids["group"]),
        "membershipRuleProcessingState": "On",
    }


NAMING = {
    "apps that a device waits for": Naming(
        f"{DEVICES}/deviceEnrollmentConfigurations",
        lambda ids: {
            "@odata.type": f"{TYPE}windows10EnrollmentCompletionPageConfiguration",
            "displayName": "Naming page",
            "selectedMobileAppIds": [ids["app"]],
        },
        "deviceEnrollmentConfiguration",
        ("app",),
    ),
    "what a notification sends": Naming(
        f"{DEVICES}/deviceEnrollmentConfigurations",
        lambda ids: {
            "@odata.type": f"{TYPE}deviceEnrollmentNotificationConfiguration",
            "displayName": "Naming notification",
            "notificationMessageTemplateId": ids["message"],
        },
        "deviceEnrollmentConfiguration",
        ("message",),
    ),
    "who is told that a device does not comply": Naming(
        f"{DEVICES}/deviceCompliancePolicies",
        lambda ids: {
            "@odata.type": f"{TYPE}windows10CompliancePolicy",
            "displayName": "Naming compliance",
            "scheduledActionsForRule": _blocking(
                notificationTemplateId=ids["message"], notificationMessageCCList=[ids["group"]]
            ),
        },
        "deviceCompliancePolicy",
        ("message", "group"),
        companion="scheduledActionsForRule?$expand=scheduledActionConfigurations",
    ),
    "whose members a group has": Naming(
        GROUPS, _rule("user.memberof -any (group.objectId -in ['GROUP'])"), "group", ("group",)
    ),
    "whose devices a group has": Naming(
        GROUPS, _rule('device.memberOf -any (group.objectId -in ["GROUP" , "GROUP"])'), "group", ("group",)
    ),
    "whom and what a kiosk is for": Naming(
        f"{DEVICES}/deviceConfigurations", _kiosk, "deviceConfiguration", ("group", "app")
    ),
    "which app a kiosk shows": Naming(
        f"{DEVICES}/deviceConfigurations",
        lambda ids: {
            "@odata.type": f"{TYPE}iosGeneralDeviceConfiguration",
            "displayName": "Naming iPads",
            "kioskModeManagedAppId": ids["app"],
        },
        "deviceConfiguration",
        ("app",),
    ),
    "through which network mail is read": Naming(
        f"{DEVICES}/deviceConfigurations",
        lambda ids: {
            "@odata.type": f"{TYPE}iosEasEmailProfileConfiguration",
            "displayName": "Naming mail",
            "accountName": "Mail",
            "hostName": "mail.example.com",
            "perAppVPNProfileId": ids["vpn"],
        },
        "deviceConfiguration",
        ("vpn",),
    ),
    "through which network an app talks": Naming(
        f"{APPS}/mobileApps",
        lambda _ids: {
            "@odata.type": f"{TYPE}iosStoreApp",
            "displayName": "Naming app",
            "publisher": "Us",
            "bundleId": "com.example.app",
            "appStoreUrl": "https://apps.example.com",
            "applicableDeviceType": {"iPad": True},
            "minimumSupportedOperatingSystem": {"v13_0": True},
        },
        "mobileApp",
        ("vpn", "group"),
        companion="assignments",
        then=(
            "assign",
            lambda ids: {
                "mobileAppAssignments": [
                    {
                        "intent": "required",
                        "target": {"@odata.type": f"{TYPE}groupAssignmentTarget", "groupId": ids["group"]},
                        "settings": {
                            "@odata.type": f"{TYPE}iosStoreAppAssignmentSettings",
                            "vpnConfigurationId": ids["vpn"],
                        },
                    }
                ]
            },
        ),
    ),
    "what a setting inside a choice refers to": Naming(
        f"{DEVICES}/configurationPolicies",
        lambda ids: {
            "name": "Naming policy",
            "platforms": "windows10",
            "technologies": "mdm",
            "settings": _choice_with_shared_setting(ids),
        },
        "deviceManagementConfigurationPolicy",
        ("shared",),
        companion="settings",
    ),
    "what a compliance setting refers to": Naming(
        f"{DEVICES}/compliancePolicies",
        lambda ids: {
            "name": "Naming Linux",
            "platforms": "linux",
            "technologies": "linuxMdm",
            "settings": _choice_with_shared_setting(ids),
            "scheduledActionsForRule": _blocking(notificationMessageCCList=[ids["group"]]),
        },
        "deviceManagementCompliancePolicy",
        ("shared",),
        companion="settings",
    ),
}
POLICY = "deviceManagementConfigurationPolicy"
KINDS = tuple({*(each.type for each in NAMED.values()), *(each.type for each in NAMING.values())})


@dataclass
class Estate:
    """What was made before the attack, and how to look at it afterwards."""

    scene: Scene
    ids: dict[str, str] = field(default_factory=dict)
    naming: dict[str, str] = field(default_factory=dict)

    def build(self) -> None:
        for key, named in NAMED.items():
            self.ids[key] = self.scene.intrude("POST", named.path, named.body)["id"]
        for key, each in NAMING.items():
            made = self.scene.intrude("POST", each.path, each.body(self.ids))["id"]
            self.naming[key] = made
            if each.then is not None:
                action, body = each.then
                self.scene.intrude("POST", f"{each.path}/{made}/{action}", body(self.ids))

    def attack(self, *, naming_too: bool) -> None:
        for key, each in NAMING.items() if naming_too else ():
            self.scene.intrude("DELETE", f"{each.path}/{self.naming[key]}")
        if naming_too:
            for key in self.naming:
                if NAMING[key].type == "group":
                    self.scene.intrude("DELETE", f"{DELETED}/{self.naming[key]}")
        for key, named in self.attacked(naming_too=naming_too).items():
            self.scene.intrude("DELETE", f"{named.path}/{self.ids[key]}")
            if named.purge:
                self.scene.intrude("DELETE", f"{named.purge}/{self.ids[key]}")

    @staticmethod
    def attacked(*, naming_too: bool) -> dict[str, Named]:
        return {key: each for key, each in NAMED.items() if naming_too or not each.stays_in_use}

    def texts(self) -> dict[str, str]:
        """All that the emulator tells of each object that names others, under whatever id it has now."""
        found = {}
        for key, each in NAMING.items():
            made = each.body(self.ids)
            name = made.get("displayName") or made["name"]
            by = "displayName" if "displayName" in made else "name"
            for item in self.scene.read(each.path)["value"]:
                if (
                    item.get(by) == name
                    and item.get("membershipRule", "")[:8] == made.get("membershipRule", "")[:8]
                ):
                    whole = self.scene.read(f"{each.path}/{item['id']}")
                    companion = (
                        self.scene.read(f"{each.path}/{item['id']}/{each.companion}")
                        if each.companion
                        else {}
                    )
                    found[key] = json.dumps([whole, companion])
        return found


@pytest.fixture
def estate(scene: Scene) -> Estate:
    estate = Estate(scene)
    estate.build()
    scene.tenant.required_approvals = scene.tenant.required_approvals_critical = 1
    scene.tenant.save()
    scene.observe(*KINDS)
    return estate


@pytest.mark.parametrize("naming_too", [False, True], ids=["named alone", "with what names them"])
def test_what_comes_back_under_a_new_id_is_named_by_it_everywhere(estate: Estate, naming_too: bool) -> None:
    estate.attack(naming_too=naming_too)
    rollback = estate.scene.plan(estate.scene.observe(*KINDS))
    assert rollback.plan is not None
    done = estate.scene.execute(estate.scene.signed(rollback))
    assert done.outcome == "verified", (done.message, done.verification, rollback.plan.warnings)
    moved = {each.old_id: each.new_id for each in done.remappings.all()}
    attacked = estate.attacked(naming_too=naming_too)
    assert {estate.ids[key] for key in attacked} <= moved.keys()
    texts = estate.texts()
    assert texts.keys() == NAMING.keys()
    for key, each in NAMING.items():
        for name in attacked.keys() & set(each.names):
            old = estate.ids[name]
            assert (old in texts[key], moved[old] in texts[key]) == (False, True), (key, name)


def test_an_old_id_where_nothing_re_points_it_is_told_by_its_place(scene: Scene) -> None:
    """Inside a script or a setting an id is only a text; the device knows a group by a SID made from its id."""
    group = scene.intrude("POST", GROUPS, NAMED["group"].body)["id"]
    parts = UUID(group).bytes_le
    sid = "-".join(str(int.from_bytes(parts[start : start + 4], "little")) for start in range(0, 16, 4))
    setting = {
        "@odata.type": f"{SETTING}SimpleSettingInstance",
        "settingDefinitionId": "localusersandgroups_users",
        "simpleSettingValue": {"@odata.type": f"{SETTING}StringSettingValue", "value": f"S-1-12-1-{sid}"},
    }
    scene.intrude(
        "POST",
        f"{DEVICES}/configurationPolicies",
        {
            "name": "Local administrators",
            "platforms": "windows10",
            "technologies": "mdm",
            "settings": [{"settingInstance": setting}],
        },
    )
    scene.observe("group", POLICY)
    scene.intrude("DELETE", f"{GROUPS}/{group}")
    scene.intrude("DELETE", f"{DELETED}/{group}")
    plan = scene.plan(scene.observe("group", POLICY)).plan
    assert plan is not None
    assert [
        "Local administrators" in warning and "simpleSettingValue.value" in warning
        for warning in plan.warnings
        if "contains the ID" in warning
    ] == [True]
