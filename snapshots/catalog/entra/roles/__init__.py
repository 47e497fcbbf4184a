"""Directory roles, privileged access and administrative units."""
