"""Reading a tenant's configuration and taking a snapshot of it."""
