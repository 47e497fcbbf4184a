"""Rules on synchronisation with an on-premises directory: what it can overwrite and take over in the cloud."""

from changes.severity.declared_settings import (
    Life,
    Setting,
    always,
    fewer_protect,
    ladder,
    lives,
    off_protects,
    on_protects,
    watching,
)
from changes.severity.model import Rule, Severity

SYNC = ("onPremisesDirectorySynchronization",)
TECHNIQUE = "T1556.007"
PREVENTION = "configuration/accidentalDeletionPrevention"
TAKEOVER = (
    "Anyone who controls the on-premises directory can take over cloud accounts, including administrators"
)

SETTINGS = (
    Setting(
        "features/blockSoftMatchEnabled", "the block on soft matching", on_protects(), Severity.HIGH, TAKEOVER
    ),
    Setting(
        "features/blockCloudObjectTakeoverThroughHardMatchEnabled",
        "the block on hard matching",
        on_protects(),
        Severity.HIGH,
        TAKEOVER,
    ),
    Setting(
        "features/softMatchOnUpnEnabled",
        "soft matching by sign-in name",
        off_protects(),
        Severity.MEDIUM,
        TAKEOVER,
    ),
    Setting(
        "features/allowOnPremUpdateOfOnPremisesObjectIdentifierEnabled",
        "matching accounts to other on-premises objects",
        off_protects(),
        Severity.MEDIUM,
        TAKEOVER,
    ),
    Setting(
        "features/cloudPasswordPolicyForPasswordSyncedUsersEnabled",
        "the cloud password policy for synchronised users",
        on_protects(),
        Severity.MEDIUM,
        "Their passwords never expire in the cloud",
    ),
    Setting(
        "features/passwordWritebackEnabled",
        "password writeback",
        off_protects(),
        Severity.MEDIUM,
        "A password set in the cloud also opens the on-premises account",
    ),
    Setting(
        "features/userWritebackEnabled",
        "user writeback",
        off_protects(),
        Severity.MEDIUM,
        "Cloud accounts appear in the on-premises directory",
    ),
    Setting("features/groupWriteBackEnabled", "group writeback", off_protects(), Severity.LOW),
    Setting("features/deviceWritebackEnabled", "device writeback", off_protects(), Severity.LOW),
    Setting("features/passwordSyncEnabled", "password hash synchronisation", off_protects(), Severity.MEDIUM),
    Setting(
        "features/quarantineUponUpnConflictEnabled",
        "quarantine of conflicting sign-in names",
        on_protects(),
        Severity.LOW,
    ),
    Setting(
        f"{PREVENTION}/synchronizationPreventionType",
        "the limit on mass deletions",
        ladder("disabled", ("enabledForCount", "enabledForPercentage"), missing="disabled"),
        Severity.HIGH,
        "A mistake or an attacker can delete all synchronised accounts at once",
        "T1531",
    ),
    Setting(
        f"{PREVENTION}/alertThreshold",
        "the number of deletions before the limit",
        fewer_protect(),
        Severity.MEDIUM,
        "More accounts can be deleted at once",
        "T1531",
    ),
)

RULES = (
    Rule(
        "directory-sync",
        "The influence of the on-premises directory changed",
        SYNC,
        TECHNIQUE,
        watching(SETTINGS),
        ("Maester: hybrid identity",),
    ),
    lives(
        "directory-sync-life",
        "Synchronisation with an on-premises directory was created or deleted",
        TECHNIQUE,
        {
            SYNC[0]: Life(
                created=always(Severity.HIGH, "An on-premises directory now controls accounts in the cloud"),
                deleted=always(
                    Severity.HIGH, "Accounts are no longer synchronised with the on-premises directory"
                ),
            )
        },
    ),
)
