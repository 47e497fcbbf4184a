"""Prepares a plan from the live tenant and stores it."""
