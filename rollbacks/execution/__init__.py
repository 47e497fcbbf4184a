"""Carrying out an approved plan, step by step, and verifying the result."""
