"""Rules for sign-in: methods, Conditional Access, locations, devices."""
