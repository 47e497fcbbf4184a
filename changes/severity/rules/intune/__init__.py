"""Severity rules for Microsoft Intune."""
