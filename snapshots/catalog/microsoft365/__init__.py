"""Settings of Microsoft 365."""
