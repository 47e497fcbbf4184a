"""Rules on Azure roles, identities and locks: who controls subscriptions, and what protects resources from
deletion.
"""

import re
from collections.abc import Iterator

from changes.severity import reference
from changes.severity.declared_settings import Life, Setting, always, ladder, lives, opens, watching
from changes.severity.model import Context, Hit, Rule, Severity, Subject, neutral, strengthens, weakens
from changes.severity.readers import dig, listed, rows, text, word, words
from changes.severity.surroundings import SIDES, principal
from snapshots.catalog.spec import Document

ASSIGNMENT, DEFINITION = ("azureRoleAssignment",), ("azureRoleDefinition",)
IDENTITY, LOCK = ("managedIdentity",), ("managementLock",)
TECHNIQUE = "T1098.003"
OWNER = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
CONTRIBUTOR = "b24988ac-6180-42a0-ab88-20f7382dd24c"
PROVIDER = "/providers/microsoft.authorization/"
AUTHORIZATION = "microsoft.authorization/"
EVERYTHING = frozenset({"*", "*/*", "*/write"})
ROLES_WITHHELD = frozenset(
    f"{AUTHORIZATION}{what}" for what in ("*", "*/write", "roleassignments/*", "roleassignments/write")
)
NARROW = "/resourcegroups/"
STRANGERS = frozenset({"foreigngroup", "serviceprincipal"})

POWERFUL = tuple(
    re.compile(pattern)
    for pattern in (
        r"^\*$|^\*/(\*|write|action|delete)$",
        r"^microsoft\.authorization/(\*|elevateaccess|(roleassignments|roledefinitions|locks)/(\*|write))",
        r"^microsoft\.keyvault/vaults/(\*|write|accesspolicies)|^microsoft\.keyvault/\*",
        r"^microsoft\.compute/(\*|virtualmachines/(\*|write|runcommand|extensions))",
        r"^microsoft\.managedidentity/(\*|userassignedidentities/(\*|assign|write|federated))",
        r"^microsoft\.automation/\*|/runbooks/(\*|write)",
        r"/listkeys/action$|/listsecrets|/getsecret",
    )
)


def _inner(document: Document | None) -> Document:
    properties = dig(document, "properties")
    return dict(properties) if isinstance(properties, dict) else {}


def role_guid(document: Document | None) -> str:
    """The role's ID from the end of its path; the rest of the path depends on the scope."""
    return word(_inner(document), "roleDefinitionId").rstrip("/").rsplit("/", 1)[-1]


def _scope(document: Document | None, resource_id: str) -> str:
    scope = word(_inner(document), "scope") or resource_id.casefold().partition(PROVIDER)[0]
    return scope.rstrip("/") or "/"


def _broad(scope: str) -> bool:
    return NARROW not in scope


def _severity(subject: Subject, context: Context, document: Document) -> tuple[str, Severity]:
    """The role's name and the severity of holding it at this scope."""
    guid, broad = role_guid(document), _broad(_scope(document, subject.resource_id))
    known = reference.AZURE_ROLES.get(guid)
    own = _definition(context, guid)
    if known is None and own is not None:
        like = {2: OWNER, 1: CONTRIBUTOR}.get(_power(own))
        known = reference.AZURE_ROLES.get(like or "")
        name = text(_inner(own), "roleName") or guid
        if known is not None:
            return name, known.broad if broad else known.narrow
        return name, Severity.MEDIUM
    if known is None:
        return f"role {guid or 'unknown'}", Severity.MEDIUM if broad else Severity.LOW
    return known.name, known.broad if broad else known.narrow


def _definition(context: Context, guid: str) -> Document | None:
    for side in SIDES:
        for key, document in sorted(context.all(side, DEFINITION[0]).items()):
            if guid and key.rstrip("/").rsplit("/", 1)[-1].casefold() == guid:
                return document
    return None


def _grant(document: Document | None, resource_id: str) -> tuple[str, ...]:
    inner = _inner(document)
    return (
        role_guid(document),
        word(inner, "principalId"),
        _scope(document, resource_id),
        text(inner, "condition"),
    )


def role_granted(subject: Subject, context: Context) -> Iterator[Hit]:
    after = subject.after
    if after is None or _grant(subject.before, subject.resource_id) == _grant(after, subject.resource_id):
        return
    before = _grant(subject.before, subject.resource_id)
    if subject.before is not None and before[:3] == _grant(after, subject.resource_id)[:3] and not before[3]:
        yield strengthens(f"A condition now limits the Azure role of {subject.name}.")
        return
    name, severity = _severity(subject, context, after)
    inner = _inner(after)
    scope = _scope(after, subject.resource_id)
    if word(inner, "principalType") in STRANGERS and severity < Severity.HIGH:
        severity = severity.raised()
    who = principal(context, text(inner, "principalId")).name or "Somebody"
    yield weakens(severity, f"{who} received the Azure role {name} at {scope}.")


def role_removed(subject: Subject, context: Context) -> Iterator[Hit]:
    if subject.before is None or subject.after is not None:
        return
    name, _ = _severity(subject, context, subject.before)
    who = principal(context, text(_inner(subject.before), "principalId")).name or "Somebody"
    yield strengthens(f"{who} lost the Azure role {name} at {_scope(subject.before, subject.resource_id)}.")


def _actions(document: Document | None, *names: str) -> frozenset[str]:
    return frozenset(
        action
        for permission in rows(_inner(document), "permissions")
        for name in names or ("actions", "dataActions")
        for action in words(dict(permission), name)
    )


def _weight(action: str) -> int:
    """2: can assign roles; 1: can gain more power; 0: neither."""
    powerful = any(pattern.search(action) for pattern in POWERFUL)
    return int(powerful) + int(powerful and (action in EVERYTHING or action.startswith(AUTHORIZATION)))


def _power(definition: Document) -> int:
    """The weight of a whole role. With exclusions, "everything" counts as Contributor at most."""
    worst = max((_weight(action) for action in _actions(definition)), default=0)
    withheld = _actions(definition, "notActions") & ROLES_WITHHELD
    return min(worst, 1) if withheld else worst


def definition_changed(subject: Subject, context: Context) -> Iterator[Hit]:  # noqa: ARG001
    if subject.after is None:
        yield neutral(Severity.LOW, f"The Azure role {subject.name} was deleted.", "")
        return
    withheld = ("notActions", "notDataActions")
    gained = _actions(subject.after) - _actions(subject.before)
    lost = _actions(subject.before) - _actions(subject.after)
    freed = _actions(subject.before, *withheld) - _actions(subject.after, *withheld)
    barred = _actions(subject.after, *withheld) - _actions(subject.before, *withheld)
    name = text(_inner(subject.after), "roleName") or subject.name
    if gained or freed:
        strong = [action for action in gained | freed if _weight(action)]
        severity = Severity.HIGH if strong and subject.kind == "updated" else Severity.MEDIUM
        if not strong and subject.kind == "created":
            severity = Severity.LOW
        yield weakens(severity, f"The Azure role {name} allows more: {listed(strong or gained | freed)}.")
    elif lost or barred:
        yield strengthens(f"The Azure role {name} allows less: {listed(lost | barred)}.")


def scopes_widened(subject: Subject, context: Context) -> Iterator[Hit]:  # noqa: ARG001
    if subject.kind != "updated":
        return
    before, after = (words(_inner(side), "assignableScopes") for side in (subject.before, subject.after))
    if gained := after - before:
        yield weakens(
            Severity.MEDIUM, f"The Azure role {subject.name} can now be assigned at {listed(gained)}."
        )
    elif lost := before - after:
        yield strengthens(f"The Azure role {subject.name} can no longer be assigned at {listed(lost)}.")


RULES = (
    Rule(
        "azure-role-granted",
        "An Azure role was assigned",
        ASSIGNMENT,
        TECHNIQUE,
        role_granted,
        (
            "Elastic: Azure RBAC Built-In Administrator Roles Assigned",
            "Sigma: Granting Of Permissions To An Account",
        ),
    ),
    Rule("azure-role-removed", "An Azure role assignment was removed", ASSIGNMENT, "", role_removed),
    Rule(
        "azure-role-actions",
        "Permissions of a custom Azure role changed",
        DEFINITION,
        TECHNIQUE,
        definition_changed,
    ),
    Rule(
        "azure-role-scopes",
        "Assignable scopes of a custom Azure role changed",
        DEFINITION,
        TECHNIQUE,
        scopes_widened,
    ),
    Rule(
        "lock-level",
        "The level of a lock changed",
        LOCK,
        "T1485",
        watching(
            (
                Setting(
                    "properties/level",
                    "the lock level",
                    ladder("notSpecified", "canNotDelete", "readOnly"),
                    Severity.MEDIUM,
                    "The locked resources can be changed or deleted",
                ),
            )
        ),
    ),
    lives(
        "azure-guard-life",
        "A lock or managed identity was created or deleted",
        "T1485",
        {
            LOCK[0]: Life(
                created=always(Severity.LOW, "It protects resources from deletion"),
                deleted=opens(
                    Severity.MEDIUM, "The resources that it protected can be deleted with one request"
                ),
            ),
            IDENTITY[0]: Life(
                created=always(Severity.LOW, "Resources can use it after it gets roles"),
                deleted=always(
                    Severity.MEDIUM, "Workloads that use it stop working, and a new identity has another ID"
                ),
            ),
        },
    ),
)
