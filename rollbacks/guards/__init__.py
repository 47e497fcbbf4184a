"""What keeps a plan from doing harm."""
