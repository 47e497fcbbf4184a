"""The organisation, its domains, groups and tenant-wide policies."""
