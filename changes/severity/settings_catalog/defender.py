"""Microsoft Defender on Windows: antivirus, attack surface reduction, cloud and network protection, onboarding.

Sources: Microsoft's reference of the Policy CSP (Defender), Defender CSP and WindowsAdvancedThreatProtection CSP;
the setting ids and options as published exports of the Settings Catalog show them (OpenIntuneBaseline 75c4825 of
SkipToTheEndpoint, Intune.Docs 1e173ea of Pacers31Colts18). An option's ending is the value of the CSP.
"""

from changes.severity.model import Severity
from changes.severity.settings_catalog.vocabulary import Amount, Declared, Entries, Options, opening, switch

HIGH, MEDIUM, LOW = Severity.HIGH, Severity.MEDIUM, Severity.LOW
POLICY, CSP = "policy_config_defender_", "defender_configuration_"
ASR = f"{POLICY}attacksurfacereductionrules_"

RULES = (
    ("blockabuseofexploitedvulnerablesigneddrivers", "abuse of vulnerable signed drivers", HIGH),
    ("blockadobereaderfromcreatingchildprocesses", "child processes of Adobe Reader", HIGH),
    ("blockallofficeapplicationsfromcreatingchildprocesses", "child processes of Office applications", HIGH),
    (
        "blockcredentialstealingfromwindowslocalsecurityauthoritysubsystem",
        "credential stealing from LSASS",
        HIGH,
    ),
    ("blockexecutablecontentfromemailclientandwebmail", "executable content from email and webmail", HIGH),
    (
        "blockexecutablefilesrunningunlesstheymeetprevalenceagetrustedlistcriterion",
        "executables that are rare, new or untrusted",
        HIGH,
    ),
    ("blockexecutionofpotentiallyobfuscatedscripts", "obfuscated scripts", HIGH),
    (
        "blockjavascriptorvbscriptfromlaunchingdownloadedexecutablecontent",
        "scripts that launch downloaded executables",
        HIGH,
    ),
    (
        "blockofficeapplicationsfromcreatingexecutablecontent",
        "executable content created by Office applications",
        HIGH,
    ),
    (
        "blockofficeapplicationsfrominjectingcodeintootherprocesses",
        "code injection by Office applications",
        HIGH,
    ),
    (
        "blockofficecommunicationappfromcreatingchildprocesses",
        "child processes of Office communication applications",
        HIGH,
    ),
    ("blockpersistencethroughwmieventsubscription", "persistence through WMI event subscriptions", HIGH),
    ("blockprocesscreationsfrompsexecandwmicommands", "processes created by PsExec and WMI", HIGH),
    ("blockrebootingmachineinsafemode", "rebooting in safe mode", HIGH),
    ("blockuntrustedunsignedprocessesthatrunfromusb", "untrusted processes from USB drives", HIGH),
    ("blockuseofcopiedorimpersonatedsystemtools", "copied or impersonated system tools", HIGH),
    ("blockwebshellcreationforservers", "web shells on servers", HIGH),
    ("blockwin32apicallsfromofficemacros", "Win32 API calls from Office macros", HIGH),
    ("useadvancedprotectionagainstransomware", "ransomware", HIGH),
)

THREATS = ("severethreats", "highseveritythreats", "moderateseveritythreats", "lowseveritythreats")

SETTINGS: tuple[Declared, ...] = (
    # `_0` means On here, unlike almost all other settings.
    switch(f"{CSP}tamperprotection_options", "tamper protection", HIGH, on="0", off="1"),
    switch(f"{POLICY}allowrealtimemonitoring", "real-time protection", HIGH),
    switch(f"{POLICY}allowbehaviormonitoring", "behaviour monitoring", HIGH),
    switch(f"{POLICY}allowcloudprotection", "cloud protection", HIGH),
    switch(f"{POLICY}allowioavprotection", "scanning of downloads and attachments", HIGH),
    switch(f"{POLICY}allowonaccessprotection", "on-access protection", HIGH),
    switch(f"{POLICY}allowscriptscanning", "script scanning", HIGH),
    switch(f"{POLICY}allowintrusionpreventionsystem", "network intrusion prevention", HIGH),
    switch(f"{POLICY}allowarchivescanning", "archive scanning", MEDIUM),
    switch(f"{POLICY}allowemailscanning", "email scanning", MEDIUM),
    switch(f"{POLICY}allowscanningnetworkfiles", "scanning of network files", MEDIUM),
    switch(f"{POLICY}allowfullscanonmappednetworkdrives", "full scans of mapped network drives", LOW),
    switch(f"{POLICY}allowfullscanremovabledrivescanning", "full scans of removable drives", MEDIUM),
    switch(f"{POLICY}checkforsignaturesbeforerunningscan", "the signature check before scans", LOW),
    switch(f"{POLICY}disablecatchupfullscan", "the catch-up full scan", LOW, on="0", off="1"),
    switch(f"{POLICY}disablecatchupquickscan", "the catch-up quick scan", LOW, on="0", off="1"),
    Options(
        f"{POLICY}realtimescandirection",
        "real-time scanning",
        MEDIUM,
        ("1=for incoming files only|2=for outgoing files only", "0=for all files"),
        not_set="0",
    ),
    Options(
        f"{POLICY}cloudblocklevel",
        "the cloud block level",
        MEDIUM,
        ("0=default", "2=high", "4=high plus", "6=zero tolerance"),
        not_set="0",
    ),
    Options(
        f"{POLICY}submitsamplesconsent",
        "sample submission",
        MEDIUM,
        ("2=never", "0=on request", "1=automatic for safe samples", "3=automatic"),
    ),
    Options(
        f"{POLICY}puaprotection",
        "protection against unwanted applications",
        MEDIUM,
        ("0=off", "2=audit", "1=block"),
        not_set="0",
        off_until="2",
    ),
    Options(
        f"{POLICY}enablenetworkprotection",
        "network protection",
        HIGH,
        ("0=off", "2=audit", "1=block"),
        not_set="0",
        off_until="2",
    ),
    Options(
        f"{POLICY}enablecontrolledfolderaccess",
        "controlled folder access",
        HIGH,
        ("0=off", "4=audit for disk writes", "2=audit", "3=block for disk writes", "1=block"),
        not_set="0",
        off_until="2",
    ),
    *(
        Options(
            f"{POLICY}threatseveritydefaultaction_{threat}",
            f"the action on {threat.replace('threats', ' threats').replace('severity', ' severity')}",
            HIGH,
            (
                "allow=allow",
                "userdefined=chosen by the user",
                "clean=clean|quarantine=quarantine|remove=remove|block=block",
            ),
        )
        for threat in THREATS
    ),
    *(
        Options(
            f"{ASR}{name}",
            f"the rule against {what}",
            severity,
            ("off=off", "audit=audit", "warn=warn", "block=block"),
            not_set="off",
            off_until="audit",
        )
        for name, what, severity in RULES
    ),
    Entries(f"{ASR}*_perruleexclusions", "the exclusions from an attack surface reduction rule", HIGH),
    Entries(
        f"{POLICY}attacksurfacereductiononlyexclusions",
        "the exclusions from attack surface reduction rules",
        HIGH,
    ),
    Entries(f"{POLICY}excludedpaths", "the folders and files excluded from scans", HIGH),
    Entries(f"{POLICY}excludedextensions", "the file types excluded from scans", HIGH),
    Entries(f"{POLICY}excludedprocesses", "the processes whose files are excluded from scans", HIGH),
    Entries(
        f"{POLICY}controlledfolderaccessallowedapplications",
        "the applications that controlled folder access allows",
        MEDIUM,
    ),
    Entries(
        f"{POLICY}controlledfolderaccessprotectedfolders",
        "the protected folders",
        MEDIUM,
        adding_weakens=False,
    ),
    Amount(
        f"{POLICY}signatureupdateinterval",
        "the interval of signature updates in hours",
        MEDIUM,
        more_protects=False,
        zero_is_none=True,
        not_set=8,
    ),
    switch(
        f"{CSP}disablelocaladminmerge", "the ban on exclusions by local administrators", MEDIUM, not_set="0"
    ),
    switch(f"{CSP}hideexclusionsfromlocaladmins", "hiding exclusions from local administrators", LOW),
    switch(f"{CSP}hideexclusionsfromlocalusers", "hiding exclusions from local users", LOW),
    switch(f"{CSP}quickscanincludeexclusions", "scanning of excluded files in quick scans", LOW, not_set="0"),
    switch(f"{CSP}oobeenablertpandsigupdate", "real-time protection during setup", LOW, not_set="0"),
    switch(f"{CSP}enablednssinkhole", "the DNS sinkhole", MEDIUM),
    switch(f"{CSP}allownetworkprotectiondownlevel", "network protection on older systems", MEDIUM),
    switch(f"{CSP}allownetworkprotectiononwinserver", "network protection on Windows Server", MEDIUM),
    switch(f"{CSP}meteredconnectionupdates", "updates over metered connections", LOW, not_set="0"),
    switch(f"{CSP}disablegradualrelease", "updates at once", LOW, not_set="0"),
    *(
        switch(
            f"{CSP}disable{protocol}parsing", f"inspection of {what}", MEDIUM, on="0", off="1", not_set="0"
        )
        for protocol, what in (
            ("dns", "DNS"),
            ("dnsovertcp", "DNS over TCP"),
            ("ftp", "FTP"),
            ("http", "HTTP"),
            ("rdp", "RDP"),
            ("smtp", "SMTP"),
            ("ssh", "SSH"),
            ("tls", "TLS"),
        )
    ),
    switch(
        f"{CSP}disableinboundconnectionfiltering",
        "filtering of inbound connections",
        MEDIUM,
        on="0",
        off="1",
        not_set="0",
    ),
    Options(
        "windowsadvancedthreatprotection_configurationtype",
        "onboarding to Defender for Endpoint",
        HIGH,
        ("offboard=off", "autofromconnector=automatic|onboard=by package"),
    ),
    Options(
        "windowsadvancedthreatprotection_configuration_samplesharing",
        "sample sharing with Defender for Endpoint",
        LOW,
        ("0=off", "1=on"),
    ),
    switch("policy_config_webthreatdefense_serviceenabled", "enhanced phishing protection", MEDIUM),
    switch(
        "policy_config_webthreatdefense_notifymalicious", "warnings about malicious sign-in pages", MEDIUM
    ),
    switch("policy_config_webthreatdefense_notifypasswordreuse", "warnings about reused passwords", LOW),
    switch("policy_config_webthreatdefense_notifyunsafeapp", "warnings about unsafe password storage", LOW),
    switch("policy_config_smartscreen_enablesmartscreeninshell", "SmartScreen", MEDIUM),
    switch(
        "policy_config_smartscreen_preventoverrideforfilesinshell", "the ban on ignoring SmartScreen", MEDIUM
    ),
    switch("policy_config_admx_windowsexplorer_enablesmartscreen", "SmartScreen", MEDIUM),
    Options(
        "policy_config_admx_windowsexplorer_enablesmartscreen_enablesmartscreendropdown",
        "SmartScreen",
        MEDIUM,
        ("warn=warn", "block=block"),
    ),
    switch("policy_config_browser_allowsmartscreen", "SmartScreen in the browser", MEDIUM),
    switch(
        "policy_config_browser_preventsmartscreenpromptoverride", "the ban on ignoring SmartScreen", MEDIUM
    ),
    switch("policy_config_microsoft_edge*~smartscreen_smartscreenenabled", "SmartScreen in Edge", MEDIUM),
    switch(
        "policy_config_microsoft_edge*~smartscreen_smartscreenpuaenabled",
        "SmartScreen against unwanted applications in Edge",
        LOW,
    ),
    switch(
        "policy_config_microsoft_edge*~smartscreen_preventsmartscreenpromptoverride",
        "the ban on ignoring SmartScreen in Edge",
        MEDIUM,
    ),
    switch(
        "policy_config_microsoft_edge*~smartscreen_preventsmartscreenpromptoverrideforfiles",
        "the ban on ignoring SmartScreen for downloads in Edge",
        MEDIUM,
    ),
    opening(
        "policy_config_microsoft_edge*_sslerroroverrideallowed", "ignoring certificate errors in Edge", MEDIUM
    ),
)
