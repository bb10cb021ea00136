"""The checks themselves."""
