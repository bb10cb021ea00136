"""`model`."""

import json
from argparse import Namespace
from pathlib import Path
from typing import Any

from core.cli.command import Command, Context, arg
from core.cli.values import name_version
from core.domain.errors import SpecInvalid

REF = arg("model", metavar="NAME[:VERSION]", type=name_version, help="a registered model")


def _explain(context: Context, options: Namespace) -> Any:
    try:
        row = json.loads(Path(options.row).read_text("utf-8"))
    except (OSError, ValueError) as e:
        raise SpecInvalid(f"{options.row} holds no JSON object: {e}", hint='One row: {"column": value, ...}') from e
    name, version = options.model
    return context.workspace.models.explain(name, version, row)


def _package(context: Context, options: Namespace) -> Any:
    name, version = options.model
    return {"folder": context.workspace.models.package(name, version, Path(options.folder))}


COMMANDS = (
    Command(
        "model register",
        "register the model of a training job: the best, or one trial's",
        lambda context, options: context.workspace.models.register(options.name, options.job, options.trial),
        (
            arg("name"),
            arg("job", metavar="JOB", help="a job's id"),
            arg("--trial", type=int, metavar="N", help="a finished trial's number (default: the best)"),
        ),
    ),
    Command(
        "model import",
        "register the model in a folder: one that `model package` wrote, or a native booster or ONNX model",
        lambda context, options: context.workspace.models.import_folder(options.name, Path(options.folder)),
        (arg("name"), arg("folder", metavar="FOLDER", help="a model folder; its files are copied")),
    ),
    Command(
        "model list",
        "all versions of all models",
        lambda context, options: context.workspace.models.list(job_id=options.job),
        (arg("--job", default="", metavar="JOB", help="only those registered from this job"),),
        columns=("name", "version", "algorithm", "data", "job_id", "trial", "created_at"),
    ),
    Command(
        "model get",
        "one version",
        lambda context, options: context.workspace.models.get(*options.model),
        (REF,),
        formerly=("show",),
    ),
    Command(
        "model explain",
        "what each column contributes to one row's score",
        _explain,
        (REF, arg("--row", required=True, metavar="FILE", help="a file with one row as a JSON object")),
    ),
    Command(
        "model curves",
        "the points of its charts",
        lambda context, options: context.workspace.models.curves(*options.model),
        (REF,),
    ),
    Command(
        "model package",
        "copy the model folder",
        _package,
        (REF, arg("folder", help="where to; must not exist")),
    ),
)
