"""What pages and API of every app share."""
