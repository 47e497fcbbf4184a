"""Reads a tenant's configuration and takes snapshots of it."""
