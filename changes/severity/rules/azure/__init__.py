"""Severity rules for Azure subscriptions."""
