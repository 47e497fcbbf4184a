"""Severity rules for Microsoft 365."""
