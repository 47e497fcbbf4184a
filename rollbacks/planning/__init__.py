"""Planning as pure functions: takes targets and the live state, returns ordered steps. Reads and sends
nothing.
"""
