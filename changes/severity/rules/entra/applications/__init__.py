"""Rules for applications and consents."""
