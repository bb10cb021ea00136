"""Somebody at work on a workspace: `python tests/busy_client.py ENDPOINT TABLE` says each verb that was acknowledged.

One JSON line each, after the verb has returned: what a test holds the workspace to when this process is killed.
"""

import json
import os
import sys
from collections.abc import Iterator
from itertools import count
from pathlib import Path

from core.domain.job import JobKind
from core.domain.pipeline import PipelineSpec, PipelineStep, StepKind
from core.settings import read_settings
from core.workspace import Workspace, open_workspace


def work(workspace: Workspace, endpoint: str, table: Path) -> Iterator[dict[str, str]]:
    """Rotate keys, register tables and publish pipelines, for ever."""
    for turn in count():
        keys = workspace.endpoints.rotate_key(endpoint, "secondary")
        yield {"secondary": keys.secondary}
        path = table.with_name(f"table-{os.getpid()}-{turn}.csv")
        path.write_text(table.read_text() + f"{turn},0.5,a,yes\n")
        yield {"data": str(workspace.data.register("busy", str(path)).version)}
        step = PipelineStep("prepare", StepKind.PREPARE, (), {"data": str(path)})
        published = workspace.pipelines.publish(PipelineSpec(f"busy-{os.getpid()}-{turn}", (step,)))
        yield {"pipeline": published.id}
        if not [job for job in workspace.jobs.list(JobKind.PIPELINE) if not job.state.final]:
            yield {"run": workspace.pipelines.trigger(published.id, "busy").id}


if __name__ == "__main__":
    opened = open_workspace(read_settings(os.environ))
    for acknowledged in work(opened, sys.argv[1], Path(sys.argv[2])):
        sys.stdout.write(json.dumps(acknowledged) + "\n")
        sys.stdout.flush()
