"""Azure Machine Learning's own HTTP surface over an opened workspace, for unmodified clients of Azure.

A request comes through `proxy` (CONNECT, loopback) and `server` (TLS under Azure's host names) to `app`, which finds
its handler in `table` by host and path. Handlers keep Azure's resources in `state` as Azure would show them, and ask
the workspace, through its interface alone, for whatever must really happen.
"""
