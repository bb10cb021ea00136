"""`pipeline`: its runs, listed, watched, compared, canceled and retried."""

import shutil
import sys
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from core.cli import tail
from core.cli.command import DONE, FAILED, Command, Context, Outcome, arg
from core.cli.following import follow
from core.cli.show import as_text
from core.definitions.comparing import Aspect, RunDifference, compare_runs
from core.domain.errors import SpecInvalid
from core.domain.job_state import JobState
from core.domain.run import PipelineRun, StepRun

RUN = arg("run", metavar="RUN")
STEP = arg("step", metavar="STEP")
SHOWN_ALWAYS = (Aspect.RUN, Aspect.STATE, Aspect.DURATION)
"""What a comparison shows also where it is equal."""
DIGEST_CHARS = 12
LIST = ("id", "pipeline", "number", "version", "state", "steps", "experiment_name", "origin", "created_at", "message")


def told(context: Context, run: PipelineRun, *, wait: bool = False) -> Outcome:
    """A run, once it has ended where that is waited for; one that has failed or was canceled exits with 1."""
    if wait:
        run = follow(context, lambda: context.workspace.pipelines.get_run(run.id), lambda now: now.state.final)
    return Outcome(run, FAILED if run.state in (JobState.FAILED, JobState.CANCELED) else DONE, run_text(run))


def run_text(run: PipelineRun) -> str:
    """A run as people read it: a head, what went wrong, and a line for each step."""
    lines = [f"{run.pipeline}, run {run.number} of version {run.version}: {run.state}{_took(run)}", f"id {run.id}"]
    if run.parameters:
        lines.append(f"with {', '.join(f'{name}={value!r}' for name, value in run.parameters.items())}")
    lines += [text for text in (run.message, run.hint) if text]
    rows = [
        {
            "step": step.name,
            "state": str(step.state),
            "attempts": step.attempt,
            "duration": duration(step),
            "why": step.message or step.why or step.note,
        }
        for step in run.steps
    ]
    return "\n".join([*lines, "", as_text(rows)])


def duration(timed: PipelineRun | StepRun) -> str:
    """How long it took, or `-` where it has not ended or was never begun."""
    if timed.started_at is None or timed.ended_at is None:
        return "-"
    return duration_text(max(timed.ended_at - timed.started_at, 0.0))


def duration_text(seconds: float) -> str:
    """So many seconds in words."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, seconds = divmod(round(seconds), 60)
    return f"{minutes} min {seconds} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def _took(run: PipelineRun) -> str:
    if run.stopping:
        return ", being canceled"
    return "" if (took := duration(run)) == "-" else f" after {took}"


def _list(context: Context, options: Namespace) -> Any:
    runs = context.workspace.pipelines.list_runs(
        options.pipeline,
        options.limit,
        state=JobState(options.state) if options.state else None,
        schedule=options.schedule,
        experiment_name=options.experiment,
        before=options.before,
    )
    if options.json:
        return runs
    shown = [{name: getattr(run, name, f"{run.steps_done}/{run.steps_total}") for name in LIST} for run in runs]
    return Outcome(runs, DONE, as_text(shown, LIST) or "none")


def _get(context: Context, options: Namespace) -> Any:
    run = context.workspace.pipelines.get_run(options.run)
    return Outcome(run, DONE, run_text(run))


def _cancel(context: Context, options: Namespace) -> Any:
    run = context.workspace.pipelines.cancel(options.run)
    return Outcome(run, DONE, run_text(run))


def _retry(context: Context, options: Namespace) -> Any:
    return told(context, context.workspace.pipelines.retry(options.run), wait=options.wait)


def _logs(context: Context, options: Namespace) -> Any:
    pipelines = context.workspace.pipelines

    def over() -> bool:
        run = pipelines.get_run(options.run)
        return run.state.final or any(step.state.final for step in run.steps if step.name == options.step)

    return tail.told(context, options, lambda limit: pipelines.step_log(options.run, options.step, limit), over)


def _output(context: Context, options: Namespace) -> Any:
    with context.workspace.pipelines.open_output(options.run, options.step, options.output) as given:
        if options.file == "-" and not options.json:
            shutil.copyfileobj(given, sys.stdout.buffer)
            return None
        try:
            with Path(options.file).open("wb") as file:
                shutil.copyfileobj(given, file)
        except OSError as e:
            raise SpecInvalid(f"Cannot write '{options.file}': {e.strerror}", hint="Name another file") from e
    return {"file": str(Path(options.file).absolute())}


def _compare(context: Context, options: Namespace) -> Any:
    one, other = (context.workspace.pipelines.get_run(run) for run in (options.run, options.other))
    rows = (row for row in compare_runs(one, other) if row.differs or row.aspect in SHOWN_ALWAYS)
    return [{"what": _what(row), "first": _side(row, row.first), "second": _side(row, row.second)} for row in rows]


def _what(row: RunDifference) -> str:
    if row.aspect is Aspect.PARAMETER:
        return f"parameter {row.name}"
    return f"{row.step}: {row.name}" if row.step else row.name


def _side(row: RunDifference, value: Any) -> Any:
    if row.aspect is Aspect.DURATION:
        return "-" if value is None else duration_text(value)
    if row.aspect is Aspect.RUN:
        return str(value)
    return value[:DIGEST_CHARS] if row.aspect is Aspect.PART and value else value


LISTING: Sequence[Any] = (
    arg("pipeline", metavar="ID|NAME", nargs="?", default=""),
    arg("--limit", type=int, default=50, help="at most this many (default: %(default)s)"),
    arg("--state", choices=tuple(map(str, JobState)), help="only those in this state"),
    arg("--schedule", default="", metavar="NAME", help="only those that this schedule has started"),
    arg("--experiment", default="", metavar="NAME", help="only those of this experiment"),
    arg("--before", default="", metavar="RUN", help="those older than this run: the next page"),
)

RUNS = (
    Command("pipeline list-runs", "runs of one pipeline or of all", _list, tuple(LISTING), formerly=("runs",)),
    Command("pipeline get-run", "a run with its steps", _get, (RUN,), formerly=("show",)),
    Command("pipeline cancel", "ask a run to end, with all its steps", _cancel, (RUN,), starts_service=True),
    Command(
        "pipeline retry",
        "start a run that keeps what succeeded in this one, and does the rest",
        _retry,
        (RUN, arg("--wait", action="store_true", help="until it has ended; exits 1 unless it succeeded")),
        starts_service=True,
    ),
    Command(
        "pipeline logs",
        "what a step has logged and printed, in all its attempts",
        _logs,
        (
            RUN,
            STEP,
            arg("--limit", type=int, default=1000, help="at most this many lines (default: %(default)s)"),
            arg("--follow", action="store_true", help="print the lines that come, until the step has ended"),
        ),
        columns=("at", "level", "text"),
    ),
    Command(
        "pipeline output",
        "write a file that a step gave; a folder comes as a tar archive",
        _output,
        (RUN, STEP, arg("output", metavar="OUTPUT"), arg("file", metavar="FILE", help="where to; - for output")),
    ),
    Command(
        "pipeline compare",
        "two runs side by side: parameters and outputs that differ, states, durations",
        _compare,
        (RUN, arg("other", metavar="RUN")),
        columns=("what", "first", "second"),
    ),
)
