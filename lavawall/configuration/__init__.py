"""Settings from the environment, each with one clear error."""
