"""`job`."""

from argparse import ArgumentTypeError, Namespace
from pathlib import Path
from typing import Any

from core.cli.command import Command, Context, arg
from core.cli.following import ended
from core.cli.outputs import write_output
from core.cli.values import data_ref
from core.domain.job import JobKind
from core.domain.metrics import PRIMARY_METRICS
from core.domain.training import Algorithm, TrainingSpec

ID = arg("job", metavar="JOB", help="a job's id")
LIST = ("id", "kind", "state", "experiment_name", "created_at", "message")


def _submit(context: Context, options: Namespace) -> Any:
    spec = TrainingSpec(
        data=options.data,
        target=options.target,
        timeout_s=options.timeout,
        primary_metric=options.metric,
        exclude=tuple(options.exclude),
        allowed_training_algorithms=tuple(Algorithm(name) for name in options.algorithm),
        max_trials=options.max_trials,
        n_cross_validations=options.folds,
        seed=options.seed,
        experiment_name=options.experiment,
        compute=options.compute,
        model_name=options.model,
    )
    job = context.workspace.jobs.submit(spec)
    return ended(context, job.id) if options.wait else job


def _list(context: Context, options: Namespace) -> Any:
    return context.workspace.jobs.list(
        JobKind(options.kind) if options.kind else None,
        options.limit,
        endpoint=options.endpoint,
        experiment_name=options.experiment,
        data=options.data,
    )


def _trials(context: Context, options: Namespace) -> Any:
    """All of them; for people with the one metric that the job optimised."""
    trials = context.workspace.jobs.trials(options.job)
    if options.json:
        return trials
    spec = context.workspace.jobs.get(options.job).spec
    metric = spec.primary_metric if isinstance(spec, TrainingSpec) else "AUC_weighted"
    return [
        {
            "number": trial.number,
            "algorithm": trial.algorithm,
            "state": trial.state,
            metric: trial.metrics.get(metric),
            "duration_s": trial.duration_s,
            "error": trial.error,
        }
        for trial in trials
    ]


def _compare(context: Context, options: Namespace) -> Any:
    compared = context.workspace.jobs.compare(options.trials)
    return [
        {"trial": trial.number, "algorithm": trial.algorithm, **dict(zip(compared.metrics, row, strict=True))}
        for trial, row in zip(compared.trials, compared.rows, strict=True)
    ]


def _output(context: Context, options: Namespace) -> Any:
    write_output(context, options.job, options.file)
    return {"file": str(Path(options.file).absolute())}


def _trial_pick(text: str) -> tuple[str, int]:
    job, _, number = text.rpartition(":")
    if not job or not number.isdecimal():
        raise ArgumentTypeError(f"'{text}' is not JOB:NUMBER")
    return job, int(number)


SUBMIT = (
    arg("--data", required=True, type=data_ref, metavar="NAME[:VERSION]", help="the table to train on"),
    arg("--target", required=True, help="the column to predict"),
    arg("--timeout", type=float, default=60.0, metavar="SECONDS", help="time for the search (default: %(default)s)"),
    arg(
        "--metric",
        default="AUC_weighted",
        choices=PRIMARY_METRICS,
        help="the primary metric, which the search optimizes for",
    ),
    arg("--exclude", action="append", default=[], metavar="COLUMN", help="exclude this column; repeatable"),
    arg(
        "--algorithm",
        action="append",
        default=[],
        choices=tuple(map(str, Algorithm)),
        help="only this algorithm; repeatable",
    ),
    arg("--max-trials", type=int, default=100, help="at most this many (default: %(default)s)"),
    arg("--folds", type=int, default=0, help="cross-validation folds; 0: chosen by the number of rows"),
    arg("--seed", type=int, default=7, help="the random seed (default: %(default)s)"),
    arg("--experiment", default="default", metavar="NAME", help="the experiment it belongs to"),
    arg("--compute", default="local", metavar="NAME", help="whose limits apply"),
    arg("--model", default="", metavar="NAME", help="register the best model under this name"),
    arg("--wait", action="store_true", help="until it has ended"),
)

COMMANDS = (
    Command("job submit", "queue an AutoML job", _submit, SUBMIT, starts_service=True),
    Command(
        "job list",
        "the newest jobs",
        _list,
        (
            arg("--kind", choices=tuple(map(str, JobKind)), help="only this kind"),
            arg("--endpoint", default="", metavar="NAME", help="only batches, gates and load tests of this endpoint"),
            arg("--experiment", default="", metavar="NAME", help="only those of this experiment"),
            arg("--data", type=data_ref, metavar="NAME:VERSION", help="only those that use this data version"),
            arg("--limit", type=int, default=100, help="at most this many (default: %(default)s)"),
        ),
        columns=LIST,
    ),
    Command(
        "job get",
        "one job",
        lambda context, options: context.workspace.jobs.get(options.job),
        (ID,),
        formerly=("show",),
    ),
    Command(
        "job wait",
        "wait until it has ended; exits 1 unless it succeeded",
        lambda context, options: ended(context, options.job),
        (ID,),
        starts_service=True,
    ),
    Command(
        "job trials",
        "the leaderboard's rows",
        _trials,
        (ID,),
    ),
    Command(
        "job trial",
        "one trial with its log",
        lambda context, options: context.workspace.jobs.trial(options.job, options.number),
        (ID, arg("number", type=int)),
    ),
    Command(
        "job compare",
        "trials of any jobs side by side",
        _compare,
        (arg("trials", metavar="JOB:NUMBER", nargs="+", type=_trial_pick),),
    ),
    Command(
        "job logs",
        "its last lines",
        lambda context, options: context.workspace.jobs.logs(options.job, options.limit),
        (ID, arg("--limit", type=int, default=1000, help="at most this many (default: %(default)s)")),
        columns=("at", "level", "text"),
    ),
    Command(
        "job output",
        "write the table that a batch job scored, as CSV",
        _output,
        (ID, arg("file", metavar="FILE", help="where to")),
    ),
    Command(
        "job cancel",
        "cancel it",
        lambda context, options: context.workspace.jobs.cancel(options.job),
        (ID,),
        starts_service=True,
    ),
    Command(
        "job extend",
        "give an ended training job more time: a new job that starts from its trials",
        lambda context, options: context.workspace.jobs.extend(options.job, options.timeout),
        (ID, arg("--timeout", type=float, default=60.0, metavar="SECONDS", help="(default: %(default)s)")),
        starts_service=True,
        formerly=("continue",),
    ),
)
