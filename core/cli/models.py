"""`model`."""

from argparse import Namespace
from pathlib import Path
from typing import Any

from core.cli.command import Command, Context, arg
from core.cli.explaining import CLASS, ROW, named_class, read_row, told
from core.cli.values import name_version

REF = arg("model", metavar="NAME[:VERSION]", type=name_version, help="a registered model")


def _explain(context: Context, options: Namespace) -> Any:
    models, (name, version) = context.workspace.models, options.model
    row = read_row(options.row)
    class_name = named_class(models.get(name, version).signature, options.class_name) if options.class_name else None
    return told(models.explain(name, version, row, class_name), options)


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
        "what each column contributes to one row's score: the contributions add up to it",
        _explain,
        (REF, ROW, CLASS),
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
