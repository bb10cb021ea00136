"""All routes of jobs and runs, in the order in which they are tried."""

from core.emulator.jobs import (
    discovery,
    history,
    kind,
    metrics_plane,
    mlflow,
    mlflow_experiments,
    mlflow_models,
    outputs,
    schedules,
)

ROUTES = (
    *kind.ROUTES,
    *discovery.ROUTES,
    *history.ROUTES,
    *mlflow.ROUTES,
    *mlflow_experiments.ROUTES,
    *mlflow_models.ROUTES,
    *metrics_plane.ROUTES,
    *outputs.ROUTES,
    *schedules.ROUTES,
)
