"""What a Conditional Access policy enforces, and how two versions of it compare."""
