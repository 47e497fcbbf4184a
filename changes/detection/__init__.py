"""Detects changes between two snapshots and grades them."""
