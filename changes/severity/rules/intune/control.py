"""Rules on control of devices through Intune: scripts, required apps, Intune roles, tags and filters."""

from collections.abc import Iterator

from changes.severity.audience import audience_of
from changes.severity.declared_settings import (
    Life,
    Members,
    Setting,
    Watched,
    always,
    lives,
    on_protects,
    watching,
)
from changes.severity.model import Context, Hit, Rule, Severity, Subject, neutral, strengthens, weakens
from changes.severity.readers import dig, listed, rows, text, word, words
from changes.severity.surroundings import principal_names
from snapshots.catalog.spec import Document

SCRIPTS = (
    "deviceManagementScript",
    "deviceShellScript",
    "deviceHealthScript",
    "deviceCustomAttributeShellScript",
)
APP, ROLE, ROLE_ASSIGNMENT = (
    ("mobileApp",),
    ("deviceAndAppManagementRoleDefinition",),
    ("deviceAndAppManagementRoleAssignment",),
)
TAG, FILTER = ("roleScopeTag",), ("deviceAndAppManagementAssignmentFilter",)
TECHNIQUE = "T1072"
CODE = ("scriptContent", "detectionScriptContent", "remediationScriptContent")
COMMANDS = (
    "installCommandLine",
    "uninstallCommandLine",
    "committedContentVersion",
    "fileName",
    "rules",
    "detectionRules",
)
ACTING = ("script", "wipe", "role", "assign", "remote", "create", "update", "delete")


def _reach(document: Document | None) -> Severity:
    """Code that runs as the system on all devices also controls administrators' devices."""
    audience = audience_of(document)
    if audience.nobody and dig(document, "assignments") is not None:
        return Severity.MEDIUM
    as_system = word(document, "runAsAccount") != "user"
    return Severity.CRITICAL if audience.everybody and as_system else Severity.HIGH


def _where(document: Document | None) -> str:
    return listed(audience_of(document).included) or "no device yet"


def code_changed(subject: Subject, context: Context) -> Iterator[Hit]:  # noqa: ARG001
    before, after = subject.before, subject.after
    if after is None:
        yield neutral(
            Severity.MEDIUM, f"The script {subject.name} was deleted. Its earlier changes on devices remain."
        )
        return
    code = any(dig(before, name) != dig(after, name) for name in CODE)
    account = (
        word(after, "runAsAccount") != word(before, "runAsAccount") and word(after, "runAsAccount") != "user"
    )
    wider = before is not None and bool(audience_of(before).misses(audience_of(after)))
    if subject.kind == "created" or code:
        verb = "new" if subject.kind == "created" else "other"
        yield weakens(_reach(after), f"{subject.name} runs {verb} code on {_where(after)}.")
    elif account or wider:
        yield weakens(_reach(after), f"The script {subject.name} now runs on more devices: {_where(after)}.")
    elif audience_of(after).misses(audience_of(before)):
        yield neutral(Severity.LOW, f"The script {subject.name} runs on fewer devices: {_where(after)}.")


SCRIPT_SETTINGS: tuple[Watched, ...] = (
    Setting(
        "enforceSignatureCheck",
        "the restriction to signed code",
        on_protects(),
        Severity.MEDIUM,
        "Unsigned code can also run",
    ),
)


def app_pushed(subject: Subject, context: Context) -> Iterator[Hit]:  # noqa: ARG001
    """A required app runs code, just like a script."""
    before, after = audience_of(subject.before, "required"), audience_of(subject.after, "required")
    gained = before.misses(after)
    commands = subject.kind == "updated" and [
        name for name in COMMANDS if dig(subject.before, name) != dig(subject.after, name)
    ]
    if gained and subject.after is not None:
        severity = Severity.HIGH if after.everybody else Severity.MEDIUM
        yield weakens(severity, f"The app {subject.name} is now installed automatically on {listed(gained)}.")
    elif commands:
        severity = Severity.MEDIUM if after.nobody else Severity.HIGH
        yield weakens(
            severity, f"The app {subject.name} installs different content or runs different commands."
        )
    elif subject.kind == "created":
        yield neutral(Severity.LOW, f"The app {subject.name} was added.")
    elif subject.kind == "deleted":
        yield neutral(
            Severity.MEDIUM, f"The app {subject.name} was deleted, and its package is lost.", "T1485"
        )


def role_given(subject: Subject, context: Context) -> Iterator[Hit]:
    before, after = words(subject.before, "members"), words(subject.after, "members")
    scopes = _scopes(subject.after) - _scopes(subject.before)
    gained, lost = after - before, before - after
    if gained:
        names = principal_names(context, gained)
        yield weakens(Severity.HIGH, f"{subject.name} lets {names} manage devices in Intune.")
    elif scopes and subject.after is not None:
        yield weakens(
            Severity.MEDIUM,
            f"The Intune role assignment {subject.name} has a larger scope: {listed(scopes)}.",
        )
    elif lost:
        yield strengthens(f"{subject.name} no longer lets {principal_names(context, lost)} manage devices.")
    elif _scopes(subject.before) - _scopes(subject.after):
        yield strengthens(f"The Intune role assignment {subject.name} has a smaller scope.")


def _scopes(document: Document | None) -> frozenset[str]:
    return (
        words(document, "resourceScopes")
        | words(document, "scopeMembers")
        | ({word(document, "scopeType")} - {"", "resourcescope"})
    )


def _role_actions(document: Document | None) -> frozenset[str]:
    return frozenset(
        action
        for permission in rows(document, "rolePermissions")
        for holder in rows(dict(permission), "resourceActions")
        for action in words(dict(holder), "allowedResourceActions")
    )


def role_widened(subject: Subject, context: Context) -> Iterator[Hit]:  # noqa: ARG001
    gained = _role_actions(subject.after) - _role_actions(subject.before)
    lost = _role_actions(subject.before) - _role_actions(subject.after)
    if subject.after is None:
        yield neutral(Severity.LOW, f"The Intune role {subject.name} was deleted.")
    elif gained:
        acting = [action for action in gained if any(part in action for part in ACTING)]
        severity = Severity.MEDIUM if acting else Severity.LOW
        if acting and subject.kind == "updated":
            severity = Severity.HIGH
        yield weakens(severity, f"The Intune role {subject.name} may do more: {listed(acting or gained)}.")
    elif lost:
        yield strengthens(f"The Intune role {subject.name} may do less: {listed(lost)}.")


def filter_changed(subject: Subject, context: Context) -> Iterator[Hit]:  # noqa: ARG001
    """A filter determines which devices get the policies that use it; the effect depends on these policies."""
    if (
        subject.kind == "updated"
        and text(subject.before, "rule").split() != text(subject.after, "rule").split()
    ):
        reason = (
            f"The filter {subject.name} now matches different devices, which affects the policies "
            "that use it."
        )
        yield neutral(Severity.MEDIUM, reason)


RULES = (
    Rule("intune-code", "A script for devices changed", SCRIPTS, TECHNIQUE, code_changed),
    Rule(
        "intune-code-signing",
        "The signature check of a script changed",
        SCRIPTS,
        TECHNIQUE,
        watching(SCRIPT_SETTINGS),
    ),
    Rule("intune-app-pushed", "An app is installed automatically", APP, TECHNIQUE, app_pushed),
    Rule(
        "intune-role-given",
        "Device management changed",
        ROLE_ASSIGNMENT,
        "T1098.003",
        role_given,
        ("Maester: Intune roles",),
    ),
    Rule("intune-role-actions", "Permissions of an Intune role changed", ROLE, "T1098.003", role_widened),
    Rule("intune-filter", "The devices matched by a filter changed", FILTER, "T1685", filter_changed),
    Rule(
        "intune-tag-reach",
        "The groups of a scope tag changed",
        TAG,
        "T1098.003",
        watching((Members("assignments", "the groups under the tag", Severity.LOW, key="groupId"),)),
    ),
    lives(
        "intune-scope-life",
        "A scope tag, filter or Intune role assignment was created or deleted",
        "T1098.003",
        {
            TAG[0]: Life(
                created=always(Severity.LOW, "Roles can be limited by it"),
                deleted=always(Severity.MEDIUM, "Administrators limited by it may now see other objects"),
            ),
            FILTER[0]: Life(
                created=always(Severity.LOW, "Assignments can be limited by it"),
                deleted=always(Severity.MEDIUM, "Assignments that used it apply to other devices"),
            ),
            ROLE_ASSIGNMENT[0]: Life(deleted=always(Severity.LOW, "Its members lost that role")),
        },
    ),
)
