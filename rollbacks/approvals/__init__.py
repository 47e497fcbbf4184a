"""Signatures under a plan, and which of them count."""
