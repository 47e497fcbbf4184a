"""Durable runs: work that survives the process that performs it."""
