"""Customers, tenants, the keys to them, the people who may act, and the ledger of what they did."""

from django.apps import AppConfig


class TenantsConfig(AppConfig):
    name = "tenants"
    verbose_name = "Tenants"
