"""Errors of reading and addressing objects."""

from tenants.errors import DomainError


class IncompleteObject(DomainError):
    """An object lacks a property that identifies it, or that the path to it needs."""
