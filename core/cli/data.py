"""`data` and `compute`."""

from argparse import Namespace
from typing import Any

from core.cli.command import Command, Context, arg
from core.cli.values import data_ref
from core.domain.training import Compute
from core.quickstart import table_name

REF = arg("data", metavar="NAME[:VERSION]", type=data_ref, help="a data asset")


def _register(context: Context, options: Namespace) -> Any:
    return context.workspace.register_data(options.name or table_name(options.source), options.source)


def _profile(context: Context, options: Namespace) -> Any:
    return context.workspace.profile(options.data, options.target)


def _sample(context: Context, options: Namespace) -> Any:
    sample = context.workspace.sample(options.data, options.rows)
    return [dict(zip(sample.columns, row, strict=True)) for row in sample.rows]


def _ensure(context: Context, options: Namespace) -> Any:
    return context.workspace.ensure_compute(
        Compute(options.name, options.max_concurrent, options.threads, options.memory_mb)
    )


COMMANDS = (
    Command(
        "data register",
        "register a table; the same bytes give the version that exists",
        _register,
        (
            arg("source", help="a path, or a known name such as bankmarketing_train"),
            arg("--name", default="", help="the data asset's name (default: the file's)"),
        ),
    ),
    Command(
        "data list",
        "all versions of all data assets",
        lambda context, options: context.workspace.list_data(),
        columns=("name", "version", "rows", "source", "origin", "created_at"),
    ),
    Command("data show", "one version", lambda context, options: context.workspace.data(options.data), (REF,)),
    Command(
        "data profile",
        "every column summarised",
        _profile,
        (REF, arg("--target", default="", help="a binary target, for its rate per level")),
    ),
    Command(
        "data sample",
        "the first rows",
        _sample,
        (REF, arg("--rows", type=int, default=20, help="how many (default: %(default)s)")),
    ),
    Command(
        "data lineage",
        "the jobs, models and deployments that came of it",
        lambda context, options: context.workspace.lineage(options.data),
        (REF,),
    ),
    Command(
        "compute ensure",
        "create a compute, or change it to these limits",
        _ensure,
        (
            arg("name"),
            arg("--max-concurrent", type=int, default=1, help="jobs at once (default: %(default)s)"),
            arg("--threads", type=int, default=2, help="threads of each (default: %(default)s)"),
            arg("--memory-mb", type=int, default=4096, help="memory of each (default: %(default)s)"),
        ),
    ),
    Command("compute list", "all computes", lambda context, options: context.workspace.list_computes()),
)
