"""Home: what is live, what runs, and the way to the first live model."""
