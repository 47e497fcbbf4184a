"""Permissions: the role matrix, the one permission function, and admin base classes that use it."""
