"""The number of approvals that a policy requires, depending on the severity of the undone changes and of the
rollback itself.
"""

from collections.abc import Iterable, Mapping

from changes.severity.model import Severity


def required_approvals(policy: Mapping[str, int], severities: Iterable[str]) -> int:
    """More where anything critical is undone or done."""
    if Severity.CRITICAL in severities:
        return max(policy["required_approvals"], policy["required_approvals_critical"])
    return policy["required_approvals"]
