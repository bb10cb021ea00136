"""The one process that compares what is wanted with what is, and acts: `python -m core.local.service`."""
