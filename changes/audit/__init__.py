"""Microsoft's audit and sign-in logs: reading them, keeping them, and matching their events to changes."""
