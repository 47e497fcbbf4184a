"""Planning as pure functions: targets and the live state in, ordered steps out. Reads and sends nothing."""
