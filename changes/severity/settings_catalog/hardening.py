"""Hardening of Windows and Office: user account control, sign-in protocols, user rights, auditing, macros.

Sources: Microsoft's reference of the Policy CSP (LocalPoliciesSecurityOptions, MSSecurityGuide, LanmanWorkstation,
RemoteManagement, ApplicationManagement, UserRights, Audit, Autoplay) and of the Office policies; setting ids and
options as in OpenIntuneBaseline 75c4825 of SkipToTheEndpoint. An administrative template is 1 where it is enabled.
"""

from changes.severity.model import Severity
from changes.severity.settings_catalog.vocabulary import Amount, Declared, Entries, Options, opening, switch

HIGH, MEDIUM, LOW = Severity.HIGH, Severity.MEDIUM, Severity.LOW
OPTIONS = "policy_config_localpoliciessecurityoptions_"
UAC = f"{OPTIONS}useraccountcontrol_"
GUIDE = "policy_config_mssecurityguide_"

_UAC: tuple[Declared, ...] = (
    switch(f"{UAC}runalladministratorsinadminapprovalmode", "user account control", HIGH),
    Options(
        f"{UAC}behavioroftheelevationpromptforadministrators",
        "the elevation prompt for administrators",
        HIGH,
        (
            "0=off",
            "5=consent for other programs than Windows",
            "4=consent",
            "3=credentials",
            "2=consent on the secure desktop",
            "1=credentials on the secure desktop",
        ),
        not_set="5",
    ),
    Options(
        f"{UAC}behavioroftheelevationpromptforstandardusers",
        "the elevation prompt for standard users",
        LOW,
        ("3=credentials", "1=credentials on the secure desktop", "0=denied"),
        not_set="3",
    ),
    switch(
        f"{UAC}switchtothesecuredesktopwhenpromptingforelevation", "the secure desktop for elevation", MEDIUM
    ),
    switch(f"{UAC}useadminapprovalmode", "approval for the built-in administrator", MEDIUM, not_set="0"),
    switch(f"{UAC}detectapplicationinstallationsandpromptforelevation", "the detection of installers", LOW),
    switch(
        f"{UAC}onlyelevateuiaccessapplicationsthatareinstalledinsecurelocations",
        "the limit on programs with UI access",
        LOW,
    ),
)

_SIGN_IN: tuple[Declared, ...] = (
    opening(f"{OPTIONS}accounts_enableguestaccountstatus", "the guest account", MEDIUM),
    switch(
        f"{OPTIONS}accounts_limitlocalaccountuseofblankpasswordstoconsolelogononly",
        "the limit on blank passwords",
        MEDIUM,
    ),
    switch(
        f"{OPTIONS}microsoftnetworkclient_digitallysigncommunicationsalways",
        "SMB signing by the client",
        MEDIUM,
    ),
    switch(
        f"{OPTIONS}microsoftnetworkserver_digitallysigncommunicationsalways",
        "SMB signing by the server",
        MEDIUM,
    ),
    opening(
        f"{OPTIONS}microsoftnetworkclient_sendunencryptedpasswordtothirdpartysmbservers",
        "unencrypted passwords to SMB servers",
        MEDIUM,
    ),
    switch(
        f"{OPTIONS}networkaccess_donotallowanonymousenumerationofsamaccounts",
        "the ban on anonymous enumeration of accounts",
        MEDIUM,
    ),
    switch(
        f"{OPTIONS}networkaccess_donotallowanonymousenumerationofsamaccountsandshares",
        "the ban on anonymous enumeration of accounts and shares",
        MEDIUM,
    ),
    switch(
        f"{OPTIONS}networkaccess_restrictanonymousaccesstonamedpipesandshares",
        "the limit on anonymous access to pipes and shares",
        MEDIUM,
    ),
    switch(
        f"{OPTIONS}networksecurity_donotstorelanmanagerhashvalueonnextpasswordchange",
        "the ban on LAN Manager hashes",
        MEDIUM,
    ),
    Options(
        f"{OPTIONS}networksecurity_lanmanagerauthenticationlevel",
        "the LAN Manager authentication level",
        MEDIUM,
        (
            "0=LM and NTLM",
            "1=LM and NTLM, NTLMv2 session security if negotiated",
            "2=NTLM",
            "3=NTLMv2",
            "4=NTLMv2, LM refused",
            "5=NTLMv2, LM and NTLM refused",
        ),
        not_set="3",
    ),
    switch(
        f"{GUIDE}applyuacrestrictionstolocalaccountsonnetworklogon",
        "restrictions on local accounts over the network",
        MEDIUM,
    ),
    switch(
        f"{GUIDE}enablestructuredexceptionhandlingoverwriteprotection",
        "structured exception handling protection",
        LOW,
    ),
    opening(f"{GUIDE}wdigestauthentication", "WDigest authentication", HIGH),
    opening(f"{GUIDE}configuresmbv1server", "the SMB 1 server", HIGH),
    Options(
        f"{GUIDE}configuresmbv1clientdriver_pol_secguide_smb1clientdriver",
        "the SMB 1 client",
        MEDIUM,
        ("2=automatic|3=manual", "4=off"),
    ),
    opening("policy_config_lanmanworkstation_enableinsecureguestlogons", "insecure guest sign-ins", MEDIUM),
    switch("policy_config_lanmanworkstation_requireencryption", "SMB encryption", LOW, not_set="0"),
    switch("policy_config_lanmanserver_enableauthratelimiter", "the limit on SMB sign-in attempts", LOW),
    opening(
        "policy_config_remotemanagement_allowbasicauthentication_client",
        "basic authentication for WinRM",
        MEDIUM,
    ),
    opening(
        "policy_config_remotemanagement_allowbasicauthentication_service",
        "basic authentication for WinRM",
        MEDIUM,
    ),
    opening(
        "policy_config_remotemanagement_allowunencryptedtraffic_client", "unencrypted WinRM traffic", MEDIUM
    ),
    opening(
        "policy_config_remotemanagement_allowunencryptedtraffic_service", "unencrypted WinRM traffic", MEDIUM
    ),
    switch(
        "policy_config_remotemanagement_disallowdigestauthentication", "the ban on digest authentication", LOW
    ),
    switch(
        "policy_config_remotedesktopservices_promptforpassworduponconnection",
        "the password prompt of remote desktop",
        LOW,
    ),
    switch(
        "policy_config_remotedesktopservices_requiresecurerpccommunication",
        "secure RPC for remote desktop",
        LOW,
    ),
    switch(
        "policy_config_remotedesktopservices_donotallowpasswordsaving",
        "the ban on saved remote desktop passwords",
        LOW,
    ),
    switch(
        "policy_config_remotedesktopservices_donotallowdriveredirection",
        "the ban on drives in remote desktop",
        LOW,
    ),
    switch(
        "policy_config_credentialsdelegation_remotehostallowsdelegationofnonexportablecredentials",
        "delegation of credentials that cannot be exported",
        LOW,
        not_set="0",
    ),
)

_CODE: tuple[Declared, ...] = (
    opening(
        "policy_config_applicationmanagement_msialwaysinstallwithelevatedprivileges",
        "installation with elevated rights",
        HIGH,
    ),
    opening(
        "policy_config_applicationmanagement_msiallowusercontroloverinstall",
        "user control over installations",
        MEDIUM,
    ),
    opening("policy_config_applicationmanagement_allowdeveloperunlock", "developer mode", MEDIUM),
    opening("policy_config_applicationmanagement_allowalltrustedapps", "sideloading of apps", LOW),
    switch("policy_config_autoplay_turnoffautoplay", "the ban on AutoPlay", LOW),
    switch(
        "policy_config_autoplay_disallowautoplayfornonvolumedevices",
        "the ban on AutoPlay for other devices",
        LOW,
    ),
    switch(
        "policy_config_storage_removablediskdenywriteaccess",
        "the ban on writing to removable disks",
        MEDIUM,
        not_set="0",
    ),
    switch(
        "policy_config_windowspowershell_turnonpowershellscriptblocklogging",
        "the log of PowerShell scripts",
        MEDIUM,
    ),
    switch(
        "policy_config_admx_auditsettings_includecmdline", "command lines in process events", LOW, not_set="0"
    ),
    switch("policy_config_*_l_blockmacroexecutionfrominternet", "the ban on macros from the internet", HIGH),
    Options(
        "policy_config_*_l_vbawarningspolicy_l_empty*",
        "the execution of macros",
        HIGH,
        ("1=on without warning", "2=off with a warning", "3=off unless signed", "4=off"),
    ),
    *(
        switch(
            f"policy_config_*~l_protectedview_l_{name}", f"Protected View for {what}", MEDIUM, on="0", off="1"
        )
        for name, what in (
            ("donotopenfilesfromtheinternetzoneinprotectedview", "files from the internet"),
            ("donotopenfilesinunsafelocationsinprotectedview", "files in unsafe places"),
            ("turnoffprotectedviewforattachmentsopenedfromoutlook", "attachments"),
        )
    ),
)

_GRANTED_RIGHTS = (
    ("accesscredentialmanagerastrustedcaller", "access Credential Manager as a trusted caller"),
    ("accessfromnetwork", "access the computer from the network"),
    ("actaspartoftheoperatingsystem", "act as part of the operating system"),
    ("allowlocallogon", "sign in locally"),
    ("backupfilesanddirectories", "back up files"),
    ("createtoken", "create tokens"),
    ("debugprograms", "debug programs"),
    ("enabledelegation", "enable delegation"),
    ("impersonateclient", "impersonate a client"),
    ("loadunloaddevicedrivers", "load device drivers"),
    ("manageauditingandsecuritylog", "manage the security log"),
    ("modifyfirmwareenvironment", "modify firmware values"),
    ("remoteshutdown", "shut the computer down from the network"),
    ("restorefilesanddirectories", "restore files"),
    ("takeownership", "take ownership"),
)
_DENIED_RIGHTS = (
    ("denyaccessfromnetwork", "access the computer from the network"),
    ("denylocallogon", "sign in locally"),
    ("denylogonasbatchjob", "sign in as a batch job"),
    ("denylogonasservice", "sign in as a service"),
    ("denyremotedesktopserviceslogon", "sign in by remote desktop"),
)
_RIGHTS: tuple[Declared, ...] = (
    *(
        Entries(f"policy_config_userrights_{name}", f"the accounts that may {what}", MEDIUM)
        for name, what in _GRANTED_RIGHTS
    ),
    *(
        Entries(
            f"policy_config_userrights_{name}",
            f"the accounts that must not {what}",
            MEDIUM,
            adding_weakens=False,
        )
        for name, what in _DENIED_RIGHTS
    ),
)

_AUDIT: tuple[Declared, ...] = (
    # All subcategories of this CSP have the same options.
    Options(
        "policy_config_audit_*",
        "a part of the audit log",
        MEDIUM,
        ("0=off", "1=success|2=failure", "3=success and failure"),
    ),
    Amount(
        "policy_config_admx_eventlog_channel_logmaxsize_*_channel_logmaxsize",
        "the size of an event log in KB",
        LOW,
        more_protects=True,
    ),
)

SETTINGS: tuple[Declared, ...] = (*_UAC, *_SIGN_IN, *_CODE, *_RIGHTS, *_AUDIT)
