"""The content-addressed, encrypted store of documents."""
