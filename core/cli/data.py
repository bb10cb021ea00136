"""`data` and `compute`."""

from argparse import Namespace
from typing import Any

from core.cli.command import DONE, Command, Context, Outcome, arg
from core.cli.show import as_text, plain
from core.cli.values import data_ref
from core.domain.compute import Compute, ExecutorKind
from core.domain.data import DataAsset, Note, Reading
from core.domain.names import table_name

DELIMITERS = {"tab": "\t", "\\t": "\t"}
"""What people type for signs that a shell makes hard to type."""

REF = arg("data", metavar="NAME[:VERSION]", type=data_ref, help="a data asset")


def _register(context: Context, options: Namespace) -> Any:
    reading = Reading(
        header={"yes": True, "no": False}.get(options.header),
        delimiter=DELIMITERS.get(options.delimiter, options.delimiter),
        decimal=options.decimal,
        merge_spellings=options.merge_spellings,
        target=options.target,
    )
    return _told(context.workspace.data.register(options.name or table_name(options.source), options.source, reading))


def _show(context: Context, options: Namespace) -> Any:
    return _told(context.workspace.data.get(options.data))


def _told(asset: DataAsset) -> Outcome:
    """The asset, and for people what was done to it in sentences."""
    facts = {name: value for name, value in plain(asset).items() if name not in ("notes", "reading")}
    notes = [f"Note: {note.text}{_how(note)}" for note in asset.notes]
    return Outcome(asset, DONE, "\n".join([as_text(facts), *notes]))


def _how(note: Note) -> str:
    """The option that decides otherwise, as it is typed."""
    return f" (see --{note.option.replace('_', '-')})" if note.option else ""


def _profile(context: Context, options: Namespace) -> Any:
    return context.workspace.data.profile(options.data, options.target)


def _sample(context: Context, options: Namespace) -> Any:
    sample = context.workspace.data.sample(options.data, options.rows)
    return [dict(zip(sample.columns, row, strict=True)) for row in sample.rows]


def _ensure(context: Context, options: Namespace) -> Any:
    return context.workspace.computes.create(
        Compute(
            options.name,
            options.max_concurrent,
            options.threads,
            options.memory_mb,
            options.size,
            options.max_nodes,
            ExecutorKind(options.executor),
            options.ray_address,
        )
    )


COMMANDS = (
    Command(
        "data register",
        "register a table; the same bytes give the version that exists",
        _register,
        (
            arg("source", help="a path, or a known name such as bankmarketing_train"),
            arg("--name", default="", help="the data asset's name (default: the file's)"),
            arg(
                "--target",
                default="",
                metavar="COLUMN",
                help="the column to predict: a first row with this name is a header",
            ),
            arg(
                "--header",
                default="auto",
                choices=("auto", "yes", "no"),
                help="whether the first row holds the column names",
            ),
            arg("--delimiter", default="", metavar="SIGN", help="between cells, or `tab` (default: detected)"),
            arg("--decimal", default="", metavar="SIGN", help="the decimal sign, . or , (default: detected)"),
            arg("--merge-spellings", action="store_true", help="merge categories that differ only in letter case"),
        ),
    ),
    Command(
        "data list",
        "all versions of all data assets",
        lambda context, options: context.workspace.data.list(),
        columns=("name", "version", "rows", "source", "origin", "created_at"),
    ),
    Command("data get", "one version, and how it was read", _show, (REF,), formerly=("show",)),
    Command(
        "data profile",
        "a summary of every column",
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
        "data available",
        "the tables that can be registered by name alone",
        lambda context, options: context.workspace.data.available(),
        columns=("name", "kind", "where", "size_bytes"),
    ),
    Command(
        "data delete",
        "delete a version that nothing uses, with its files",
        lambda context, options: context.workspace.data.delete(options.data, all_versions=options.all),
        (REF, arg("--all", action="store_true", help="all versions of the name")),
        columns=("name", "version"),
    ),
    Command(
        "data lineage",
        "the jobs, models and deployments made from it",
        lambda context, options: context.workspace.data.lineage(options.data),
        (REF,),
    ),
    Command(
        "compute create",
        "create a compute, or change it to these limits",
        _ensure,
        (
            arg("name"),
            arg("--max-concurrent", type=int, default=1, help="jobs at once (default: %(default)s)"),
            arg("--threads", type=int, default=2, help="threads of each (default: %(default)s)"),
            arg("--memory-mb", type=int, default=4096, help="memory of each (default: %(default)s)"),
            arg("--size", default="", help="of a cluster's machines (on Azure)"),
            arg("--max-nodes", type=int, default=0, help="machines of a cluster at most (on Azure)"),
            arg(
                "--executor",
                default=str(ExecutorKind.PROCESSES),
                choices=[str(kind) for kind in ExecutorKind],
                help="what runs the trials of a training (default: %(default)s)",
            ),
            arg(
                "--ray-address",
                default="",
                metavar="ADDRESS",
                help="of a Ray cluster, or `auto` (default: each training starts one here)",
            ),
        ),
        formerly=("ensure",),
    ),
    Command("compute list", "all computes", lambda context, options: context.workspace.computes.list()),
)
