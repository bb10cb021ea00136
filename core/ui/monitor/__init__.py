"""Monitor: what the endpoints were asked, and how they answered."""
