"""Executes an approved plan step by step and verifies the result."""
