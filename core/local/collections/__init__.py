"""The collections of a local workspace, one module a noun; `core.local.workspace` puts them together."""
