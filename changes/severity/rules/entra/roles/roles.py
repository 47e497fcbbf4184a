"""Rules on directory role assignments and custom role definitions."""

import re
from collections.abc import Iterator

from changes.severity import reference
from changes.severity.model import Context, Hit, Rule, Severity, Side, Subject, neutral, strengthens, weakens
from changes.severity.readers import dig, is_true, listed, rows, text, word, words
from changes.severity.reference import Role
from changes.severity.surroundings import SIDES, kind_of, principal, role_of
from snapshots.catalog.spec import Document

ASSIGNMENT = ("unifiedRoleAssignment",)
DEFINITION = ("unifiedRoleDefinition",)
LOCKOUT_TECHNIQUE = "T1531"
GLOBAL_ADMINISTRATOR = "62e90394-69f5-4237-9190-012177145e10"
FEWEST_ADMINISTRATORS = 2
KIND_WORDS = {"user": "user", "group": "group", "serviceprincipal": "service principal"}

POWERFUL_ACTIONS = tuple(
    re.compile(pattern)
    for pattern in (
        r"^microsoft\.directory/\*?(/?alltasks)?$",
        r"/roleassignments/|/roledefinitions/|/rolemanagement",
        r"/conditionalaccesspolicies/.*(create|update|delete|alltasks)",
        r"/namedlocations/.*(create|update|delete|alltasks)",
        r"/(applications|serviceprincipals)(\.\w+)?/(credentials|owners|audience|permissions|alltasks|allproperties)",
        r"/applicationpolicies/.*(create|update|alltasks)",
        r"/serviceprincipals/managepermissiongrants",
        r"/serviceprincipals/approleassignedto/update",
        r"/oauth2permissiongrants/.*(create|update|alltasks)",
        r"/users/(password|authenticationmethods|strongauthentication|invalidateallrefreshtokens)",
        r"/users/.*alltasks",
        r"/(authenticationmethodspolicy|usercredentialpolicies)/",
        r"/passwordhashsync/|/hybridauthenticationpolicy/",
        r"/domains/(federation|allproperties|alltasks)",
        r"/groupsassignabletoroles/",
        r"/authorizationpolicy/",
        r"/crosstenantaccesspolicy/.*(create|update|delete|alltasks)",
    )
)
"""Actions of custom roles that can be used to gain more power, by the object that they act on."""
READS = re.compile(r"/(read|standard/read|allproperties/read)$|/read$")


def _identity(document: Document | None) -> tuple[str, str, str, str]:
    return (
        word(document, "roleDefinitionId"),
        word(document, "principalId"),
        _scope(document),
        text(document, "condition"),
    )


def _contained(document: Document, other: Document | None) -> bool:
    """Whether `other` already gives everything that `document` gives."""
    role, holder, scope, condition = _identity(document)
    held = _identity(other)
    return held[:2] == (role, holder) and held[2] in {"/", scope} and held[3] in {"", condition}


def _scope(document: Document | None) -> str:
    return word(document, "directoryScopeId") or word(document, "appScopeId") or "/"


def _role(document: Document | None, context: Context) -> Role:
    role_id = text(document, "roleDefinitionId")
    known = role_of(context, role_id)
    if known is None:
        name = text(document, "roleDefinition", "displayName") or f"role {role_id or 'unknown'}"
        return Role(name, Severity.MEDIUM, direct=False)
    if role_id.casefold() not in reference.ROLES and any(
        powerful_actions(context.get(side, "unifiedRoleDefinition", role_id)) for side in SIDES
    ):
        return Role(known.name, Severity.HIGH, direct=False)
    return known


def role_granted(subject: Subject, context: Context) -> Iterator[Hit]:
    if subject.after is None or _contained(subject.after, subject.before):
        return
    role = _role(subject.after, context)
    principal_id = text(subject.after, "principalId")
    facts = principal(context, principal_id)
    expanded = dig(subject.after, "principal")
    kind = kind_of(expanded if isinstance(expanded, dict) else None, facts).casefold()
    scope = _scope(subject.after)
    severity = _granted_severity(role, kind, guest=facts.is_guest, whole_tenant=scope == "/")
    who = (
        f"guest {facts.name}"
        if facts.is_guest
        else f"{KIND_WORDS.get(kind, 'principal')} {facts.name}".strip()
    )
    where = "the whole tenant" if scope == "/" else f"the scope {scope}"
    power = " It gives control of the tenant." if role.direct and scope == "/" else ""
    yield weakens(severity, f"The {who} received the role {role.name} over {where}.{power}")


def _granted_severity(role: Role, kind: str, *, guest: bool, whole_tenant: bool) -> Severity:
    severity = role.severity
    if (guest or kind == "serviceprincipal") and severity < Severity.HIGH:
        severity = severity.raised()
    return severity if whole_tenant else severity.lowered()


def role_removed(subject: Subject, context: Context) -> Iterator[Hit]:
    if subject.before is None or _identity(subject.before) == _identity(subject.after):
        return
    role = _role(subject.before, context)
    name = principal(context, text(subject.before, "principalId")).name
    left = _administrators(context, "after")
    was_administrator = word(subject.before, "roleDefinitionId") == GLOBAL_ADMINISTRATOR
    if was_administrator and left is not None and left < FEWEST_ADMINISTRATORS:
        yield neutral(
            Severity.HIGH,
            f"{name} lost the role {role.name}: {left} assignment of it is left, "
            "so the tenant's own administrators may be locked out.",
            LOCKOUT_TECHNIQUE,
        )
    else:
        yield strengthens(f"{name} lost the role {role.name}.")


def _administrators(context: Context, side: Side) -> int | None:
    """The number of Global Administrators; None if the context contains no assignments."""
    assignments = context.all(side, "unifiedRoleAssignment")
    if not assignments:
        return None
    return len(
        {
            word(document, "principalId")
            for document in assignments.values()
            if word(document, "roleDefinitionId") == GLOBAL_ADMINISTRATOR
        }
    )


def powerful_actions(document: Document | None) -> frozenset[str]:
    return frozenset(action for action in _actions(document) if _is_powerful(action))


def _actions(document: Document | None) -> frozenset[str]:
    return frozenset(
        action
        for permission in rows(document, "rolePermissions")
        for action in words(dict(permission), "allowedResourceActions")
    )


def _is_powerful(action: str) -> bool:
    return not READS.search(action) and any(pattern.search(action) for pattern in POWERFUL_ACTIONS)


def definition_widened(subject: Subject, context: Context) -> Iterator[Hit]:  # noqa: ARG001
    added = _actions(subject.after) - _actions(subject.before)
    if not added or subject.after is None:
        return
    if is_true(subject.after, "isBuiltIn"):
        yield neutral(Severity.LOW, f"Microsoft gave the built-in role {subject.name} {listed(added)}.", "")
        return
    strong = [action for action in added if _is_powerful(action)]
    if strong:
        held = "was created with" if subject.kind == "created" else "gained"
        severity = Severity.MEDIUM if subject.kind == "created" else Severity.HIGH
        yield weakens(severity, f"The custom role {subject.name} {held} powerful actions: {listed(strong)}.")
    elif subject.kind == "updated":
        writes = [action for action in added if not READS.search(action)]
        severity = Severity.MEDIUM if writes else Severity.LOW
        yield weakens(severity, f"The role {subject.name} gained actions: {listed(writes or added)}.")


def definition_narrowed(subject: Subject, context: Context) -> Iterator[Hit]:  # noqa: ARG001
    removed = _actions(subject.before) - _actions(subject.after)
    if removed and subject.kind == "updated":
        yield strengthens(f"The role {subject.name} lost actions: {listed(removed)}.")


RULES = (
    Rule(
        "role-granted",
        "A directory role was assigned",
        ASSIGNMENT,
        "T1098.003",
        role_granted,
        (
            "Sigma: User Added to an Administrator's Azure AD Role",
            "Elastic: Entra ID Global Administrator Role Assigned",
            "Sentinel: Service Principal Assigned Privileged Role",
        ),
    ),
    Rule(
        "role-removed",
        "A directory role assignment was removed",
        ASSIGNMENT,
        "",
        role_removed,
        ("Sigma: Bulk Deletion Changes To Privileged Account Permissions",),
    ),
    Rule(
        "role-definition-widened",
        "A custom role gained actions",
        DEFINITION,
        "T1098.003",
        definition_widened,
        ("Sigma: User Added To Privilege Role",),
    ),
    Rule("role-definition-narrowed", "A custom role lost actions", DEFINITION, "", definition_narrowed),
)
