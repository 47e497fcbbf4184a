"""Settings of the Settings Catalog: graded by their declared meaning, wherever in a policy they stand.

The ids and options are those of published exports and of Microsoft's CSP reference.
"""

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from changes.severity.engine import grade
from changes.severity.model import Direction, Severity, Subject
from changes.severity.rules.intune.policy_settings import COMPLIANCE_SETTINGS
from changes.severity.settings_catalog import DECLARED, declared
from changes.severity.settings_catalog.vocabulary import Amount, Entries, Options
from tests.changes.severity.casebook import Case

CATALOG = "deviceManagementConfigurationPolicy"
POLICY = "device_vendor_msft_policy_config_"
ASR = f"{POLICY}defender_attacksurfacereductionrules"
LSASS = f"{ASR}_blockcredentialstealingfromwindowslocalsecurityauthoritysubsystem"
FIREWALL = "vendor_msft_firewall_mdmstore_"
RULE = f"{FIREWALL}firewallrules_{{firewallrulename}}"
TAMPER = "vendor_msft_defender_configuration_tamperprotection_options"
FILEVAULT = "com.apple.mcx.filevault2"
GRAPH = "#microsoft.graph.deviceManagementConfiguration"

Instance = dict[str, Any]


def chosen(name: str, option: str, *children: Instance) -> Instance:
    return {
        "@odata.type": f"{GRAPH}ChoiceSettingInstance",
        "settingDefinitionId": name,
        "choiceSettingValue": {"value": f"{name}_{option}", "children": list(children)},
    }


def simple(name: str, value: str | int) -> Instance:
    return {
        "@odata.type": f"{GRAPH}SimpleSettingInstance",
        "settingDefinitionId": name,
        "simpleSettingValue": {"value": value},
    }


def listing(name: str, *values: str) -> Instance:
    return {
        "@odata.type": f"{GRAPH}SimpleSettingCollectionInstance",
        "settingDefinitionId": name,
        "simpleSettingCollectionValue": [{"value": value} for value in values],
    }


def group(name: str, *groups: list[Instance]) -> Instance:
    return {
        "@odata.type": f"{GRAPH}GroupSettingCollectionInstance",
        "settingDefinitionId": name,
        "groupSettingCollectionValue": [{"children": children} for children in groups],
    }


def policy(*instances: Instance) -> dict[str, Any]:
    return {"name": "Hardening", "settings": [{"settingInstance": each} for each in instances]}


def asr(option: str) -> dict[str, Any]:
    return policy(group(ASR, [chosen(LSASS, option)]))


def filevault(option: str) -> dict[str, Any]:
    return policy(group(f"{FILEVAULT}_{FILEVAULT}", [chosen(f"{FILEVAULT}_enable", option)]))


def rule(name: str, action: str, direction: str = "in", enabled: str = "1") -> list[Instance]:
    return [
        simple(f"{RULE}_name", name),
        chosen(f"{RULE}_action_type", action),
        chosen(f"{RULE}_direction", direction),
        chosen(f"{RULE}_enabled", enabled),
    ]


def firewall(*rules: list[Instance]) -> dict[str, Any]:
    return policy(group(RULE, *rules))


def both_ways(name: str, strong: dict[str, Any], weak: dict[str, Any], severity: str) -> list[Case]:
    """A loss, and its reverse, which is a gain."""
    title = f"{name}: {severity}"
    return [
        Case(title, "intune-catalog", CATALOG, strong, weak, severity, "weakens"),
        Case(f"{title}, reversed", "intune-catalog", CATALOG, weak, strong, "low", "strengthens"),
    ]


def options(name: str, strong: str, weak: str, severity: str) -> list[Case]:
    return both_ways(f"{name} {weak}", policy(chosen(name, strong)), policy(chosen(name, weak)), severity)


def removed(name: str, option: str, severity: str) -> list[Case]:
    return both_ways(f"{name} not set", policy(chosen(name, option)), policy(), severity)


def amounts(name: str, strong: int, weak: int, severity: str) -> list[Case]:
    return both_ways(name, policy(simple(name, strong)), policy(simple(name, weak)), severity)


def neutral(title: str, before: dict[str, Any] | None, after: dict[str, Any] | None) -> Case:
    return Case(title, "intune-catalog", CATALOG, before, after, "medium", "neutral")


def silent(title: str, before: dict[str, Any] | None, after: dict[str, Any] | None) -> Case:
    return Case(title, "intune-catalog", CATALOG, before, after, None)


REALTIME = f"{POLICY}defender_allowrealtimemonitoring"
UAC = f"{POLICY}localpoliciessecurityoptions_useraccountcontrol_"
CASES = [
    *options(TAMPER, "0", "1", "high"),
    *removed(TAMPER, "0", "medium"),
    *options(REALTIME, "1", "0", "high"),
    *removed(REALTIME, "1", "medium"),
    *options(f"{POLICY}defender_allowcloudprotection", "1", "0", "high"),
    *options(f"{POLICY}defender_enablenetworkprotection", "1", "0", "high"),
    *options(f"{POLICY}defender_enablenetworkprotection", "1", "2", "high"),
    *removed(f"{POLICY}defender_enablenetworkprotection", "1", "high"),
    *options(f"{POLICY}defender_puaprotection", "1", "0", "medium"),
    *options(f"{POLICY}defender_enablecontrolledfolderaccess", "1", "2", "high"),
    *options(f"{POLICY}defender_enablecontrolledfolderaccess", "1", "3", "medium"),
    *options(f"{POLICY}defender_cloudblocklevel", "2", "0", "medium"),
    *both_ways("ASR off", asr("block"), asr("off"), "high"),
    *both_ways("ASR audit", asr("block"), asr("audit"), "high"),
    *both_ways("ASR warn", asr("block"), asr("warn"), "medium"),
    *both_ways("ASR rules gone", asr("block"), policy(), "high"),
    *both_ways("FileVault", filevault("0"), filevault("1"), "high"),
    *both_ways("FileVault gone", filevault("0"), policy(), "high"),
    *options(f"{FIREWALL}publicprofile_enablefirewall", "true", "false", "high"),
    *options(f"{FIREWALL}domainprofile_defaultinboundaction", "1", "0", "high"),
    *options(f"{FIREWALL}privateprofile_allowlocalpolicymerge", "false", "true", "medium"),
    *both_ways(
        "a child of a choice",
        policy(
            chosen(
                f"{FIREWALL}publicprofile_enablefirewall",
                "true",
                chosen(f"{FIREWALL}publicprofile_defaultinboundaction", "1"),
            )
        ),
        policy(
            chosen(
                f"{FIREWALL}publicprofile_enablefirewall",
                "true",
                chosen(f"{FIREWALL}publicprofile_defaultinboundaction", "0"),
            )
        ),
        "high",
    ),
    *both_ways(
        "an open port", firewall(rule("Web", "0")), firewall(rule("Web", "0"), rule("RDP", "1")), "medium"
    ),
    *both_ways(
        "a block lifted", firewall(rule("SMB", "0")), firewall(rule("SMB", "0", enabled="0")), "medium"
    ),
    neutral("an outbound rule", firewall(), firewall(rule("Proxy", "1", "out"))),
    *options("device_vendor_msft_bitlocker_requiredeviceencryption", "1", "0", "high"),
    *removed("device_vendor_msft_bitlocker_requiredeviceencryption", "1", "high"),
    *options("device_vendor_msft_laps_policies_backupdirectory", "1", "0", "high"),
    *amounts("device_vendor_msft_laps_policies_passwordlength", 21, 8, "low"),
    *options(f"{POLICY}deviceguard_lsacfgflags", "1", "0", "high"),
    *options(f"{POLICY}deviceguard_lsacfgflags", "1", "2", "medium"),
    *options(f"{POLICY}localsecurityauthority_configurelsaprotectedprocess", "1", "0", "high"),
    *options(f"{POLICY}smartscreen_enablesmartscreeninshell", "1", "0", "medium"),
    *options(
        f"{POLICY}microsoft_edge~policy~microsoft_edge~smartscreen_smartscreenenabled", "1", "0", "medium"
    ),
    *options(f"{POLICY}update_allowautoupdate", "4", "5", "high"),
    *options(f"{POLICY}update_pausequalityupdates", "0", "1", "medium"),
    *amounts(f"{POLICY}update_deferqualityupdatesperiodindays", 0, 30, "medium"),
    *both_ways(
        "a new deferral",
        policy(),
        policy(simple(f"{POLICY}update_deferqualityupdatesperiodindays", 14)),
        "medium",
    ),
    *amounts(f"{POLICY}update_configuredeadlineforqualityupdates", 2, 30, "medium"),
    *options(f"{UAC}runalladministratorsinadminapprovalmode", "1", "0", "high"),
    *options(f"{UAC}behavioroftheelevationpromptforadministrators", "2", "0", "high"),
    *options(f"{UAC}behavioroftheelevationpromptforadministrators", "2", "5", "medium"),
    # 0 requires a password here.
    *options(f"{POLICY}devicelock_devicepasswordenabled", "0", "1", "high"),
    *amounts(f"{POLICY}devicelock_mindevicepasswordlength", 8, 4, "medium"),
    *amounts(f"{POLICY}devicelock_maxinactivitytimedevicelock", 5, 0, "medium"),
    *options(f"{POLICY}mssecurityguide_wdigestauthentication", "0", "1", "high"),
    *options(f"{POLICY}mssecurityguide_configuresmbv1server", "0", "1", "high"),
    *options(f"{POLICY}audit_accountlogonlogoff_auditlogon", "3", "0", "medium"),
    *options(
        "user_vendor_msft_policy_config_word16v2~policy~l_microsoftofficeword~l_wordoptions~l_security"
        "~l_trustcenter_l_blockmacroexecutionfrominternet",
        "1",
        "0",
        "high",
    ),
    *options("com.apple.systempolicy.control_enableassessment", "true", "false", "high"),
    *options("com.apple.mobiledevice.passwordpolicy_forcepin", "true", "false", "high"),
    *options("passcode_requirepasscode", "true", "false", "high"),
    *options("com.apple.security.firewall_enablefirewall", "true", "false", "high"),
    # Linux and macOS count the modes of antivirus in opposite directions.
    *options("com.apple.managedclient.preferences_enforcementlevel_antivirusengine", "2", "0", "high"),
    *options("linux_mdatp_managed_antivirusengine_enforcementlevel", "0", "2", "high"),
    *both_ways(
        "an exclusion",
        policy(listing(f"{POLICY}defender_excludedpaths", "C:\\A")),
        policy(listing(f"{POLICY}defender_excludedpaths", "C:\\A", "C:\\B")),
        "high",
    ),
    *both_ways(
        "an exclusion from one rule",
        policy(group(ASR, [chosen(LSASS, "block")])),
        policy(group(ASR, [chosen(LSASS, "block"), listing(f"{LSASS}_perruleexclusions", "C:\\tool.exe")])),
        "high",
    ),
    *both_ways(
        "a protected folder",
        policy(listing(f"{POLICY}defender_controlledfolderaccessprotectedfolders", "C:\\Data")),
        policy(listing(f"{POLICY}defender_controlledfolderaccessprotectedfolders")),
        "medium",
    ),
    *both_ways(
        "a holder of a right",
        policy(listing(f"{POLICY}userrights_debugprograms", "*S-1-5-32-544")),
        policy(listing(f"{POLICY}userrights_debugprograms", "*S-1-5-32-544", "*S-1-1-0")),
        "medium",
    ),
    *both_ways(
        "a denied right",
        policy(listing(f"{POLICY}userrights_denyaccessfromnetwork", "*S-1-5-113")),
        policy(listing(f"{POLICY}userrights_denyaccessfromnetwork")),
        "medium",
    ),
    # An id that speaks of exclusions, of a setting that scans excluded files as well.
    Case(
        "exclusions in quick scans",
        "intune-catalog",
        CATALOG,
        policy(chosen(REALTIME, "1")),
        policy(
            chosen(REALTIME, "1"),
            chosen("device_vendor_msft_defender_configuration_quickscanincludeexclusions", "1"),
        ),
        "low",
        "strengthens",
    ),
    neutral("an unknown setting", policy(chosen("contoso_defender_exclusions", "1")), policy()),
    neutral(
        "an unknown option",
        policy(chosen(REALTIME, "1")),
        policy(chosen("wallpaper", "2"), chosen(REALTIME, "1")),
    ),
    silent("nothing", policy(chosen(REALTIME, "1")), {**policy(chosen(REALTIME, "1")), "name": "New name"}),
    silent("a policy that protects appeared", None, policy(chosen(REALTIME, "1"))),
    silent(
        "an unknown option of a known setting", policy(chosen(REALTIME, "7")), policy(chosen(REALTIME, "9"))
    ),
    Case(
        "a policy that turns protection off appeared",
        "intune-catalog",
        CATALOG,
        None,
        policy(chosen(REALTIME, "0")),
        "high",
        "weakens",
    ),
    *(
        Case(
            f"compliance: {severity}",
            "intune-catalog",
            "deviceManagementCompliancePolicy",
            policy(chosen("linux_deviceencryption_required", before)),
            policy(chosen("linux_deviceencryption_required", after)),
            severity,
            direction,
        )
        for before, after, severity, direction in (
            ("true", "false", "high", "weakens"),
            ("false", "true", "low", "strengthens"),
        )
    ),
]


def test_a_reason_says_what_became_of_what() -> None:
    (finding,) = grade(Subject(CATALOG, "p", asr("block"), asr("off"))).findings
    assert (
        finding.reason
        == "Hardening: the rule against credential stealing from LSASS is off instead of block."
    )


def test_many_losses_are_told_by_the_worst() -> None:
    names = [f"{POLICY}defender_{name}" for name in ("allowrealtimemonitoring", "allowarchivescanning")]
    names += [f"{POLICY}audit_system_{number}" for number in range(9)]
    before, after = (policy(*(chosen(name, option) for name in names)) for option in ("1", "0"))
    (finding,) = grade(Subject(CATALOG, "p", before, after)).findings
    assert finding.severity is Severity.HIGH
    assert finding.reason.startswith("Hardening: real-time protection is off instead of on; ")


def test_what_gets_stricter_does_not_hide_what_is_unknown() -> None:
    before = policy(chosen(REALTIME, "0"), chosen("wallpaper", "1"))
    after = policy(chosen(REALTIME, "1"), chosen("wallpaper", "2"))
    findings = grade(Subject(CATALOG, "p", before, after)).findings
    assert [finding.direction for finding in findings] == [Direction.NEUTRAL, Direction.STRENGTHENS]
    assert "wallpaper" in findings[0].reason


@pytest.mark.parametrize("prefix", ["device_vendor_msft_", "user_vendor_msft_", "vendor_msft_", ""])
def test_a_setting_is_known_for_devices_and_for_users(prefix: str) -> None:
    assert declared(f"{prefix}policy_config_Defender_AllowRealtimeMonitoring") is not None


def test_no_setting_is_declared_twice() -> None:
    ids = [each.id for each in DECLARED]
    assert sorted(set(ids)) == sorted(ids)


@pytest.mark.parametrize(
    "setting", [each for each in DECLARED if isinstance(each, Options)], ids=lambda each: each.id
)
def test_every_step_of_a_choice_is_better_than_the_one_before(setting: Options) -> None:
    endings = [step.split("|")[0].partition("=")[0] for step in setting.steps]
    assert len(endings) > 1
    for weaker, stronger in pairwise(endings):
        gain, loss = setting.effect([weaker], [stronger]), setting.effect([stronger], [weaker])
        assert gain is not None
        assert loss is not None
        assert (gain.direction, loss.direction) == (Direction.STRENGTHENS, Direction.WEAKENS)
    for name in (setting.not_set, setting.off_until):
        assert name in (
            "",
            *(option.partition("=")[0] for step in setting.steps for option in step.split("|")),
        )
    off = setting.effect([endings[-1]], [endings[0]])
    assert off is not None
    assert off.severity is setting.severity


@pytest.mark.parametrize(
    "setting", [each for each in DECLARED if not isinstance(each, Options)], ids=lambda each: each.id
)
def test_numbers_and_lists_have_a_direction(setting: Amount | Entries) -> None:
    weak, strong = (["1"], ["5"]) if isinstance(setting, Amount) and setting.more_protects else (["5"], ["1"])
    if isinstance(setting, Entries):
        weak, strong = (["a"], []) if setting.adding_weakens else ([], ["a"])
    effect = setting.effect(strong, weak)
    assert effect is not None
    assert (effect.direction, effect.severity) == (Direction.WEAKENS, setting.severity)


def test_every_property_of_compliance_policies_is_watched_or_known_to_protect_nothing() -> None:
    schema = json.loads(Path("lavawall/emulator/data/schema.json").read_text())["types"]
    watched = {each.path.partition("/")[0] for each in COMPLIANCE_SETTINGS}  # type: ignore[attr-defined]
    policies = {name for name, each in schema.items() if each.get("base") == "deviceCompliancePolicy"}
    asked = {key for name in policies for key in schema[name].get("properties", {})}
    assert len(policies) > 5
    assert asked - watched <= {
        # Upper bounds of versions and forced changes of passwords: stricter is not safer.
        # What a device does by itself once it is found not compliant.
        "localActions",
        "mobileOsMaximumVersion",
        "osMaximumBuildVersion",
        "osMaximumVersion",
        "passcodeExpirationDays",
        "passwordExpirationDays",
        "workProfilePasswordExpirationInDays",
        # A condition and a list of distributions that other settings apply to.
        "conditionStatementId",
        "wslDistributions",
    }
