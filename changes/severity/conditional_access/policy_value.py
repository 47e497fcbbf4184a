"""How severe it is to lose a Conditional Access policy, or a part of it. Used by the rules for Conditional
Access, and for locations and strengths that policies refer to.
"""

from changes.severity import reference
from changes.severity.conditional_access.policies import ALL, Policy, read_policy, replaced_by
from changes.severity.model import Context, Severity, Subject
from changes.severity.surroundings import is_privileged_principal

MFA_TECHNIQUE = "T1556.006"


def pair(subject: Subject, context: Context) -> tuple[Policy, Policy]:
    return read_policy(subject.before, context, "before"), read_policy(subject.after, context, "after")


def technique(policy: Policy) -> str | None:
    return MFA_TECHNIQUE if policy.requirement.multi_factor else None


def still_covered(policy: Policy, resource_id: str, context: Context) -> str:
    """The name of another enforced policy that fully covers this one, or empty."""
    names = [
        other.name or key
        for key, document in context.all("after", "conditionalAccessPolicy").items()
        if key != resource_id.casefold()
        and replaced_by(policy, other := read_policy(document, context, "after"))
    ]
    return min(names, default="")


def names_administrators(policy: Policy) -> bool:
    return "admin" in policy.name.casefold()


def aims_at_administrators(policy: Policy, context: Context) -> bool:
    """Whether a policy protects administrators: by a privileged role, a holder of one, or the policy's name."""
    if policy.privileged_roles or names_administrators(policy):
        return True
    named = (
        token.split(":", 1)[1] for token in policy.reach["users"] if token.startswith(("user:", "group:"))
    )
    return any(is_privileged_principal(context, key) for key in named)


def policy_value(policy: Policy, context: Context) -> Severity:
    """The severity of losing an entire enforced policy."""
    if policy.empty:
        return Severity.LOW
    if policy.requirement.admits_everybody:
        return Severity.MEDIUM if policy.session else Severity.LOW
    everybody = ALL in policy.reach["users"]
    admins = aims_at_administrators(policy, context)
    if policy.requirement.multi_factor:
        baseline = (everybody or admins) and not policy.partial and _broad_apps(policy)
        return Severity.CRITICAL if baseline else Severity.HIGH
    if policy.requirement.blocks:
        return Severity.HIGH
    return Severity.HIGH if everybody or admins else Severity.MEDIUM


def _broad_apps(policy: Policy) -> bool:
    sensitive = {
        ALL,
        "microsoftadminportals",
        "797f4846-ba00-4fd7-ba43-dac1f8f63013",
        reference.GRAPH,
        "office365",
    }
    return bool(policy.reach["applications"] & sensitive)


def partial_value(policy: Policy, context: Context) -> Severity:
    """The severity of losing a part of a policy's reach or strength."""
    if policy.requirement.multi_factor or policy.requirement.blocks:
        return Severity.HIGH
    return min(Severity.HIGH, policy_value(policy, context))


def adjusted_for_state(policy: Policy, severity: Severity) -> Severity:
    """The severity is lower if the policy was not enforced before the change."""
    if policy.empty:
        return Severity.LOW
    if policy.enforced:
        return severity
    if policy.state == "disabled":
        return Severity.LOW
    return min(Severity.MEDIUM, severity.lowered())
