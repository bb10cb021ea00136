"""Quality: gates as they run, and the reports they leave."""
