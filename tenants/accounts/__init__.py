"""People: their accounts, roles and tokens, and how they sign in."""
