"""Models of customers, tenants, accounts, connections, keys, runs and the ledger."""

from tenants.models.accounts import (
    ApiToken,
    CustomerGroupObjectPermission,
    CustomerUserObjectPermission,
    RoleBinding,
    TenantGroupObjectPermission,
    TenantUserObjectPermission,
    User,
)
from tenants.models.connections import AppRegistration, Connection
from tenants.models.control import ControlAct
from tenants.models.keys import DataKey
from tenants.models.ledger import LedgerEntry, LedgerHead
from tenants.models.runs import Run
from tenants.models.sign_ins import FailedSignIns
from tenants.models.tenants import Customer, Tenant

__all__ = [
    "ApiToken",
    "AppRegistration",
    "Connection",
    "ControlAct",
    "Customer",
    "CustomerGroupObjectPermission",
    "CustomerUserObjectPermission",
    "DataKey",
    "FailedSignIns",
    "LedgerEntry",
    "LedgerHead",
    "RoleBinding",
    "Run",
    "Tenant",
    "TenantGroupObjectPermission",
    "TenantUserObjectPermission",
    "User",
]
