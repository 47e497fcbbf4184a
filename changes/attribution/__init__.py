"""Which audit events explain a change, and who caused them."""
