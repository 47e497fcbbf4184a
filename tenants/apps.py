"""Customers, tenants, connections, users and their roles, and the ledger."""

from django.apps import AppConfig


class TenantsConfig(AppConfig):
    name = "tenants"
    verbose_name = "Tenants"
