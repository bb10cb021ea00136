"""`pipeline` and `schedule`."""

import json
from argparse import Namespace
from pathlib import Path
from typing import Any

from core.cli.command import DONE, FAILED, Command, Context, Outcome, arg
from core.cli.following import follow
from core.cli.values import assignment
from core.domain.errors import PipelineNotFound, SpecInvalid
from core.domain.job import JobState
from core.domain.pipeline import PipelineSpec
from core.domain.schedule import ScheduleSpec

NAME = arg("name")


def _publish(context: Context, options: Namespace) -> Any:
    return context.workspace.pipelines.publish(_definition(options.definition))


def _definition(named: str) -> PipelineSpec:
    """A shipped definition by its name, else a file."""
    from core.definitions import parse_pipeline, shipped  # YAML is loaded only where a definition is read

    known = {spec.name: spec for spec in shipped()}
    if named in known:
        return known[named]
    try:
        return parse_pipeline(Path(named).read_text("utf-8"))
    except OSError as e:
        raise PipelineNotFound(
            f"There is no file and no shipped definition '{named}'", hint=f"Shipped: {', '.join(known)}"
        ) from e
    except UnicodeDecodeError as e:
        raise SpecInvalid(f"{named} is not UTF-8 text") from e


def _trigger(context: Context, options: Namespace) -> Any:
    parameters = {key: _value(text, _default(context, options.pipeline, key)) for key, text in options.set}
    run = context.workspace.pipelines.trigger(options.pipeline, options.experiment, parameters)
    if options.wait:
        run = follow(context, lambda: context.workspace.pipelines.get_run(run.id), lambda now: now.state.final)
    return Outcome(run, FAILED if run.state in (JobState.FAILED, JobState.CANCELED) else DONE)


def _default(context: Context, pipeline: str, parameter: str) -> Any:
    """What a pipeline's definition gives the parameter; None where there is neither."""
    known = next((p for p in context.workspace.pipelines.list() if pipeline in (p.id, p.name)), None)
    return known.spec.defaults.get(parameter) if known else None


def _value(text: str, default: Any) -> Any:
    """A parameter as JSON where it is JSON (`15`, `["duration"]`), else the text itself; `2024` too names a text."""
    if isinstance(default, str):
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text


def _create(context: Context, options: Namespace) -> Any:
    spec = ScheduleSpec(options.name, options.pipeline, options.cron, options.timezone, options.experiment)
    return context.workspace.schedules.create(spec)


def _delete(context: Context, options: Namespace) -> None:
    context.workspace.schedules.delete(options.name)


COMMANDS = (
    Command(
        "pipeline publish",
        "publish a definition; the same one again gives the version that exists",
        _publish,
        (
            arg(
                "definition",
                nargs="?",
                default="Bankmarketing Train",
                help="a YAML file, or a shipped definition (default: %(default)s)",
            ),
        ),
        starts_service=True,
    ),
    Command(
        "pipeline list",
        "all published pipelines",
        lambda context, options: context.workspace.pipelines.list(),
        columns=("id", "name", "version", "enabled", "trigger_uri"),
    ),
    Command(
        "pipeline trigger",
        "start a run",
        _trigger,
        (
            arg("pipeline", metavar="ID|NAME"),
            arg("--experiment", default="pipeline", metavar="NAME", help="the experiment it belongs to"),
            arg("--set", action="append", default=[], type=assignment, metavar="PARAMETER=VALUE", help="repeatable"),
            arg("--wait", action="store_true", help="until it has ended"),
        ),
        starts_service=True,
    ),
    Command(
        "pipeline list-runs",
        "runs of one pipeline or of all",
        lambda context, options: context.workspace.pipelines.list_runs(options.pipeline, options.limit),
        (
            arg("pipeline", metavar="ID|NAME", nargs="?", default=""),
            arg("--limit", type=int, default=50, help="at most this many (default: %(default)s)"),
        ),
        columns=("id", "pipeline", "version", "state", "experiment_name", "created_at", "message"),
        formerly=("runs",),
    ),
    Command(
        "pipeline get-run",
        "a run with its steps",
        lambda context, options: context.workspace.pipelines.get_run(options.run),
        (arg("run", metavar="RUN"),),
        formerly=("show",),
    ),
    Command(
        "schedule create",
        "trigger a pipeline at fixed times",
        _create,
        (
            NAME,
            arg("--pipeline", required=True, metavar="ID|NAME"),
            arg("--cron", required=True, help="five fields, e.g. '0 6 * * mon-fri'"),
            arg("--timezone", default="UTC", help="an IANA name (default: %(default)s)"),
            arg("--experiment", default="scheduled", metavar="NAME", help="the experiment its runs belong to"),
        ),
        starts_service=True,
    ),
    Command("schedule list", "all schedules", lambda context, options: context.workspace.schedules.list()),
    Command(
        "schedule enable",
        "turn it on",
        lambda context, options: context.workspace.schedules.enable(options.name, True),
        (NAME,),
        starts_service=True,
    ),
    Command(
        "schedule disable",
        "turn it off",
        lambda context, options: context.workspace.schedules.enable(options.name, False),
        (NAME,),
    ),
    Command("schedule delete", "remove it; its runs stay", _delete, (NAME,)),
)
