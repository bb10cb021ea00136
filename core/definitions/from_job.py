"""A finished training made a pipeline: what it was told becomes parameters, with its own values as defaults."""

from collections.abc import Iterator, Mapping
from typing import Any

from core.domain.algorithms import ENSEMBLES
from core.domain.automl_settings import settings_of_training
from core.domain.data import AS_FOUND, DataAsset, DataSource
from core.domain.metrics import primary_metrics
from core.domain.names import table_name
from core.domain.pipeline import Parameter, ParameterType, PipelineSpec, PipelineStep, StepKind
from core.domain.training import Algorithm, TrainingSpec

BANK_MARKETING = "bank-marketing"
"""The name by which the Bank Marketing table is fetched, or its twin made."""
HOLDOUT_PCT = 10.0
SECONDS_MAX = 10_000_000
ALGORITHMS = "allowed_training_algorithms"
ASKED = (
    "target",
    "timeout_s",
    "primary_metric",
    "exclude",
    ALGORITHMS,
    "max_trials",
    "n_cross_validations",
    "seed",
    "compute",
)
"""What of a training becomes a parameter; the rest is kept as it was."""
ELSEWHERE = "model_name"
"""A parameter of another step."""


def pipeline_from_training(
    spec: TrainingSpec,
    asset: DataAsset,
    *,
    name: str,
    model: str,
    endpoint: str = "",
    gate: bool = False,
    promote: bool = False,
    when_better: bool = False,
    description: str = "",
    as_registered: bool = False,
) -> PipelineSpec:
    """The pipeline that does a training again, on the table as it is then, and registers its best model.

    With an endpoint the model is deployed there; `gate` lets the run wait for its gate, `promote` gives it all traffic
    when it has passed, and `when_better` does all of this only where the model is better than the live one.
    `asset` is what was trained on; `as_registered` takes it as it was registered, and reads no file again.
    """
    better = when_better and bool(endpoint)
    steps = [_prepare(asset, better), _automl(spec)]
    if better:
        steps.append(
            PipelineStep(
                "evaluate",
                StepKind.EVALUATE,
                settings={"endpoint": "${endpoint}", "metric": "${primary_metric}"},
                inputs={"job": "automl.job", "holdout": "prepare.holdout"},
            )
        )
    when = "evaluate.better" if better else ""
    settings, inputs = {"model": "${model}"}, {"job": "automl.job"}
    steps.append(PipelineStep("register", StepKind.REGISTER, settings=settings, inputs=inputs, when=when))
    if endpoint:
        steps += _live(gate or promote, promote, better)
    parameters = (*_parameters(spec, asset, as_registered, better), *_names(model, endpoint))
    return PipelineSpec(name, tuple(steps), description or _said(spec, asset, endpoint, promote), parameters)


def _prepare(asset: DataAsset, better: bool) -> PipelineStep:
    settings = {"data": "${data}", "target": "${target}", "name": asset.name}
    if better:
        settings["holdout_pct"] = "${holdout_pct}"
    return PipelineStep("prepare", StepKind.PREPARE, settings=settings)


def _automl(spec: TrainingSpec) -> PipelineStep:
    settings: dict[str, Any] = {name: f"${{{name}}}" for name in ASKED}
    settings |= {name: value for name, value in settings_of_training(spec).items() if name not in (*ASKED, ELSEWHERE)}
    return PipelineStep("automl", StepKind.AUTOML, settings=settings, inputs={"data": "prepare.data"})


def _live(gate: bool, promote: bool, better: bool) -> Iterator[PipelineStep]:
    yield PipelineStep(
        "deploy", StepKind.DEPLOY, settings={"endpoint": "${endpoint}"}, inputs={"model": "register.model"}
    )
    deployment = {"deployment": "deploy.deployment"}
    if gate:
        yield PipelineStep("gate", StepKind.GATE, inputs=deployment)
    if promote:
        live = {"live": "evaluate.live"} if better else {}
        yield PipelineStep("promote", StepKind.PROMOTE, inputs={**deployment, "report": "gate.report", **live})


def _parameters(spec: TrainingSpec, asset: DataAsset, as_registered: bool, better: bool) -> Iterator[Parameter]:
    integer, number, string = ParameterType.INTEGER, ParameterType.NUMBER, ParameterType.STRING
    table = f"{asset.name}:latest" if as_registered else table_again(asset)
    yield Parameter("data", ParameterType.DATA, table, "The table to train on", 1)
    yield Parameter("target", string, spec.target, "The column to predict", 1)
    yield Parameter("timeout_s", number, spec.timeout_s, "How long to search, in seconds", 5, SECONDS_MAX)
    metrics = primary_metrics(spec.regression)
    yield Parameter("primary_metric", string, spec.primary_metric, "The metric to optimize", choices=metrics)
    yield Parameter("exclude", ParameterType.LIST, list(spec.exclude), "Columns not used for training")
    kinds = tuple(each.value for each in Algorithm if each not in ENSEMBLES)
    chosen = [each.value for each in spec.allowed_training_algorithms]
    yield Parameter(ALGORITHMS, ParameterType.LIST, chosen, "Algorithms to try; none: all", choices=kinds)
    yield Parameter("max_trials", integer, spec.max_trials, "Trials at most", 1, 1_000_000)
    yield Parameter("n_cross_validations", integer, spec.n_cross_validations, "Folds; 0: automatic", 0, 20)
    yield Parameter("seed", integer, spec.seed, "Seed of the search", 0, 2**31 - 1)
    yield Parameter("compute", string, spec.compute, "The compute to train on", 1)
    if better:
        what = "Percent of the rows that are kept from the training, to compare the models"
        yield Parameter("holdout_pct", number, HOLDOUT_PCT, what, 1, 50)


def _names(model: str, endpoint: str) -> Iterator[Parameter]:
    yield Parameter("model", ParameterType.STRING, model, "The name to register the best model under", 1)
    if endpoint:
        yield Parameter("endpoint", ParameterType.STRING, endpoint, "The endpoint to deploy to", 3, 32)


def table_again(asset: DataAsset) -> str:
    """What `prepare` is to be told to read an asset's table as it is now.

    An upload has no file that changes, and one that was read in a way of its own would be read otherwise: they are
    taken as they are registered.
    """
    way = {field: getattr(asset.reading, field) for field in asset.reading.__dataclass_fields__ if field != "target"}
    usual: Mapping[str, Any] = {field: getattr(AS_FOUND, field) for field in way}
    if asset.source is DataSource.UPLOAD or way != usual:
        return f"{asset.name}:latest"
    if asset.source is DataSource.CACHE:
        return table_name(asset.origin)
    return asset.origin if asset.source is DataSource.FILE else BANK_MARKETING


def _said(spec: TrainingSpec, asset: DataAsset, endpoint: str, promote: bool) -> str:
    then = f", deploy it to {endpoint}" if endpoint else ""
    last = " and promote it when it passes the gate" if endpoint and promote else ""
    return f"Train on {asset.name} to predict {spec.target}, register the best model{then}{last}."
