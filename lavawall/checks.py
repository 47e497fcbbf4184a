"""System checks: `manage.py check` fails where the catalogue contradicts itself or the pace endangers a tenant."""
