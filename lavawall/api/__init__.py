"""The REST API: authentication, errors, pagination and URLs."""
