"""The processes of an installation: how they start, end together, are scheduled and watched."""
