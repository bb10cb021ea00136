"""The local backend: every verb over the store, the workspace folder and the scoring servers' own doors.

A verb writes what is wanted and returns; the service makes it so.
"""

from core.local.collections.service import AdminVerbs


class LocalWorkspace(AdminVerbs):
    """`Workspace` on this machine. `capabilities` says which verbs it can do."""
