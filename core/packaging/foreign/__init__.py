"""Models that others have trained, read as data."""
