"""Who may do what: the declared matrix, the one permission function, and the admin that obeys it."""
