"""Code shared by the pages and APIs of all apps."""
