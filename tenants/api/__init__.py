"""The REST API of this app, and base classes for the APIs of all apps."""
