"""Which configuration is next, and whether there is time for it."""
