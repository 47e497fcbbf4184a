"""macOS and iOS: FileVault, Gatekeeper, firewall, passcode, updates, Microsoft Defender.

Sources: Apple's reference of configuration profile payloads and declarative management; the setting ids, options and
defaults of Intune-Settings-Catalog-Documentation of snodecoder (a published dump of the Settings Catalog) and of
OpenIntuneBaseline 75c4825 of SkipToTheEndpoint.
"""

from changes.severity.model import Severity
from changes.severity.settings_catalog.vocabulary import Amount, Declared, Entries, Options, opening, switch

HIGH, MEDIUM, LOW = Severity.HIGH, Severity.MEDIUM, Severity.LOW
PASSWORD, WDAV = "com.apple.mobiledevice.passwordpolicy_", "com.apple.managedclient.preferences_"


def _on(definition_id: str, what: str, severity: Severity, not_set: str = "") -> Options:
    return switch(definition_id, what, severity, on="true", off="false", not_set=not_set)


def _allowed(definition_id: str, what: str, severity: Severity, not_set: str = "") -> Options:
    return opening(definition_id, what, severity, allowed="true", blocked="false", not_set=not_set)


SETTINGS: tuple[Declared, ...] = (
    switch("com.apple.mcx.filevault2_enable", "FileVault", HIGH, on="0", off="1", not_set="1"),
    _on(
        "com.apple.mcx.filevault2_forceenableinsetupassistant",
        "FileVault in the setup assistant",
        MEDIUM,
        "false",
    ),
    _on("com.apple.mcx_dontallowfdedisable", "the ban on turning FileVault off", MEDIUM, "false"),
    _allowed("com.apple.mcx_enableguestaccount", "the guest account", MEDIUM),
    _on("com.apple.systempolicy.control_enableassessment", "Gatekeeper", HIGH),
    _allowed(
        "com.apple.systempolicy.control_allowidentifieddevelopers", "apps of identified developers", LOW
    ),
    _on("com.apple.systempolicy.managed_disableoverride", "the ban on bypassing Gatekeeper", MEDIUM, "false"),
    _on("com.apple.security.firewall_enablefirewall", "the firewall", HIGH, "false"),
    _on(
        "com.apple.security.firewall_blockallincoming",
        "the block of all incoming connections",
        MEDIUM,
        "false",
    ),
    _on("com.apple.security.firewall_enablestealthmode", "stealth mode", LOW, "false"),
    _on("com.apple.screensaver_askforpassword", "the password after the screen saver", MEDIUM),
    Amount(
        "com.apple.screensaver_askforpassworddelay",
        "the seconds until the password is asked",
        LOW,
        more_protects=False,
    ),
    _on("com.apple.loginwindow_disableconsoleaccess", "the ban on console sign-in", LOW, "false"),
    _on(f"{PASSWORD}forcepin", "the passcode", HIGH, "false"),
    _on(f"{PASSWORD}requirealphanumeric", "the alphanumeric passcode", MEDIUM, "false"),
    _allowed(f"{PASSWORD}allowsimple", "simple passcodes", MEDIUM, "true"),
    Amount(f"{PASSWORD}minlength", "the length of the passcode", MEDIUM, more_protects=True),
    Amount(f"{PASSWORD}mincomplexchars", "the special characters in the passcode", LOW, more_protects=True),
    Amount(f"{PASSWORD}pinhistory", "the remembered passcodes", LOW, more_protects=True),
    Amount(f"{PASSWORD}maxfailedattempts", "the allowed failed attempts", MEDIUM, more_protects=False),
    Amount(
        f"{PASSWORD}maxinactivity",
        "the minutes until the device locks",
        MEDIUM,
        more_protects=False,
        zero_is_none=True,
    ),
    Amount(f"{PASSWORD}maxgraceperiod", "the minutes until the passcode is asked", LOW, more_protects=False),
    _on("passcode_requirepasscode", "the passcode", HIGH, "false"),
    _on("passcode_requirealphanumericpasscode", "the alphanumeric passcode", MEDIUM, "false"),
    _on("passcode_requirecomplexpasscode", "the complex passcode", MEDIUM, "false"),
    Amount("passcode_minimumlength", "the length of the passcode", MEDIUM, more_protects=True),
    Amount(
        "passcode_minimumcomplexcharacters", "the special characters in the passcode", LOW, more_protects=True
    ),
    Amount("passcode_passcodereuselimit", "the remembered passcodes", LOW, more_protects=True),
    Amount("passcode_maximumfailedattempts", "the allowed failed attempts", MEDIUM, more_protects=False),
    Amount(
        "passcode_maximuminactivityinminutes",
        "the minutes until the device locks",
        MEDIUM,
        more_protects=False,
        zero_is_none=True,
    ),
    Amount(
        "passcode_maximumgraceperiodinminutes",
        "the minutes until the passcode is asked",
        LOW,
        more_protects=False,
    ),
    _allowed(
        "com.apple.applicationaccess_allowpasscodemodification",
        "changes of the passcode by people",
        LOW,
        "true",
    ),
    *(
        Options(
            f"softwareupdate_automaticactions_{name}",
            what,
            severity,
            ("2=always off", "0=chosen by the user", "1=always on"),
            not_set="0",
        )
        for name, what, severity in (
            ("installsecurityupdate", "the automatic installation of security updates", HIGH),
            ("installosupdates", "the automatic installation of system updates", MEDIUM),
            ("download", "the automatic download of updates", LOW),
        )
    ),
    _on("softwareupdate_rapidsecurityresponse_enable", "rapid security responses", HIGH, "true"),
    _allowed(
        "softwareupdate_rapidsecurityresponse_enablerollback",
        "the removal of rapid security responses",
        LOW,
        "true",
    ),
    Amount(
        "softwareupdate_deferrals_minorperiodindays",
        "the deferral of minor updates in days",
        MEDIUM,
        more_protects=False,
        not_set=0,
    ),
    Amount(
        "softwareupdate_deferrals_majorperiodindays",
        "the deferral of major updates in days",
        LOW,
        more_protects=False,
        not_set=0,
    ),
    Amount(
        "softwareupdate_deferrals_combinedperiodindays",
        "the deferral of updates in days",
        MEDIUM,
        more_protects=False,
        not_set=0,
    ),
    Amount(
        "ddm-latestsoftwareupdate_delayindays",
        "the days until the latest update is enforced",
        LOW,
        more_protects=False,
    ),
    _on("com.apple.softwareupdate_automaticcheckenabled", "the check for updates", MEDIUM),
    _on(
        "com.apple.softwareupdate_automaticallyinstallmacosupdates",
        "the installation of macOS updates",
        MEDIUM,
    ),
    _on("com.apple.softwareupdate_criticalupdateinstall", "the installation of critical updates", HIGH),
    _on("com.apple.softwareupdate_configdatainstall", "the installation of malware definitions", HIGH),
    _allowed("com.apple.softwareupdate_allowprereleaseinstallation", "pre-release versions", LOW),
    Options(
        f"{WDAV}enforcementlevel_antivirusengine",
        "Defender antivirus",
        HIGH,
        ("0=passive", "1=on demand", "2=in real time"),
        not_set="0",
    ),
    Options(
        f"{WDAV}enforcementlevel_tamperprotection",
        "tamper protection",
        HIGH,
        ("0=off", "1=audit", "2=block"),
        off_until="1",
    ),
    Options(
        f"{WDAV}enforcementlevel", "network protection", HIGH, ("0=off", "1=audit", "2=block"), off_until="1"
    ),
    Options(
        f"{WDAV}cloudblocklevel",
        "the cloud block level",
        MEDIUM,
        ("0=normal", "1=moderate", "2=high", "3=high plus", "4=zero tolerance"),
        not_set="0",
    ),
    _on(f"{WDAV}enabled", "cloud protection", HIGH, "true"),
    _on(f"{WDAV}enablerealtimeprotection", "real-time protection", HIGH, "true"),
    _on(f"{WDAV}automaticdefinitionupdateenabled", "updates of malware definitions", HIGH, "true"),
    _on(f"{WDAV}automaticsamplesubmission", "sample submission", LOW, "true"),
    _on(f"{WDAV}scanarchives", "archive scanning", MEDIUM, "true"),
    _on(f"{WDAV}scanafterdefinitionupdate", "the scan after new definitions", LOW, "true"),
    Options(
        f"{WDAV}exclusionsmergepolicy",
        "who may exclude files from scans",
        MEDIUM,
        ("0=everybody", "1=administrators only"),
        not_set="0",
    ),
    Entries(f"{WDAV}allowedthreats", "the allowed threats", HIGH),
    Entries(
        f"{WDAV}disallowedthreatactions", "the actions that people may not take", LOW, adding_weakens=False
    ),
    Entries(f"{WDAV}exclusions_item_path", "the paths excluded from scans", HIGH),
    Entries(f"{WDAV}exclusions_item_extension", "the file types excluded from scans", HIGH),
    Entries(f"{WDAV}exclusions_item_name", "the processes excluded from scans", HIGH),
    Entries(f"{WDAV}exclusions_item_path_tamperprotection", "the processes that may tamper", HIGH),
    _on(f"{WDAV}smartscreenenabled", "SmartScreen in Edge", MEDIUM),
    _on(f"{WDAV}smartscreenpuaenabled", "SmartScreen against unwanted applications in Edge", LOW),
    _on(
        f"{WDAV}preventsmartscreenpromptoverride", "the ban on ignoring SmartScreen in Edge", MEDIUM, "false"
    ),
    _on(
        f"{WDAV}preventsmartscreenpromptoverrideforfiles",
        "the ban on ignoring SmartScreen for downloads in Edge",
        MEDIUM,
        "false",
    ),
)
