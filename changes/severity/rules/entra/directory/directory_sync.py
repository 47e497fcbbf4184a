"""Rules on synchronisation with a local directory: what it can overwrite and take over in the cloud."""

from changes.severity.declared_settings import (
    Life,
    Setting,
    fewer_protect,
    ladder,
    lives,
    off_protects,
    on_protects,
    tells,
    watching,
)
from changes.severity.model import Rule, Severity

SYNC = ("onPremisesDirectorySynchronization",)
TECHNIQUE = "T1556.007"
PREVENTION = "configuration/accidentalDeletionPrevention"
TAKEOVER = "Whoever controls the local directory can take over cloud accounts, administrators' too"

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
        "re-pointing accounts to other local objects",
        off_protects(),
        Severity.MEDIUM,
        TAKEOVER,
    ),
    Setting(
        "features/cloudPasswordPolicyForPasswordSyncedUsersEnabled",
        "the cloud's password policy for synchronised people",
        on_protects(),
        Severity.MEDIUM,
        "Their passwords never expire in the cloud",
    ),
    Setting(
        "features/passwordWritebackEnabled",
        "writing passwords back",
        off_protects(),
        Severity.MEDIUM,
        "A password set in the cloud opens the local account",
    ),
    Setting(
        "features/userWritebackEnabled",
        "writing users back",
        off_protects(),
        Severity.MEDIUM,
        "Accounts of the cloud appear in the local directory",
    ),
    Setting("features/groupWriteBackEnabled", "writing groups back", off_protects(), Severity.LOW),
    Setting("features/deviceWritebackEnabled", "writing devices back", off_protects(), Severity.LOW),
    Setting("features/passwordSyncEnabled", "synchronising password hashes", off_protects(), Severity.MEDIUM),
    Setting(
        "features/quarantineUponUpnConflictEnabled",
        "quarantine of conflicting sign-in names",
        on_protects(),
        Severity.LOW,
    ),
    Setting(
        f"{PREVENTION}/synchronizationPreventionType",
        "the stop on mass deletions",
        ladder("disabled", ("enabledForCount", "enabledForPercentage"), missing="disabled"),
        Severity.HIGH,
        "A mistake or an attacker can delete all synchronised accounts at once",
        "T1531",
    ),
    Setting(
        f"{PREVENTION}/alertThreshold",
        "deletions before the stop",
        fewer_protect(),
        Severity.MEDIUM,
        "More accounts can be deleted at once",
        "T1531",
    ),
)

RULES = (
    Rule(
        "directory-sync",
        "What a local directory can do to the cloud changed",
        SYNC,
        TECHNIQUE,
        watching(SETTINGS),
        ("Maester: hybrid identity",),
    ),
    lives(
        "directory-sync-life",
        "Synchronisation with a local directory appeared or went",
        TECHNIQUE,
        {
            SYNC[0]: Life(
                created=tells(Severity.HIGH, "A local directory now decides on accounts in the cloud"),
                deleted=tells(Severity.HIGH, "Accounts are no longer kept in step with the local directory"),
            )
        },
    ),
)
