"""Control actions as sentences, for pages, API and commands."""

from tenants.control.graph import Kind
from tenants.models import ControlAct

FIELDS = {
    "required_approvals": "approvals",
    "required_approvals_critical": "approvals of critical rollbacks",
    "plan_lifetime_hours": "plan lifetime in hours",
}


SENTENCES: dict[Kind, str] = {
    Kind.CREATE: "{actor} created the account {subject}",
    Kind.PASSWORD: "{actor} set the password of {subject}",
    Kind.ACTIVATE: "{actor} re-activated the account {subject}",
    Kind.EMAIL: "{actor} changed the e-mail address of {subject}",
    Kind.ROLE: "{actor} bound the role {role} to {subject} on {scope}",
    Kind.GROUP: "{actor} added {subject} to {groups}",
    Kind.TOKEN: "{actor} issued the API token {name} for {subject}",
    Kind.REMOVE: "{actor} removed the administrator rights of {subject}",
    Kind.LOWER: "{actor} proposed a weaker approval policy for {scope}: {policy}",
    Kind.POLICY: "{actor} changed the approval policy of {scope}: {policy}",
    Kind.CONFIRM: "{actor} confirmed an action on {subject}",
}


def sentence(act: ControlAct) -> str:
    """What was done, as a sentence."""
    detail = act.detail
    policy = (f"{FIELDS[field]} {old} → {new}" for field, (old, new) in detail.get("policy", {}).items())
    return SENTENCES[Kind(act.kind)].format(
        actor=act.actor.get_username() if act.actor else "The operator",
        subject=act.subject.get_username() if act.subject else "",
        role=detail.get("role", "").replace("_", " "),
        groups=", ".join(detail.get("groups", ())),
        name=detail.get("name", ""),
        policy=", ".join(policy),
        scope=scope(act),
    )


def scope(act: ControlAct) -> str:
    if act.tenant is not None:
        return f"tenant {act.tenant.name}"
    return f"customer {act.customer.name}" if act.customer is not None else "the whole MSP"
