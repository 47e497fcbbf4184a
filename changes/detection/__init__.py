"""From two snapshots to graded changes."""
