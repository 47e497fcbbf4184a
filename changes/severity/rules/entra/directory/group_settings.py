"""Rules on directory settings, whose values are pairs of texts: guests in groups, passwords, group consent."""

from changes.severity.declared_settings import (
    Setting,
    fewer_protect,
    ladder,
    more_protects,
    off_protects,
    on_protects,
    watching,
)
from changes.severity.model import Rule, Severity
from changes.severity.readers import rows, text
from snapshots.catalog.spec import Document

SETTING = ("groupSetting",)
SMART_LOCKOUT_TRIES, SMART_LOCKOUT_SECONDS = 10.0, 60.0


def values(document: Document | None) -> Document:
    """The pairs by lower-case name. Missing values use the template's default."""
    pairs = [dict(row) for row in rows(document, "values")]
    return {text(pair, "name").casefold(): text(pair, "value") or None for pair in pairs}


SETTINGS = (
    Setting(
        "allowtoaddguests",
        "adding guests to groups",
        off_protects(missing=True),
        Severity.MEDIUM,
        "Group owners can add guests to their groups",
    ),
    Setting(
        "allowgueststoaccessgroups",
        "guests' access to groups",
        off_protects(missing=True),
        Severity.MEDIUM,
        "Guests can access the content of their groups",
    ),
    Setting(
        "allowgueststobegroupowner",
        "guests as owners of groups",
        off_protects(),
        Severity.MEDIUM,
        "A guest can control the membership of a group",
    ),
    Setting(
        "enablegroupcreation",
        "creation of groups by all users",
        off_protects(missing=True),
        Severity.LOW,
        "All users can create groups with a mailbox and a site",
    ),
    Setting("enablemiplabels", "sensitivity labels on groups", on_protects(), Severity.LOW),
    Setting(
        "enablebannedpasswordcheck",
        "the custom list of banned passwords",
        on_protects(),
        Severity.MEDIUM,
        "Passwords that are easy to guess are allowed",
        "T1110.003",
    ),
    Setting(
        "enablebannedpasswordcheckonpremises",
        "banned passwords on premises",
        on_protects(),
        Severity.MEDIUM,
        "Guessable passwords are allowed in the on-premises directory",
        "T1110.003",
    ),
    Setting(
        "bannedpasswordcheckonpremisesmode",
        "the mode of on-premises password protection",
        ladder("audit", ("enforce", "enforced"), missing="audit"),
        Severity.MEDIUM,
        "Guessable passwords are logged, not refused",
        "T1110.003",
    ),
    Setting(
        "lockoutthreshold",
        "the number of wrong passwords before a lockout",
        fewer_protect(SMART_LOCKOUT_TRIES),
        Severity.MEDIUM,
        "Passwords can be guessed faster",
        "T1110.003",
    ),
    Setting(
        "lockoutdurationinseconds",
        "the lockout duration in seconds",
        more_protects(SMART_LOCKOUT_SECONDS),
        Severity.MEDIUM,
        "Passwords can be guessed faster",
        "T1110.003",
    ),
    Setting(
        "enablegroupspecificconsent",
        "group owners' consent to apps",
        off_protects(),
        Severity.MEDIUM,
        "Group owners can give apps the group's data",
        "T1528",
    ),
    Setting(
        "blockuserconsentforriskyapps",
        "the block on consent to risky apps",
        on_protects(missing=True),
        Severity.HIGH,
        "All users may give apps that Microsoft rates as risky access to their data",
        "T1528",
    ),
    Setting(
        "enableadminconsentrequests",
        "the admin consent workflow",
        on_protects(),
        Severity.LOW,
        "Requests for apps no longer reach a reviewer",
        "T1528",
    ),
)

RULES = (
    Rule(
        "group-setting",
        "A directory setting changed",
        SETTING,
        "T1484",
        watching(SETTINGS, view=values, whole_life=True),
        ("Maester: EIDSCA group, consent and password settings", "CISA ScubaGear: MS.AAD.5.4"),
    ),
)
