"""Connections to tenants: onboarding, stored credentials, connection tests, clients."""
