"""Shows a tenant's approval policy, or changes it as the operator with immediate effect."""

from typing import Any

from django.core.management.base import CommandParser

from lavawall.cli import ProductCommand, operator
from tenants.access import permissions
from tenants.accounts import administration
from tenants.control.policy import STRICTER
from tenants.control.presentation import FIELDS


class Command(ProductCommand):
    help = __doc__ or ""

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("tenant", help="Tenant name or ID.")
        parser.add_argument("--approvals", dest="required_approvals", type=int, metavar="N")
        parser.add_argument("--critical-approvals", dest="required_approvals_critical", type=int, metavar="N")
        parser.add_argument("--plan-lifetime", dest="plan_lifetime_hours", type=int, metavar="HOURS")

    def handle(self, **options: Any) -> None:
        actor = operator()
        tenant = permissions.tenant_named(actor, options["tenant"])
        given = {field: options[field] for field in STRICTER if options[field] is not None}
        tenant = administration.change_policy(actor, tenant=tenant, **given)
        policy = {field: getattr(tenant, field) for field in STRICTER}
        self.emit(
            {"tenant": tenant.name, **policy},
            [f"{tenant.name}: " + ", ".join(f"{FIELDS[field]} {value}" for field, value in policy.items())],
            as_json=options["json"],
        )
