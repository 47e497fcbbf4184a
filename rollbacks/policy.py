"""How many approvals a tenant asks for, by what the rollback touches and by what it does itself."""

from collections.abc import Iterable

from changes.severity.model import Severity
from tenants.models import Tenant


def required_approvals(tenant: Tenant, severities: Iterable[str]) -> int:
    """The tenant's policy as it is now; more where anything critical is undone or done."""
    if Severity.CRITICAL in severities:
        return max(tenant.required_approvals, tenant.required_approvals_critical)
    return tenant.required_approvals
