"""The REST API of changes: the timeline, comparison of snapshots, and Microsoft's audit events."""
