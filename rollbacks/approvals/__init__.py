"""Signatures on a plan, and which of them count."""
