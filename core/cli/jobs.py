"""`job`."""

from argparse import ArgumentTypeError, Namespace
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from core.cli.command import Command, Context, arg
from core.cli.explaining import COMMANDS as EXPLAINING
from core.cli.following import ended
from core.cli.outputs import write_output
from core.cli.show import as_text
from core.cli.training import SUBMIT, training_spec
from core.cli.values import data_ref
from core.domain.errors import Conflict, SpecInvalid
from core.domain.job import JobKind
from core.domain.metrics import METRICS, PRIMARY_METRICS
from core.domain.plain import plain
from core.domain.ranking import ranked, spread
from core.domain.training import TrainingResult, TrainingSpec, Trial
from core.domain.trial import Comparison

ID = arg("job", metavar="JOB", help="a job's id")
GAIN = ("against_first", "gain_metric", "gain", "gain_low", "gain_high", "gain_p_value")
UNSURE = "may be luck"
LIST = ("id", "kind", "state", "experiment_name", "created_at", "message")


def _submit(context: Context, options: Namespace) -> Any:
    job = context.workspace.jobs.submit(training_spec(options))
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
    metric = _metric(context, options.job)
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


def _leaderboard(context: Context, options: Namespace) -> Any:
    """Best first by the metric asked for; in JSON with everything there is to each trial."""
    metric = options.metric or _metric(context, options.job)
    found = context.workspace.jobs.get(options.job).result
    won = found.best.number if isinstance(found, TrainingResult) else None
    rows = enumerate(ranked(context.workspace.jobs.trials(options.job), metric), 1)
    if options.json:
        return [{**_whole(trial, metric, rank), "won": trial.number == won} for rank, trial in rows]
    return [{**_short(trial, metric, rank), "won": "yes" if trial.number == won else ""} for rank, trial in rows]


def _whole(trial: Trial, metric: str, rank: int) -> dict[str, Any]:
    return {**_placed(trial, metric, rank), "spread": spread(trial), **plain(trial)}


def _short(trial: Trial, metric: str, rank: int) -> dict[str, Any]:
    wide = spread(trial)
    return {
        **_placed(trial, metric, rank),
        "spread": None if wide is None else round(wide, 4),
        "state": trial.state,
        "duration_s": trial.duration_s,
        "predict_ms": trial.predict_ms or None,
        "size_bytes": trial.size_bytes or None,
        "trial": trial.number,
    }


def _placed(trial: Trial, metric: str, rank: int) -> dict[str, Any]:
    score = trial.metrics.get(metric)
    return {"rank": None if score is None else rank, "label": trial.label, metric: score}


def _metric(context: Context, job_id: str) -> str:
    """What the job optimizes for."""
    spec = context.workspace.jobs.get(job_id).spec
    return spec.primary_metric if isinstance(spec, TrainingSpec) else PRIMARY_METRICS[0]


def _compare(context: Context, options: Namespace) -> Any:
    """Side by side, each after the first with its gain over the first one: "better" is said only beyond luck."""
    compared = context.workspace.jobs.compare(options.trials)
    gains = [{}, *(_gain(context, pick, options.trials[0]) for pick in options.trials[1:])]
    if not options.json:
        return _beside(compared, gains)
    return [
        {"trial": trial.number, "algorithm": trial.algorithm, **(gain or dict.fromkeys(GAIN)), **metrics}
        for trial, gain, metrics in zip(
            compared.trials,
            gains,
            (dict(zip(compared.metrics, row, strict=True)) for row in compared.rows),
            strict=True,
        )
    ]


def _beside(compared: Comparison, gains: Sequence[Mapping[str, Any]]) -> str:
    """A column for each trial, and below them what may be said of each against the first."""
    names = [f"{at}. trial {t.number} ({t.algorithm})" for at, t in enumerate(compared.trials, 1)]
    table = as_text(
        [
            {"metric": metric, **dict(zip(names, values, strict=True))}
            for metric, values in zip(compared.metrics, zip(*compared.rows, strict=True), strict=True)
        ]
    )
    return "\n".join([table, "", *map(_told, names[1:], gains[1:])])


def _told(name: str, gain: Mapping[str, Any]) -> str:
    if not gain:
        return f"{name} cannot be compared with the first row by row, so nobody can say which is better"
    verdict, metric, *figures, _ = (gain[key] for key in GAIN)
    at, low, high = (f"{figure:+.4f}" for figure in figures)
    said = "cannot be told apart from the first" if verdict == UNSURE else f"is {verdict} than the first"
    return f"{name} {said}: {metric} {at}, 95 % interval {low} to {high}"


def _gain(context: Context, pick: tuple[str, int], first: tuple[str, int]) -> Mapping[str, Any]:
    """Of one trial over another; empty where they are judged on different rows, or the backend cannot tell."""
    if not context.workspace.can("jobs.compare_pair"):
        return {}
    try:
        found = context.workspace.jobs.compare_pair(pick, first)
    except (Conflict, SpecInvalid):
        return {}
    verdict = {1: "better", -1: "worse", 0: UNSURE}[found.verdict]
    return dict(zip(GAIN, (verdict, found.metric, found.gain, found.low, found.high, found.p_value), strict=True))


def _cancel(context: Context, options: Namespace) -> Any:
    if options.trial is None:
        return context.workspace.jobs.cancel(options.job)
    return context.workspace.jobs.cancel_trial(options.job, options.trial)


def _output(context: Context, options: Namespace) -> Any:
    write_output(context, options.job, options.file)
    return {"file": str(Path(options.file).absolute())}


def _trial_pick(text: str) -> tuple[str, int]:
    job, _, number = text.rpartition(":")
    if not job or not number.isdecimal():
        raise ArgumentTypeError(f"'{text}' is not JOB:NUMBER")
    return job, int(number)


COMMANDS = (
    Command("job automl", "train: queue an AutoML job", _submit, SUBMIT, starts_service=True, formerly=("submit",)),
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
        "job leaderboard",
        "its trials, best first",
        _leaderboard,
        (
            ID,
            arg(
                "--metric",
                default="",
                choices=tuple(METRICS),
                metavar="METRIC",
                help="order by this one (default: what the job optimizes for)",
            ),
        ),
    ),
    Command(
        "job trials",
        "its trials, by number",
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
        "trials of any jobs side by side, and whether each is better than the first",
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
        "cancel it, or one trial of it",
        _cancel,
        (ID, arg("--trial", type=int, metavar="NUMBER", help="only this running trial; the job goes on")),
        starts_service=True,
    ),
    Command(
        "job continue",
        "give an ended training job more time: a new job that starts from its trials",
        lambda context, options: context.workspace.jobs.extend(options.job, options.timeout),
        (ID, arg("--timeout", type=float, default=60.0, metavar="SECONDS", help="(default: %(default)s)")),
        starts_service=True,
        formerly=("extend",),
    ),
    *EXPLAINING,
)
