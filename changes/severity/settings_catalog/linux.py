"""Linux: Microsoft Defender, and what a compliance policy asks of a device.

Sources: the setting ids, options and defaults of Intune-Settings-Catalog-Documentation of snodecoder (a published
dump of the Settings Catalog); published exports of Linux compliance policies.
"""

from changes.severity.model import Severity
from changes.severity.settings_catalog.vocabulary import Amount, Declared, Entries, Options, switch

HIGH, MEDIUM, LOW = Severity.HIGH, Severity.MEDIUM, Severity.LOW
ENGINE, CLOUD = "linux_mdatp_managed_antivirusengine_", "linux_mdatp_managed_cloudservice_"


def _on(definition_id: str, what: str, severity: Severity, not_set: str = "true") -> Options:
    return switch(definition_id, what, severity, on="true", off="false", not_set=not_set)


SETTINGS: tuple[Declared, ...] = (
    # The numbers are in the opposite order compared to macOS.
    Options(
        f"{ENGINE}enforcementlevel",
        "Defender antivirus",
        HIGH,
        ("2=passive", "1=on demand", "0=in real time"),
        not_set="2",
    ),
    switch(f"{ENGINE}behaviormonitoring", "behaviour monitoring", HIGH, not_set="0"),
    _on(f"{ENGINE}enablerealtimeprotection", "real-time protection", HIGH),
    _on(f"{ENGINE}scanarchives", "archive scanning", MEDIUM),
    _on(f"{ENGINE}scanafterdefinitionupdate", "the scan after new definitions", LOW),
    Options(
        f"{ENGINE}exclusionsmergepolicy",
        "who may exclude files from scans",
        MEDIUM,
        ("0=everybody", "1=administrators only"),
        not_set="0",
    ),
    switch(
        f"{ENGINE}nonexecmountpolicy",
        "scanning of mounts without programs",
        LOW,
        on="0",
        off="1",
        not_set="0",
    ),
    Entries(f"{ENGINE}allowedthreats", "the allowed threats", HIGH),
    Entries(
        f"{ENGINE}disallowedthreatactions", "the actions that people may not take", LOW, adding_weakens=False
    ),
    Entries(f"{ENGINE}unmonitoredfilesystems", "the file systems excluded from scans", HIGH),
    Entries(f"{ENGINE}exclusions_item_path", "the paths excluded from scans", HIGH),
    Entries(f"{ENGINE}exclusions_item_extension", "the file types excluded from scans", HIGH),
    Entries(f"{ENGINE}exclusions_item_name", "the processes excluded from scans", HIGH),
    Entries(
        "linux_mdatp_managed_exclusionsettings_exclusions_item_path",
        "the paths excluded from all protection",
        HIGH,
    ),
    Entries(
        "linux_mdatp_managed_exclusionsettings_exclusions_item_name",
        "the processes excluded from all protection",
        HIGH,
    ),
    _on(f"{CLOUD}enabled", "cloud protection", HIGH),
    _on(f"{CLOUD}automaticdefinitionupdateenabled", "updates of malware definitions", HIGH),
    Options(
        f"{CLOUD}automaticsamplesubmissionconsent",
        "sample submission",
        LOW,
        ("none=never", "safe=automatic for safe samples", "all=automatic"),
        not_set="safe",
    ),
    Options(
        f"{CLOUD}cloudblocklevel",
        "the cloud block level",
        MEDIUM,
        (
            "normal=normal",
            "moderate=moderate",
            "high=high",
            "high_plus=high plus",
            "zero_tolerance=zero tolerance",
        ),
        not_set="normal",
    ),
    Options(
        "linux_mdatp_managed_networkprotection_enforcementlevel",
        "network protection",
        HIGH,
        ("0=off", "1=audit", "2=block"),
        not_set="0",
        off_until="1",
    ),
    _on("linux_deviceencryption_required", "disk encryption as a condition of compliance", HIGH, "false"),
    Amount("linux_passwordpolicy_minimumlength", "the length of passwords", MEDIUM, more_protects=True),
    Amount(
        "linux_passwordpolicy_minimumlowercase", "the small letters in passwords", LOW, more_protects=True
    ),
    Amount(
        "linux_passwordpolicy_minimumuppercase", "the large letters in passwords", LOW, more_protects=True
    ),
    Amount("linux_passwordpolicy_minimumsymbols", "the symbols in passwords", LOW, more_protects=True),
    Amount("linux_passwordpolicy_minimumdigits", "the digits in passwords", LOW, more_protects=True),
    _on("linux_customcompliance_required", "custom compliance checks", MEDIUM, "false"),
)
