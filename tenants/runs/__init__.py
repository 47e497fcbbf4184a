"""Durable runs: work that outlives the process that does it."""
