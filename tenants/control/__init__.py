"""Control over accounts: the record of control actions, the graph that they form, and their confirmation."""
