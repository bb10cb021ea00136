"""What several checks need to ask an endpoint: rows from everywhere, and bodies that are changed on purpose."""
