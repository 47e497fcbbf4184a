"""Windows itself: firewall, BitLocker, local administrator passwords, virtualisation-based security, updates, lock.

Sources: Microsoft's reference of the Firewall, BitLocker, LAPS, PassportForWork and DMClient CSPs and of the Policy
CSP (DeviceGuard, LocalSecurityAuthority, DeviceLock, Update, VirtualizationBasedTechnology); setting ids and options
as in published exports of the Settings Catalog (OpenIntuneBaseline 75c4825 of SkipToTheEndpoint, Intune.Docs 1e173ea
of Pacers31Colts18, Intune-Settings-Catalog-Documentation of snodecoder for LAPS).
"""

from changes.severity.model import Severity
from changes.severity.settings_catalog.vocabulary import Amount, Declared, Options, opening, switch

HIGH, MEDIUM, LOW = Severity.HIGH, Severity.MEDIUM, Severity.LOW
FIREWALL, BITLOCKER, LAPS = "firewall_mdmstore_", "bitlocker_", "laps_policies_"
LOCK, UPDATE = "policy_config_devicelock_", "policy_config_update_"
HELLO = "passportforwork_{tenantid}_policies_"

_PROFILES = ("domain", "private", "public")
_FIREWALL: tuple[Declared, ...] = tuple(
    setting
    for profile in _PROFILES
    for setting in (
        switch(
            f"{FIREWALL}{profile}profile_enablefirewall",
            f"the firewall in {profile} networks",
            HIGH,
            on="true",
            off="false",
        ),
        Options(
            f"{FIREWALL}{profile}profile_defaultinboundaction",
            f"the default for inbound connections in {profile} networks",
            HIGH,
            ("0=allow", "1=block"),
        ),
        Options(
            f"{FIREWALL}{profile}profile_defaultoutboundaction",
            f"the default for outbound connections in {profile} networks",
            MEDIUM,
            ("0=allow", "1=block"),
            not_set="0",
        ),
        switch(
            f"{FIREWALL}{profile}profile_disablestealthmode",
            f"stealth mode in {profile} networks",
            LOW,
            on="false",
            off="true",
        ),
        opening(
            f"{FIREWALL}{profile}profile_allowlocalpolicymerge",
            f"local firewall rules in {profile} networks",
            MEDIUM,
            allowed="true",
            blocked="false",
        ),
        opening(
            f"{FIREWALL}{profile}profile_allowlocalipsecpolicymerge",
            f"local connection security rules in {profile} networks",
            LOW,
            allowed="true",
            blocked="false",
        ),
        switch(
            f"{FIREWALL}{profile}profile_shielded",
            f"shielded mode in {profile} networks",
            MEDIUM,
            on="true",
            off="false",
            not_set="false",
        ),
        switch(
            f"{FIREWALL}{profile}profile_enablelogdroppedpackets",
            f"the log of dropped packets in {profile} networks",
            LOW,
            on="true",
            off="false",
            not_set="false",
        ),
    )
)

_ENCRYPTION = ("3=AES-CBC 128", "4=AES-CBC 256|6=XTS-AES 128", "7=XTS-AES 256")
_BITLOCKER: tuple[Declared, ...] = (
    switch(f"{BITLOCKER}requiredeviceencryption", "BitLocker device encryption", HIGH, not_set="0"),
    switch(
        f"{BITLOCKER}systemdrivesrequirestartupauthentication",
        "authentication at startup",
        MEDIUM,
        not_set="0",
    ),
    switch(
        f"{BITLOCKER}fixeddrivesrequireencryption",
        "the ban on writing to unencrypted fixed drives",
        MEDIUM,
        not_set="0",
    ),
    switch(
        f"{BITLOCKER}removabledrivesrequireencryption",
        "the ban on writing to unencrypted removable drives",
        MEDIUM,
        not_set="0",
    ),
    opening(
        f"{BITLOCKER}systemdrivesrequirestartupauthentication_configurenontpmstartupkeyusage_name",
        "BitLocker without a TPM",
        LOW,
    ),
    *(
        switch(
            f"{BITLOCKER}{drives}drivesrecoveryoptions_{kind}requireactivedirectorybackup_name",
            f"the backup of recovery keys before {what} drives are encrypted",
            MEDIUM,
            not_set="0",
        )
        for drives, kind, what in (("system", "os", "system"), ("fixed", "fdv", "fixed"))
    ),
    Options(
        f"{BITLOCKER}configurerecoverypasswordrotation",
        "the rotation of recovery passwords",
        LOW,
        ("0=off", "1=on for Entra joined devices", "2=on for all joined devices"),
    ),
    *(
        Options(
            f"{BITLOCKER}encryptionmethodbydrivetype_encryptionmethodwithxts{drive}dropdown_name",
            f"the encryption of {what} drives",
            LOW,
            _ENCRYPTION,
        )
        for drive, what in (("os", "system"), ("fdv", "fixed"), ("rdv", "removable"))
    ),
    Options(
        f"{BITLOCKER}systemdrivesencryptiontype_osencryptiontypedropdown_name",
        "the encrypted part of system drives",
        LOW,
        ("0=chosen by the user", "2=used space", "1=everything"),
    ),
    Amount(
        f"{BITLOCKER}systemdrivesminimumpinlength_*", "the length of the startup PIN", LOW, more_protects=True
    ),
    switch(
        f"{BITLOCKER}systemdrivesdisallowstandarduserscanchangepin",
        "the ban on changing the startup PIN",
        LOW,
    ),
)

_STRONGEST = (
    "4=letters, numbers and special characters|5=letters, numbers and special characters, readable|6=long words"
    "|7=short words|8=short words with unique prefixes"
)
_LAPS: tuple[Declared, ...] = (
    Options(
        f"{LAPS}backupdirectory",
        "the backup of local administrator passwords",
        HIGH,
        ("0=off", "1=Entra ID|2=Active Directory"),
        not_set="0",
    ),
    Amount(
        f"{LAPS}passwordagedays",
        "the age of local administrator passwords in days",
        LOW,
        more_protects=False,
        not_set=30,
    ),
    Amount(
        f"{LAPS}passwordagedays_aad",
        "the age of local administrator passwords in days",
        LOW,
        more_protects=False,
        not_set=30,
    ),
    Amount(
        f"{LAPS}passwordlength",
        "the length of local administrator passwords",
        LOW,
        more_protects=True,
        not_set=14,
    ),
    Amount(
        f"{LAPS}passphraselength",
        "the length of local administrator passphrases",
        LOW,
        more_protects=True,
        not_set=6,
    ),
    Options(
        f"{LAPS}passwordcomplexity",
        "the complexity of local administrator passwords",
        LOW,
        (
            "1=large letters",
            "2=letters",
            "3=letters and numbers",
            _STRONGEST,
        ),
    ),
    Options(
        f"{LAPS}postauthenticationactions",
        "what follows the use of a local administrator password",
        LOW,
        ("1=reset", "3=reset and sign-out", "5=reset and restart|11=reset, sign-out and end of processes"),
    ),
    switch(
        f"{LAPS}adpasswordencryptionenabled",
        "encryption of passwords in Active Directory",
        HIGH,
        on="true",
        off="false",
    ),
    switch(
        f"{LAPS}passwordexpirationprotectionenabled",
        "the limit on password expiry",
        LOW,
        on="true",
        off="false",
    ),
)

_LOCKED = ("0=off", "2=on without UEFI lock", "1=on with UEFI lock")
_VIRTUALISATION: tuple[Declared, ...] = (
    switch(
        "policy_config_deviceguard_enablevirtualizationbasedsecurity",
        "virtualisation-based security",
        HIGH,
        not_set="0",
    ),
    Options("policy_config_deviceguard_lsacfgflags", "Credential Guard", HIGH, _LOCKED, not_set="0"),
    Options(
        "policy_config_virtualizationbasedtechnology_hypervisorenforcedcodeintegrity",
        "memory integrity",
        HIGH,
        _LOCKED,
        not_set="0",
    ),
    Options(
        "policy_config_localsecurityauthority_configurelsaprotectedprocess",
        "LSA protection",
        HIGH,
        _LOCKED,
        not_set="0",
    ),
    Options(
        "policy_config_deviceguard_requireplatformsecurityfeatures",
        "the platform security for virtualisation-based security",
        LOW,
        ("1=Secure Boot", "3=Secure Boot and DMA protection"),
    ),
    Options(
        "policy_config_deviceguard_configuresystemguardlaunch",
        "Secure Launch",
        MEDIUM,
        ("2=off", "0=unmanaged", "1=on"),
        not_set="0",
    ),
    opening(
        "policy_config_localsecurityauthority_allowcustomsspsaps",
        "custom security packages in LSASS",
        MEDIUM,
    ),
)

_UPDATES: tuple[Declared, ...] = (
    Options(
        f"{UPDATE}allowautoupdate",
        "automatic updates",
        HIGH,
        (
            "5=off",
            "0=announced only",
            "1=installed on request|2=installed|3=installed on schedule|4=installed without control by the user",
        ),
    ),
    switch(f"{UPDATE}allowupdateservice", "the update service", HIGH),
    Amount(
        f"{UPDATE}deferqualityupdatesperiodindays",
        "the deferral of quality updates in days",
        MEDIUM,
        more_protects=False,
        not_set=0,
    ),
    Amount(
        f"{UPDATE}deferfeatureupdatesperiodindays",
        "the deferral of feature updates in days",
        LOW,
        more_protects=False,
        not_set=0,
    ),
    opening(f"{UPDATE}pausequalityupdates", "a pause of quality updates", MEDIUM, not_set="0"),
    opening(f"{UPDATE}pausefeatureupdates", "a pause of feature updates", LOW, not_set="0"),
    Amount(
        f"{UPDATE}configuredeadlineforqualityupdates",
        "the deadline for quality updates in days",
        MEDIUM,
        more_protects=False,
    ),
    Amount(
        f"{UPDATE}configuredeadlineforfeatureupdates",
        "the deadline for feature updates in days",
        LOW,
        more_protects=False,
    ),
    Amount(
        f"{UPDATE}configuredeadlinegraceperiod",
        "the grace period for updates in days",
        LOW,
        more_protects=False,
    ),
    switch(f"{UPDATE}setdisablepauseuxaccess", "the ban on pausing updates", LOW, not_set="0"),
    switch(
        "dmclient_provider_{providerid}_configrefresh_enabled",
        "the refresh of settings",
        MEDIUM,
        on="true",
        off="false",
        not_set="false",
    ),
)

_LOCKING: tuple[Declared, ...] = (
    # The CSP is inverted: 0 requires a password.
    switch(f"{LOCK}devicepasswordenabled", "the device password", HIGH, on="0", off="1", not_set="1"),
    Amount(f"{LOCK}mindevicepasswordlength", "the length of the device password", MEDIUM, more_protects=True),
    Options(
        f"{LOCK}mindevicepasswordcomplexcharacters",
        "the complexity of the device password",
        LOW,
        (
            "1=digits",
            "2=digits and small letters",
            "3=digits, small and large letters",
            "4=all kinds of characters",
        ),
    ),
    Options(
        f"{LOCK}alphanumericdevicepasswordrequired",
        "the kind of device password",
        LOW,
        ("2=any", "1=numeric or alphanumeric", "0=alphanumeric"),
    ),
    opening(f"{LOCK}allowsimpledevicepassword", "simple device passwords", MEDIUM),
    Amount(
        f"{LOCK}maxinactivitytimedevicelock",
        "the minutes until the device locks",
        MEDIUM,
        more_protects=False,
        zero_is_none=True,
    ),
    Amount(
        f"{LOCK}maxdevicepasswordfailedattempts",
        "the allowed failed attempts",
        LOW,
        more_protects=False,
        zero_is_none=True,
    ),
    Amount(f"{LOCK}devicepasswordhistory", "the remembered device passwords", LOW, more_protects=True),
    switch(f"{LOCK}preventenablinglockscreencamera", "the ban on the lock screen camera", LOW),
    switch(f"{LOCK}preventlockscreenslideshow", "the ban on the lock screen slide show", LOW),
    switch(f"{HELLO}requiresecuritydevice", "the TPM for Windows Hello", MEDIUM, on="true", off="false"),
    Amount(
        f"{HELLO}pincomplexity_minimumpinlength",
        "the length of the Windows Hello PIN",
        MEDIUM,
        more_protects=True,
    ),
    switch(
        "passportforwork_biometrics_facialfeaturesuseenhancedantispoofing",
        "anti-spoofing for facial recognition",
        LOW,
        on="true",
        off="false",
    ),
)

SETTINGS: tuple[Declared, ...] = (
    *_FIREWALL,
    *_BITLOCKER,
    *_LAPS,
    *_VIRTUALISATION,
    *_UPDATES,
    *_LOCKING,
)
