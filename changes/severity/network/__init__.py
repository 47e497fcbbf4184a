"""Which addresses a list covers, and what the internet reaches."""
