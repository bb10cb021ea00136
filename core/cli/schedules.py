"""`schedule`."""

import time
from argparse import Namespace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from core.cli.command import DONE, Command, Context, Outcome, arg
from core.cli.schedule_options import WHAT, WHEN, preview_of, spec_of
from core.domain.parameter_text import from_text
from core.domain.pipeline import PipelineEndpoint
from core.domain.schedule import Schedule, ScheduleSpec

NAME = arg("name")
SHOWN_FIRES = 5
COLUMNS = ("name", "enabled", "pipeline", "words", "next_fire_at", "last_outcome", "last_run_id")


def _create(context: Context, options: Namespace) -> Any:
    found = context.workspace.pipelines.get(options.pipeline, options.version or 0)
    spec = spec_of(options, _parameters(found, options))
    if options.dry_run:
        return _dry_run(found, spec)
    _say_when(context, spec)
    return _shown_whole(context.workspace.schedules.create(spec))


def _update(context: Context, options: Namespace) -> Any:
    known = context.workspace.schedules.get(options.name)
    wanted = spec_of(options, {}, known.spec)
    found = context.workspace.pipelines.get(wanted.pipeline, wanted.version)
    spec = spec_of(options, _parameters(found, options), known.spec)
    if options.dry_run:
        return _dry_run(found, spec, known.created_at)
    _say_when(context, spec, known.created_at)
    return _shown_whole(context.workspace.schedules.update(spec))


def _parameters(found: PipelineEndpoint, options: Namespace) -> dict[str, Any]:
    kinds = {parameter.name: parameter.type for parameter in found.spec.parameters}
    return {name: from_text(text, kinds.get(name)) for name, text in options.set}


def _dry_run(found: PipelineEndpoint, spec: ScheduleSpec, since: float | None = None) -> Any:
    from core.definitions.due import parameters
    from core.definitions.pipelines import plan

    plan(found.spec, parameters(spec, 1))
    return _told(spec, since)


def _preview(context: Context, options: Namespace) -> Any:
    return _told(preview_of(options))


def _told(spec: ScheduleSpec, since: float | None = None) -> Outcome:
    """When a schedule fires, in words and by its next times. Raises SpecInvalid."""
    from core.definitions.fires import check_schedule, next_fires  # their triggers load only where they are needed
    from core.definitions.schedule_words import schedule_words

    now = time.time()
    check_schedule(spec, now)
    words, upcoming = schedule_words(spec), next_fires(spec, now, SHOWN_FIRES, since=since)
    zone = ZoneInfo(spec.timezone)
    times = [datetime.fromtimestamp(at, zone).isoformat() for at in upcoming]
    value = {"words": words, "next_fires_at": upcoming, "next_fires": times}
    lines = [words[:1].upper() + words[1:], *(f"  {_shown(at, zone)}" for at in upcoming)]
    return Outcome(value, DONE, "\n".join(lines))


def _say_when(context: Context, spec: ScheduleSpec, since: float | None = None) -> None:
    context.say(_told(spec, since).text)


def _list(context: Context, options: Namespace) -> Any:
    return [_line(schedule) for schedule in context.workspace.schedules.list()]


def _line(schedule: Schedule) -> dict[str, Any]:
    spec, last = schedule.spec, schedule.last_fire
    return {
        "name": spec.name,
        "enabled": schedule.enabled,
        "pipeline": spec.pipeline,
        "words": schedule.words,
        "next_fire_at": schedule.next_fires_at[0] if schedule.next_fires_at else None,
        "last_outcome": last.outcome if last else None,
        "last_run_id": schedule.last_run_id or None,
        "spec": spec,
        "next_fires_at": schedule.next_fires_at,
        "last_fire": last,
        "created_at": schedule.created_at,
    }


def _get(context: Context, options: Namespace) -> Any:
    return _shown_whole(context.workspace.schedules.get(options.name))


def _enable(context: Context, options: Namespace) -> Any:
    return _shown_whole(context.workspace.schedules.enable(options.name, True))


def _disable(context: Context, options: Namespace) -> Any:
    return _shown_whole(context.workspace.schedules.enable(options.name, False))


def _shown_whole(schedule: Schedule) -> Outcome:
    return Outcome(schedule, DONE, _text(schedule))


def _text(schedule: Schedule) -> str:
    """A schedule as people read it; `--json` has all of it."""
    spec, last, zone = schedule.spec, schedule.last_fire, ZoneInfo(schedule.spec.timezone)
    told = {
        "name": spec.name,
        "pipeline": f"{spec.pipeline}{f', version {spec.version}' if spec.version else ''}",
        "fires": schedule.words if schedule.enabled else f"{schedule.words} (turned off)",
        "parameters": ", ".join(f"{name}={value}" for name, value in spec.parameters.items()),
        "experiment": spec.experiment_name,
        "misfire": spec.misfire,
        "overlap": spec.overlap,
        "next": "; ".join(_shown(at, zone) for at in schedule.next_fires_at),
        "last": f"{_shown(last.due_at, zone)} {last.outcome} {last.run_id or last.message}" if last else "",
    }
    wide = max(map(len, told))
    return "\n".join(f"{name:<{wide}}  {text}" for name, text in told.items() if text)


def _shown(at: float, zone: ZoneInfo) -> str:
    return f"{datetime.fromtimestamp(at, zone):%a %Y-%m-%d %H:%M %Z}"


def _delete(context: Context, options: Namespace) -> None:
    context.workspace.schedules.delete(options.name)


COMMANDS = (
    Command(
        "schedule create",
        "run a pipeline at times, or with each new version of a data asset",
        _create,
        (NAME, arg("--pipeline", required=True, metavar="ID|NAME"), *WHEN, *WHAT),
        starts_service=True,
    ),
    Command(
        "schedule update",
        "change what it does; what is not said stays",
        _update,
        (NAME, arg("--pipeline", metavar="ID|NAME"), *WHEN, *WHAT),
        starts_service=True,
    ),
    Command("schedule preview", "when such a schedule would fire; nothing is saved", _preview, WHEN),
    Command("schedule list", "all schedules, with their next fire", _list, columns=COLUMNS),
    Command(
        "schedule get",
        "one schedule, with its next fires",
        _get,
        (NAME,),
        formerly=("show",),
    ),
    Command(
        "schedule enable",
        "turn it on; what was due meanwhile is not made up for",
        _enable,
        (NAME,),
        starts_service=True,
    ),
    Command(
        "schedule disable",
        "turn it off",
        _disable,
        (NAME,),
    ),
    Command(
        "schedule run-now",
        "start the run that it would start now",
        lambda context, options: context.workspace.schedules.run_now(options.name),
        (NAME,),
        starts_service=True,
        formerly=("run",),
    ),
    Command(
        "schedule fires",
        "what became of its fires, newest first",
        lambda context, options: context.workspace.schedules.fires(options.name, options.limit),
        (NAME, arg("--limit", type=int, default=50, help="at most this many (default: %(default)s)")),
        columns=("due_at", "outcome", "run_id", "message"),
    ),
    Command("schedule delete", "remove it; its runs stay", _delete, (NAME,)),
)
