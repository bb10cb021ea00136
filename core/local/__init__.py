"""The embedded backend: one machine, one SQLite store, one service that owns every child process."""
