"""Applications, their policies, and what they may do."""
