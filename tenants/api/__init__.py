"""The REST API of this room, and the pieces of which every room's API is made."""
