"""Frozen values, one module a noun. Everything a `Workspace` verb takes or gives lives here; nothing here does I/O."""
