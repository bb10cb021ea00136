"""The backend `azure`: every verb of the interface over Azure Machine Learning."""

import time
from collections.abc import Callable

from core.azure.collections.computes import AzureComputes
from core.azure.collections.data import AzureData
from core.azure.collections.endpoints import AzureEndpoints
from core.azure.collections.jobs import AzureJobs
from core.azure.collections.models import AzureModels
from core.azure.collections.pipelines import AzurePipelines
from core.azure.collections.proofs import AzureProofs
from core.azure.collections.records import AzureRecords
from core.azure.collections.schedules import AzureSchedules
from core.azure.collections.service import AzureService
from core.azure.context import Context
from core.azure.queueing import Queueing
from core.azure.tables import Tables
from core.settings import Settings
from core.workspace import Workspace
from core.workspace.pace import Pace

LOOK_S = 2.0
"""Azure limits how often a subscription is read (12,000 reads an hour), and most states there take longer to change."""
RECORDS_S = 300.0
"""Application Insights usually tells of a request after a minute or two, at times after five."""
START_S = 1800.0
"""A managed deployment takes 8 to 20 minutes to start."""


def open_azure(settings: Settings, clock: Callable[[], float] = time.time, *, confined: bool = False) -> Workspace:
    """The workspace of Azure ML that the settings name. Opening does no input or output; the first verb does.

    `confined`: paths that are given to it are read only below the folders that the settings allow.
    """
    context = Context(settings, clock, confined=confined)
    tables = Tables(context)
    jobs = AzureJobs(context, tables)
    models = AzureModels(context, tables, jobs)
    endpoints = AzureEndpoints(context, models)
    jobs.queueing = Queueing(context, tables, models, endpoints)
    data = AzureData(context, tables, jobs, models, endpoints)
    pipelines = AzurePipelines(context)
    return Workspace(
        settings,
        data=data,
        computes=AzureComputes(context),
        jobs=jobs,
        models=models,
        endpoints=endpoints,
        proofs=AzureProofs(context, endpoints),
        records=AzureRecords(context),
        pipelines=pipelines,
        schedules=AzureSchedules(context, pipelines, data),
        service=AzureService(context),
        pace=Pace(LOOK_S, START_S, RECORDS_S),
        notice=settings.azure_notice,
    )
