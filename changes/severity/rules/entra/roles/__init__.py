"""Rules for directory roles and privileged access."""
