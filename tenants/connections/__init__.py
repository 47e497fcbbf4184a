"""How a tenant is reached: onboarding, stored credentials, connection tests, clients."""
