"""How people sign in: methods, Conditional Access, devices."""
