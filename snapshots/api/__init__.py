"""The REST API of snapshots: taking and reading them, their resources, coverage, and the history of a resource."""
