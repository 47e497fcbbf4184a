"""Checks that prevent harmful plans."""
