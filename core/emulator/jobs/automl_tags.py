"""How Azure describes an AutoML job and its children: tags and properties as its recordings have them."""

import hashlib
import json
import platform
from collections.abc import Mapping
from typing import Any

from core.domain.data import DataAsset
from core.domain.metrics import metric_named
from core.domain.training import Trial, TrialState
from core.emulator.emulation import Emulation
from core.emulator.jobs import runs
from core.emulator.jobs.automl_settings import AutoML
from core.emulator.jobs.runs import Run

CHUNK = 20
"""So many children stand in one tag; those after them in the next (`score_000`, `score_001`)."""
COLUMNS = (
    "pipeline_id", "score", "predicted_cost", "fit_time", "training_percent", "iteration", "run_preprocessor",
    "run_algorithm",
)  # fmt: skip
ENSEMBLES: Mapping[str, str] = {"VotingEnsemble": "__AutoML_Ensemble__", "StackEnsemble": "__AutoML_Stack_Ensemble__"}
PHASES = {"setup": "automl.setup", "featurize": "automl.featurization", "ModelExplain": "automl.model_explain"}


def parent_tags(emulation: Emulation, asked: AutoML) -> dict[str, str]:
    """What the service adds to the tags of an AutoML job when it begins."""
    tables = {"TrainData": _table(asked.data), "TestData": None, "ValidData": _table(asked.validation)}
    return {
        "_aml_system_automl_mltable_data_json": _json({"Type": "MLTable", **tables}),
        "model_explain_run": "best_run",
        "_aml_system_automl_run_workspace_id": emulation.names.workspace_id,
        "_aml_system_azureml.automlComponent": "AutoML",
    }


def parent_properties(emulation: Emulation, run: Run, asked: AutoML) -> dict[str, Any]:
    """What the service adds to the properties of an AutoML job when it begins."""
    names = emulation.names
    return {
        "num_iterations": str(asked.max_trials),
        "training_type": "TrainFull",
        "acquisition_function": "EI",
        "primary_metric": asked.metric,
        "train_split": f"{asked.validation_share:g}",
        "acquisition_parameter": "0",
        "num_cross_validation": str(asked.folds or ""),
        "target": run.compute or "serverless",
        "AMLSettingsJsonString": _json(_settings(emulation, run, asked)),
        "DataPrepJsonString": None,
        "EnableSubsampling": "False",
        "runTemplate": "AutoML",
        "azureml.runsource": "automl",
        "ClientType": "Mfe",
        "_aml_system_scenario_identification": "Remote.Parent",
        "environment_cpu_name": "AzureML-AutoML",
        "environment_cpu_label": "prod",
        "environment_gpu_name": "AzureML-AutoML-GPU",
        "environment_gpu_label": "prod",
        "root_attribution": "automl",
        "attribution": "AutoML",
        "Orchestrator": "AutoML",
        "CancelUri": f"https://{names.api_host}/jasmine/v1.0{names.workspace_path}/runs/{run.id}/cancel",
        "mltable_data_json": _json({"Type": "MLTable", "TrainData": {"Uri": asked.data}}),
        "ClientSdkVersion": "1.60.0",
        "snapshotId": "00000000-0000-0000-0000-000000000000",
        "SetupRunId": f"{run.id}_setup",
        "SetupRunContainerId": f"dcid.{run.id}_setup",
        "FeaturizationRunJsonPath": "featurizer_container.json",
        "FeaturizationRunId": f"{run.id}_featurize",
        "ModelExplainRunId": f"{run.id}_ModelExplain",
    }


def problem(asset: DataAsset) -> str:
    """`ProblemInfoJsonString`: how large the table is."""
    return _json({"subsampling": False, "dataset_features": len(asset.columns) - 1, "dataset_samples": asset.rows})


def listing(tags: Mapping[str, str], trials: tuple[Trial, ...], metric: str) -> dict[str, str]:
    """A parent's tags with those that list its children: an only one in angle brackets, or many in twenties."""
    return {name: value for name, value in tags.items() if name not in COLUMNS} | _of_children(trials, metric)


def _of_children(trials: tuple[Trial, ...], metric: str) -> dict[str, str]:
    done = [trial for trial in trials if trial.state is TrialState.SUCCEEDED and metric in trial.metrics]
    columns = {
        "pipeline_id": [_pipeline(trial) for trial in done],
        "score": [repr(trial.metrics[metric]) for trial in done],
        "predicted_cost": ["0" for _ in done],
        "fit_time": [f"{trial.duration_s:.6f}" for trial in done],
        "training_percent": ["100" for _ in done],
        "iteration": [str(trial.number) for trial in done],
        "run_preprocessor": [trial.featurizer for trial in done],
        "run_algorithm": [trial.algorithm for trial in done],
    }
    if len(done) == 1:
        return {name: f"<{values[0]}>;" for name, values in columns.items()}
    return {
        f"{name}_{start // CHUNK:03d}": ";".join(values[start : start + CHUNK])
        for name, values in columns.items()
        for start in range(0, len(values), CHUNK)
    }


def child(emulation: Emulation, parent: Run, trial: Trial, status: str, metric: str) -> Run:
    """A trial as a child run."""
    clock = emulation.clock
    started = clock.shown(trial.started_at) if trial.started_at else clock.now()
    final = status in runs.FINAL
    score = trial.metrics.get(metric)
    return Run(
        id=f"{parent.id}_{trial.number}",
        experiment=parent.experiment,
        kind="trial",
        created_at=started,
        status=status,
        parent=parent.id,
        root=parent.root or parent.id,
        display_name=f"{parent.display_name}_{trial.number}" if parent.display_name else f"{parent.id}_{trial.number}",
        started_at=started,
        ended_at=started + trial.duration_s if final else None,
        tags={"_aml_system_azureml.automlComponent": "AutoML", "mlflow.parentRunId": parent.id},
        properties={
            "runTemplate": "automl_child",
            "azureml.runsource": "automl",
            "pipeline_id": _pipeline(trial),
            "pipeline_spec": _json({"pipeline_id": _pipeline(trial), "objects": [_spec(trial)]}),
            "training_percent": "100",
            "predicted_cost": None,
            "iteration": str(trial.number),
            "run_preprocessor": trial.featurizer,
            "run_algorithm": trial.algorithm,
            "_aml_system_scenario_identification": "Remote.Child",
            "primary_metric": metric,
            "conda_env_data_location": _artifact(parent, trial, "conda_env_v_1_0_0.yml"),
            "model_data_location": _artifact(parent, trial, "model.pkl"),
            "fit_time": f"{trial.duration_s:.6f}" if final else None,
            "goal": f"{metric}_{_way(metric)[:3]}",
            "score": None if score is None else repr(score),
        },
        params={name: str(value) for name, value in trial.params.items() if value is not None},
        error={"code": "UserError", "message": trial.error} if trial.error and status == "Failed" else None,
        compute=parent.compute,
        local={"job": parent.local["job"], "trial": trial.number},
    )


def phase(emulation: Emulation, parent: Run, name: str, status: str) -> Run:
    """A part of an AutoML job that trains nothing, as a child: `{parent}_setup`."""
    now = emulation.clock.now()
    run = Run(
        id=f"{parent.id}_{name}",
        experiment=parent.experiment,
        kind="phase",
        created_at=now,
        status=status,
        parent=parent.id,
        root=parent.root or parent.id,
        display_name=f"{parent.id}_{name}",
        started_at=now,
        ended_at=now if status in runs.FINAL else None,
        tags={"_aml_system_azureml.automlComponent": "AutoML", "mlflow.parentRunId": parent.id},
        properties={"runTemplate": "automl_child", "azureml.runsource": PHASES[name], "ContentSnapshotId": ""},
        compute=parent.compute,
    )
    runs.child_document(emulation, run)
    return runs.keep(emulation, run)


def _settings(emulation: Emulation, run: Run, asked: AutoML) -> Mapping[str, Any]:
    names = emulation.names
    return {
        "path": "./sample_projects/",
        "subscription_id": names.subscription,
        "resource_group": names.resource_group,
        "workspace_name": names.workspace,
        "compute_target": run.compute or "serverless",
        "iterations": asked.max_trials,
        "primary_metric": asked.metric,
        "task_type": asked.task.lower(),
        "IsImageTask": False,
        "IsTextDNNTask": False,
        "n_cross_validations": asked.folds or None,
        "max_concurrent_iterations": asked.max_concurrent,
        "experiment_timeout_minutes": int(asked.timeout_s / 60),
        "exit_score": "NaN" if asked.exit_score is None else asked.exit_score,
        "metric_operation": _way(asked.metric),
        "enable_early_stopping": asked.early_termination,
        "early_stopping_n_iters": 20,
        "featurization": str(asked.featurization.mode),
        "label_column_name": asked.target,
        "save_mlflow": True,
        "track_child_runs": True,
        "python": platform.python_version(),
    }


def _pipeline(trial: Trial) -> str:
    if trial.algorithm in ENSEMBLES:
        return ENSEMBLES[trial.algorithm]
    return hashlib.sha1(f"{trial.algorithm}{sorted(trial.params.items())}".encode(), usedforsecurity=False).hexdigest()


def _way(metric: str) -> str:
    return "maximize" if metric_named(metric).higher_is_better else "minimize"


def _table(uri: str) -> Mapping[str, Any] | None:
    return {"Uri": uri, "ResolvedUri": None, "AssetId": None} if uri else None


def _spec(trial: Trial) -> Mapping[str, Any]:
    return {"class_name": trial.algorithm, "param_kwargs": dict(trial.params), "spec_class": "sklearn"}


def _artifact(parent: Run, trial: Trial, name: str) -> str:
    return f"aml://artifact/ExperimentRun/dcid.{parent.id}_{trial.number}/outputs/{name}"


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))
