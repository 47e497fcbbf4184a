"""What differs between two documents. Pure."""
