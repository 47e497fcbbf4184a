"""The canonical form of a document: equal states have equal values. Pure."""
