"""`schedule`."""

from argparse import Namespace
from typing import Any

from core.cli.command import Command, Context, arg
from core.domain.schedule import ScheduleSpec

NAME = arg("name")


def _create(context: Context, options: Namespace) -> Any:
    spec = ScheduleSpec(options.name, options.pipeline, options.cron, options.timezone, options.experiment)
    return context.workspace.schedules.create(spec)


def _delete(context: Context, options: Namespace) -> None:
    context.workspace.schedules.delete(options.name)


COMMANDS = (
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
