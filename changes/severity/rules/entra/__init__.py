"""Severity rules for Microsoft Entra ID."""
