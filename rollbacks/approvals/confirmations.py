"""Actions on a rollback that need confirmation, and the text that explains them."""

from dataclasses import dataclass

from django.contrib import messages


@dataclass(frozen=True)
class Act:
    """An action on a rollback that needs confirmation."""

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
    "You approve exactly this plan of {steps}. It then has {approvals} approvals. Nothing is written "
    "to {tenant} until an engineer executes the approved plan.",
    "You approved this plan.",
    text="comment",
)
REJECT = Act(
    "reject-rollback",
    "may_reject",
    "Reject rollback",
    "Reject this plan",
    "danger",
    "The rollback ends without writing any of its {steps} to {tenant}. The requester sees your reason.",
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
    "Lavawall writes the {steps} of this plan to {tenant}. Before each step it checks that the live "
    "object still matches the dry run. If it does not, execution stops.",
    "Execution started.",
)
RESUME = Act(
    "execute-rollback",
    "may_resume",
    "Resume execution",
    "Resume the execution",
    "primary",
    "Lavawall continues this plan of {steps} in {tenant} under its approvals. Completed steps are not "
    "repeated; refused and skipped steps are tried again. Before each step it checks that the live "
    "object still matches the dry run. If it does not, execution stops.",
    "Execution resumed.",
)
CANCEL = Act(
    "cancel-rollback",
    "may_cancel",
    "Cancel rollback",
    "Cancel the rollback",
    "danger",
    "The rollback ends without writing any of its {steps} to {tenant}. Approvals given so far are discarded.",
    "Cancelled. Nothing will be written.",
    messages.WARNING,
)
