"""The acts on a rollback that a person confirms before they are done, and what each says that it will do."""

from dataclasses import dataclass

from django.contrib import messages


@dataclass(frozen=True)
class Act:
    """An act on a rollback that a person confirms before it is done."""

    url: str
    permission: str
    """The flag of the page's context that allows it."""
    title: str
    button: str
    style: str
    consequence: str
    """What it does; may name {tenant}, {steps} and {approvals}."""
    done: str
    level: int = messages.SUCCESS
    text: str = ""
    """Name of the text that goes with it."""
    text_required: bool = False


APPROVE = Act(
    "approve-rollback",
    "may_approve",
    "Approve rollback",
    "Approve this plan",
    "good",
    "Your signature goes under exactly this plan of {steps}; it then has {approvals} approvals. Nothing is written to "
    "{tenant} before an engineer executes the approved plan.",
    "Approved. Your signature is under this plan.",
    text="comment",
)
REJECT = Act(
    "reject-rollback",
    "may_reject",
    "Reject rollback",
    "Reject this plan",
    "danger",
    "The rollback ends: none of its {steps} is written to {tenant}. The requester reads your reason.",
    "Rejected. Nothing will be written.",
    messages.WARNING,
    text="reason",
    text_required=True,
)
EXECUTE = Act(
    "execute-rollback",
    "may_execute",
    "Execute rollback",
    "Execute the plan",
    "primary",
    "Lavawall now writes the {steps} of this plan to {tenant}. Before each step it checks that the live object is as "
    "the dry run saw it, and stops otherwise.",
    "The execution has started.",
)
RESUME = Act(
    "execute-rollback",
    "may_resume",
    "Resume execution",
    "Resume the execution",
    "primary",
    "Lavawall continues this plan of {steps} in {tenant} under its approvals. Steps that are done are not repeated; "
    "refused and skipped ones are tried again. Before each step it checks that the live object is as the dry run saw "
    "it, and stops otherwise.",
    "The execution continues.",
)
CANCEL = Act(
    "cancel-rollback",
    "may_cancel",
    "Cancel rollback",
    "Cancel the rollback",
    "danger",
    "The rollback ends: none of its {steps} is written to {tenant}, and approvals given so far are void.",
    "Cancelled. Nothing will be written.",
    messages.WARNING,
)
