"""Who controls which account: the record of such acts, the graph they form, and their confirmation."""
