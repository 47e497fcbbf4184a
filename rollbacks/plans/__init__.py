"""Preparing a plan from the live tenant, and keeping it."""
