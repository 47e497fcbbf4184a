"""Integrity and confidentiality: keys, sealed rows, append-only tables, the ledger."""
