"""What the demo's tenants have configured in Intune: little of everything, assigned to their groups."""

from typing import Any

from lavawall.emulator import entities, registry
from lavawall.emulator.seed.builder import TenantBuilder, stable_guid
from lavawall.emulator.seed.intune_base import ANTIVIRUS_TEMPLATE, FIREWALL_TEMPLATE
from lavawall.emulator.store import Json, Record
from lavawall.emulator.types.intune import intents
from lavawall.emulator.types.intune.rbac import assign_role

TYPE = "#microsoft.graph."
DEVICES = "Managed Windows Devices"
PEOPLE = "All Staff"


class Estate:
    """One tenant while its Intune is being configured."""

    def __init__(self, builder: TenantBuilder) -> None:
        self.builder = builder
        directory = builder.directory
        self.groups = {
            name: str(group.id)
            for name in (DEVICES, PEOPLE)
            if (group := directory.by_property("group", "displayName", name)) is not None
        }
        self.tag = ""
        self.filter = ""
        self.message = ""

    def policy(
        self, kind: str, group: str, body: Json, *, filtered: bool = False, **assignment: Any
    ) -> Record:
        """A policy assigned to a group, for corporate devices only where `filtered`."""
        record = self.builder.add(kind, body, name=str(body.get("displayName") or body.get("name")))
        self.assign(record, group, filtered=filtered, **assignment)
        return record

    def assign(self, record: Record, group: str, *, filtered: bool = False, **assignment: Any) -> None:
        target: Json = {"@odata.type": f"{TYPE}groupAssignmentTarget", "groupId": self.groups[group]}
        if filtered:
            target |= {
                "deviceAndAppManagementAssignmentFilterId": self.filter,
                "deviceAndAppManagementAssignmentFilterType": "include",
            }
        entities.create(
            self.builder.session(),
            registry.kind(f"{record.type_name}/assignment"),
            {"target": target, **assignment},
            parent_id=record.id,
        )

    def ground(self) -> None:
        """What policies refer to, and who may change them."""
        builder = self.builder
        number = builder.directory.numbers
        number["roleScopeTag"] += 1
        self.tag = builder.add(
            "roleScopeTag",
            {"displayName": "Branch devices", "description": "Devices outside the head office"},
            computed={"id": str(number["roleScopeTag"])},
        ).id
        self.filter = builder.add(
            "deviceAndAppManagementAssignmentFilter",
            {
                "displayName": "Corporate Windows devices",
                "platform": "windows10AndLater",
                "rule": '(device.deviceOwnership -eq "Corporate")',
            },
        ).id
        self.message = builder.add(
            "notificationMessageTemplate",
            {"displayName": "Device needs attention", "brandingOptions": "includeCompanyName"},
        ).id
        builder.add(
            "localizedNotificationMessage",
            {
                "locale": "en-us",
                "subject": "Your device needs attention",
                "messageTemplate": "Please install the pending updates.",
                "isDefault": True,
            },
            name="en-us",
            parent_id=self.message,
        )
        role = builder.add(
            "roleDefinition",
            {
                "@odata.type": f"{TYPE}deviceAndAppManagementRoleDefinition",
                "displayName": "Branch device reader",
                "rolePermissions": [
                    {
                        "resourceActions": [
                            {
                                "allowedResourceActions": ["Microsoft.Intune_ManagedDevices_Read"],
                                "notAllowedResourceActions": [],
                            }
                        ]
                    }
                ],
                "roleScopeTagIds": [self.tag],
            },
        )
        assign_role(
            builder.session(),
            registry.kind("deviceAndAppManagementRoleAssignment"),
            {
                "displayName": "Branch device readers",
                "members": [self.groups[PEOPLE]],
                "resourceScopes": [self.groups[DEVICES]],
                "roleDefinition@odata.bind": f"/deviceManagement/roleDefinitions('{role.id}')",
            },
            {"id": builder.guid("intune", "Branch device readers")},
        )

    def devices(self) -> None:
        """Configuration and compliance of devices."""
        self.policy(
            "deviceConfiguration",
            DEVICES,
            {
                "@odata.type": f"{TYPE}windows10GeneralConfiguration",
                "displayName": "Windows baseline",
                "passwordRequired": True,
                "passwordMinimumLength": 8,
                "screenCaptureBlocked": False,
            },
            filtered=True,
        )
        self.policy(
            "deviceConfiguration",
            DEVICES,
            {
                "@odata.type": f"{TYPE}windows10CustomConfiguration",
                "displayName": "Windows custom settings",
                "roleScopeTagIds": [self.tag],
                "omaSettings": [
                    {
                        "@odata.type": f"{TYPE}omaSettingString",
                        "displayName": "Proxy account",
                        "omaUri": "./Vendor/MSFT/Policy/Config/Lavawall/ProxyAccount",
                        "value": "svc-proxy",
                    },
                    {
                        "@odata.type": f"{TYPE}omaSettingInteger",
                        "displayName": "Idle minutes",
                        "omaUri": "./Vendor/MSFT/Policy/Config/Lavawall/IdleMinutes",
                        "value": 10,
                    },
                ],
            },
        )
        self.policy(
            "deviceCompliancePolicy",
            PEOPLE,
            {
                "@odata.type": f"{TYPE}windows10CompliancePolicy",
                "displayName": "Windows must be healthy",
                "bitLockerEnabled": True,
                "secureBootEnabled": True,
                "osMinimumVersion": "10.0.22631",
                "scheduledActionsForRule": [self._rule(block_after=24)],
            },
        )
        self.policy(
            "deviceConfiguration",
            DEVICES,
            {
                "@odata.type": f"{TYPE}windowsUpdateForBusinessConfiguration",
                "displayName": "Windows updates",
                "automaticUpdateMode": "windowsDefault",
                "featureUpdatesDeferralPeriodInDays": 30,
                "qualityUpdatesDeferralPeriodInDays": 7,
            },
        )
        lock = {"actionType": "remoteLock", "gracePeriodHours": 168}
        rule = self._rule(block_after=48)
        rule["scheduledActionConfigurations"].append(lock)
        self.policy(
            "deviceCompliancePolicy",
            PEOPLE,
            {
                "@odata.type": f"{TYPE}androidDeviceOwnerCompliancePolicy",
                "displayName": "Android must be healthy",
                "localActions": [],
                "passwordRequired": True,
                "passwordMinimumLength": 6,
                "securityRequiredAndroidSafetyNetEvaluationType": "hardwareBacked",
                "storageRequireEncryption": True,
                "scheduledActionsForRule": [rule],
            },
        )
        self.policy(
            "deviceManagementCompliancePolicy",
            PEOPLE,
            {
                "name": "Linux must be encrypted",
                "platforms": "linux",
                "technologies": "linuxMdm",
                "settings": [self._choice("linux_deviceencryption_required", "true")],
                "scheduledActionsForRule": [self._rule(block_after=0)],
            },
        )

    def _rule(self, *, block_after: int) -> Json:
        return {
            "ruleName": "PasswordRequired",
            "scheduledActionConfigurations": [
                {"actionType": "block", "gracePeriodHours": block_after},
                {"actionType": "notification", "notificationTemplateId": self.message},
            ],
        }

    @staticmethod
    def _choice(name: str, option: str) -> Json:
        return {
            "settingInstance": {
                "@odata.type": f"{TYPE}deviceManagementConfigurationChoiceSettingInstance",
                "settingDefinitionId": name,
                "choiceSettingValue": {"value": f"{name}_{option}", "children": []},
            }
        }

    @staticmethod
    def _simple(name: str, value: Json) -> Json:
        return {
            "settingInstance": {
                "@odata.type": f"{TYPE}deviceManagementConfigurationSimpleSettingInstance",
                "settingDefinitionId": name,
                "simpleSettingValue": value,
            }
        }

    def catalogue(self) -> None:
        """Policies of the settings catalogue, one of them from a template."""
        self.policy(
            "deviceManagementConfigurationPolicy",
            DEVICES,
            {
                "name": "Defender antivirus",
                "platforms": "windows10",
                "technologies": "mdm,microsoftSense",
                "templateReference": {"templateId": ANTIVIRUS_TEMPLATE},
                "settings": [
                    self._choice("defender_realtimemonitoring", "1"),
                    self._choice("defender_cloudprotection", "1"),
                ],
            },
            filtered=True,
        )
        secret = {
            "@odata.type": f"{TYPE}deviceManagementConfigurationSecretSettingValue",
            "value": "enrol-me",
            "valueState": "notEncrypted",
        }
        servers = [
            {"@odata.type": f"{TYPE}deviceManagementConfigurationStringSettingValue", "value": name}
            for name in ("vpn-1.example.com", "vpn-2.example.com")
        ]
        self.policy(
            "deviceManagementConfigurationPolicy",
            DEVICES,
            {
                "name": "Remote access",
                "platforms": "windows10",
                "technologies": "mdm",
                "settings": [
                    self._simple("remoteaccess_sharedkey", secret),
                    {
                        "settingInstance": {
                            "@odata.type": f"{TYPE}deviceManagementConfigurationSimpleSettingCollectionInstance",
                            "settingDefinitionId": "remoteaccess_servers",
                            "simpleSettingCollectionValue": servers,
                        }
                    },
                ],
            },
        )
        network = {
            "@odata.type": f"{TYPE}deviceManagementConfigurationStringSettingValue",
            "value": "10.0.0.0/8",
        }
        self.builder.add(
            "deviceManagementReusablePolicySetting",
            {"displayName": "Head office network", **self._simple("firewall_remoteaddresses", network)},
        )

    def templates(self) -> None:
        """Administrative templates and endpoint security of the first generation."""
        policy = self.policy(
            "groupPolicyConfiguration", DEVICES, {"displayName": "BitLocker by template"}, filtered=True
        )
        name, label = "Choose drive encryption method", "Encryption method"
        value = self.builder.add(
            "groupPolicyDefinitionValue",
            {"enabled": True, "configurationType": "policy"},
            name=name,
            parent_id=policy.id,
        )
        value.links["definition"][stable_guid("admx", name)] = None
        presented = self.builder.add(
            "groupPolicyPresentationValue",
            {"@odata.type": f"{TYPE}groupPolicyPresentationValueText", "value": "7"},
            name=f"{name}/{label}",
            parent_id=value.id,
        )
        presented.links["presentation"][stable_guid("admx", name, label)] = None
        intent = intents.make_intent(
            self.builder.session(),
            registry.kind("deviceManagementIntent"),
            FIREWALL_TEMPLATE,
            {"displayName": "Firewall of branches"},
            [],
            {"id": self.builder.guid("intune", "Firewall of branches")},
        )
        self.assign(intent, DEVICES)
