"""What all pages share: the site of the admin, middleware, sessions, health and error pages."""
