"""What a job left, written where its reader wants it."""

import shutil
from pathlib import Path

from core.cli.command import Context
from core.domain.errors import SpecInvalid


def write_output(context: Context, job_id: str, output: str) -> None:
    """Raises JobNotFound, Conflict where the job has none, SpecInvalid that says how it is to be had all the same."""
    with context.workspace.jobs.open_output(job_id) as scored:
        try:
            with Path(output).open("wb") as file:
                shutil.copyfileobj(scored, file)
        except OSError as e:
            hint = f"The scored table is kept: `job output {job_id} FILE` writes it"
            raise SpecInvalid(f"Cannot write '{output}': {e.strerror}", hint=hint) from e
