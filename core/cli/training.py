"""The options of a training, and the spec that they ask for."""

from argparse import ArgumentTypeError, Namespace
from collections.abc import Mapping
from pathlib import Path

from core.cli.command import arg
from core.cli.values import assignment, data_ref
from core.domain.algorithms import ENSEMBLES
from core.domain.errors import SpecInvalid
from core.domain.featurization import Featurization, FeaturizationMode, Imputation, Purpose
from core.domain.metrics import PRIMARY_METRICS, REGRESSION_METRICS
from core.domain.search_space import EXAMPLE, SearchSpace, space_from_json
from core.domain.training import BALANCED, TRIALS_USUAL, Algorithm, Cost, Sampling, Task, TrainingSpec

KNOWN = tuple(str(name) for name in Algorithm if name not in ENSEMBLES)


def training_spec(options: Namespace) -> TrainingSpec:
    """What the options ask for. Raises SpecInvalid."""
    return TrainingSpec(
        data=options.data,
        target=options.target,
        timeout_s=options.timeout,
        task=Task(options.task),
        primary_metric=options.metric,
        exclude=tuple(options.exclude),
        allowed_training_algorithms=tuple(Algorithm(name) for name in options.algorithm),
        blocked_training_algorithms=tuple(Algorithm(name) for name in options.block),
        max_trials=options.max_trials,
        max_concurrent_trials=options.concurrent,
        trial_timeout_s=options.trial_timeout,
        exit_score=options.exit_score,
        enable_early_termination=not options.no_early_termination,
        enable_vote_ensemble=not options.no_vote_ensemble,
        enable_stack_ensemble=not options.no_stack_ensemble,
        sampling_algorithm=Sampling(options.sampling),
        search_space=_search_space(options.search_space),
        featurization=_featurization(options),
        n_cross_validations=options.folds,
        validation_share=options.validation_share,
        validation_data=options.validation_data,
        class_weights=_class_weights(options.class_weight),
        cost_matrix=tuple(_cost(*named) for named in options.cost),
        max_predict_ms=options.max_predict_ms,
        seed=options.seed,
        experiment_name=options.experiment,
        compute=options.compute,
        model_name=options.model,
    )


def _search_space(path: str) -> SearchSpace:
    """A file of algorithm -> hyperparameter -> distribution, by the names of `Distribution`'s fields."""
    if not path:
        return {}
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as e:
        raise SpecInvalid(f"Cannot read the search space in '{path}': {e}", hint=f"Such as {EXAMPLE}") from e
    return space_from_json(text)


def _featurization(options: Namespace) -> Featurization:
    """By column where one is named, else as the mode says."""
    purposes = {column: Purpose(value) for column, value in options.purpose}
    imputations = {column: Imputation(value) for column, value in options.impute}
    mode = FeaturizationMode(options.featurization)
    if mode is FeaturizationMode.AUTO and (purposes or imputations):
        mode = FeaturizationMode.CUSTOM
    return Featurization(mode, purposes, imputations)


def _class_weights(given: list[str]) -> str | Mapping[str, float]:
    if not given or given == [BALANCED]:
        return "".join(given)
    weights: dict[str, float] = {}
    for text in given:
        name, _, weight = text.rpartition("=")
        try:
            weights[name] = float(weight)
        except ValueError as e:
            raise SpecInvalid(f"'{text}' is not CLASS=WEIGHT", hint=f"Or give --class-weight {BALANCED} alone") from e
    return weights


def _cost(actual: str, predicted: str, cost: str) -> Cost:
    try:
        return Cost(actual, predicted, float(cost))
    except ValueError as e:
        raise SpecInvalid(f"The cost '{cost}' is not a number") from e


def _purpose(text: str) -> tuple[str, str]:
    return _one_of(text, tuple(map(str, Purpose)))


def _imputation(text: str) -> tuple[str, str]:
    return _one_of(text, tuple(str(how) for how in Imputation if how is not Imputation.CONSTANT))


def _one_of(text: str, known: tuple[str, ...]) -> tuple[str, str]:
    column, value = assignment(text)
    if value not in known:
        raise ArgumentTypeError(f"'{value}' is none of {', '.join(known)}")
    return column, value


SUBMIT = (
    arg("--data", required=True, type=data_ref, metavar="NAME[:VERSION]", help="the table to train on"),
    arg("--target", required=True, help="the column to predict"),
    arg("--timeout", type=float, default=60.0, metavar="SECONDS", help="time for the search (default: %(default)s)"),
    arg(
        "--task",
        default=str(Task.CLASSIFICATION),
        choices=tuple(map(str, Task)),
        help="predict a class, or a number (default: %(default)s)",
    ),
    arg(
        "--metric",
        default="",
        choices=(*PRIMARY_METRICS, *REGRESSION_METRICS),
        metavar="METRIC",
        help=f"the primary metric, which the search optimizes for: {', '.join(PRIMARY_METRICS)} (default: the first); "
        f"for regression {', '.join(REGRESSION_METRICS)}",
    ),
    arg("--exclude", action="append", default=[], metavar="COLUMN", help="exclude this column; repeatable"),
    arg(
        "--algorithm",
        action="append",
        default=[],
        choices=KNOWN,
        metavar="NAME",
        help=f"only this algorithm; repeatable: {', '.join(KNOWN)}",
    ),
    arg("--block", action="append", default=[], choices=KNOWN, metavar="NAME", help="not this algorithm; repeatable"),
    arg("--max-trials", type=int, default=TRIALS_USUAL, help="at most this many (default: %(default)s)"),
    arg("--concurrent", type=int, default=0, metavar="TRIALS", help="trials at once; 0: as many as the compute allows"),
    arg("--trial-timeout", type=float, default=0.0, metavar="SECONDS", help="stop a trial then; 0: planned by itself"),
    arg("--exit-score", type=float, metavar="SCORE", help="end once the primary metric is this good"),
    arg("--no-early-termination", action="store_true", help="use all of the time, and end no trial early"),
    arg("--no-vote-ensemble", action="store_true", help="make no voting ensemble"),
    arg("--no-stack-ensemble", action="store_true", help="make no stack ensemble"),
    arg(
        "--sampling",
        default=str(Sampling.DEFAULT),
        choices=tuple(str(s) for s in Sampling if s),
        help="where hyperparameters come from (default: known good ones first, then around the best)",
    ),
    arg("--search-space", default="", metavar="FILE", help="JSON: algorithm, hyperparameter, distribution"),
    arg(
        "--featurization",
        default=str(FeaturizationMode.AUTO),
        choices=(str(FeaturizationMode.AUTO), str(FeaturizationMode.OFF)),
        help="whether columns are made from columns (default: %(default)s)",
    ),
    arg(
        "--purpose",
        action="append",
        default=[],
        type=_purpose,
        metavar="COLUMN=PURPOSE",
        help=f"what a column is taken for; repeatable: {', '.join(Purpose)}",
    ),
    arg(
        "--impute",
        action="append",
        default=[],
        type=_imputation,
        metavar="COLUMN=HOW",
        help="what stands for a missing cell of a column; repeatable: mean, median, most_frequent",
    ),
    arg(
        "--folds",
        type=int,
        default=0,
        help="cross-validation folds; 0: by the number of rows, from a million on none",
    ),
    arg("--validation-share", type=float, default=0.0, metavar="SHARE", help="hold out this share of the rows instead"),
    arg("--validation-data", type=data_ref, metavar="NAME[:VERSION]", help="judge on this table instead"),
    arg(
        "--class-weight",
        action="append",
        default=[],
        metavar="CLASS=WEIGHT",
        help=f"what an error on a row of a class weighs; repeatable, or `{BALANCED}` alone",
    ),
    arg(
        "--cost",
        action="append",
        default=[],
        nargs=3,
        metavar=("ACTUAL", "PREDICTED", "COST"),
        help="what it costs to predict one class where another is right; below 0 it earns; repeatable",
    ),
    arg("--max-predict-ms", type=float, default=0.0, metavar="MS", help="time that the model may take for one row"),
    arg("--seed", type=int, default=7, help="the random seed (default: %(default)s)"),
    arg("--experiment", default="default", metavar="NAME", help="the experiment it belongs to"),
    arg("--compute", default="local", metavar="NAME", help="whose limits apply"),
    arg("--model", default="", metavar="NAME", help="register the best model under this name"),
    arg("--wait", action="store_true", help="until it has ended"),
)
