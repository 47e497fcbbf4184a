"""Rules for the organisation, domains, groups and tenant-wide policies."""
