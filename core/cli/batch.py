"""`endpoint batch`: every row of a table."""

from argparse import ArgumentTypeError, Namespace
from pathlib import Path
from typing import Any

from core.cli.command import DONE, Command, Context, arg
from core.cli.following import ended
from core.cli.outputs import write_output
from core.cli.values import data_ref
from core.domain.batch import BatchSpec
from core.domain.data import DataRef
from core.domain.errors import DataNotFound, SpecInvalid

NAME = arg("name", metavar="ENDPOINT")


def _batch(context: Context, options: Namespace) -> Any:
    ref = _registered(context, options)
    spec = (
        BatchSpec(options.name, ref.name, ref.version, options.deployment)
        if ref
        else BatchSpec(options.name, deployment=options.deployment, source=options.data)
    )
    job = context.workspace.jobs.submit(spec)
    if not options.wait and not options.output:
        return job
    outcome = ended(context, job.id)
    if outcome.exit_code == DONE and options.output:
        write_output(context, job.id, options.output)
    return outcome


def _registered(context: Context, options: Namespace) -> DataRef | None:
    """The data version that is meant; None where the table is a path, to be read for this job alone."""
    is_path = "/" in options.data or Path(options.data).expanduser().is_file()
    if options.register:
        return context.workspace.data.register(options.register, options.data).ref
    try:
        return context.workspace.data.get(data_ref(options.data)).ref
    except (DataNotFound, ArgumentTypeError) as e:
        if is_path:
            return None
        known = e.hint if isinstance(e, DataNotFound) else ""
        raise SpecInvalid(
            f"There is no data asset and no file '{options.data}'", hint=f"Give NAME[:VERSION], or a path. {known}"
        ) from e


BATCH = Command(
    "endpoint batch",
    "score every row of a table: a data version, or any file that `data register` can read",
    _batch,
    (
        NAME,
        arg("data", metavar="NAME[:VERSION]|PATH", help="a file is read for this job only and is not registered"),
        arg("--register", default="", metavar="NAME", help="register the file under this name, and score that"),
        arg("--deployment", default="", metavar="NAME"),
        arg("--wait", action="store_true", help="wait until it has ended; exits 1 unless it succeeded"),
        arg("-o", "--output", metavar="FILE", help="wait, and write the scored table there as CSV"),
    ),
    starts_service=True,
)
