"""The canonical form of a document: one value for one state. Pure."""
