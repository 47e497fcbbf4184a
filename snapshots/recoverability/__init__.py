"""Whether and how each resource could be brought back."""
