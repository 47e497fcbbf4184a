"""Whether and how each resource can be restored."""
