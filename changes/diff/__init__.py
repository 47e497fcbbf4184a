"""The differences between two documents. Pure."""
