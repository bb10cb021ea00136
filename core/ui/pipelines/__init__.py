"""Pipelines: definitions to publish, and their runs."""
