"""Explore: the registered tables, column by column."""
