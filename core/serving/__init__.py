"""The scoring server: one process group per endpoint, which knows model folders and one endpoint file."""
