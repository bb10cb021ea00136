"""The local backend: every verb over the store, the workspace folder and the scoring servers' own doors.

A verb writes what is wanted and returns; the service makes it so.
"""

import time
from collections.abc import Callable

from core.local.collections.computes import LocalComputes
from core.local.collections.data import LocalData
from core.local.collections.endpoints import LocalEndpoints
from core.local.collections.jobs import LocalJobs
from core.local.collections.models import LocalModels
from core.local.collections.pipelines import LocalPipelines
from core.local.collections.proofs import LocalProofs
from core.local.collections.records import LocalRecords
from core.local.collections.schedules import LocalSchedules
from core.local.collections.service import LocalService
from core.local.context import Context
from core.settings import Settings
from core.workspace import Workspace


def open_local(settings: Settings, clock: Callable[[], float] = time.time, *, confined: bool = False) -> Workspace:
    """The workspace in the folder `settings.home`. Opening does no input or output; the first verb does.

    `confined`: paths that are given to it are read only below the folders that the settings allow.
    """
    context = Context(settings, clock, confined=confined)
    data, pipelines = LocalData(context), LocalPipelines(context)
    return Workspace(
        settings,
        data=data,
        computes=LocalComputes(context),
        jobs=LocalJobs(context, data),
        models=LocalModels(context),
        endpoints=LocalEndpoints(context),
        proofs=LocalProofs(context),
        records=LocalRecords(context),
        pipelines=pipelines,
        schedules=LocalSchedules(context, pipelines),
        service=LocalService(context),
    )
