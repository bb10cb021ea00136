"""`pipeline create`: a finished training made a pipeline."""

from argparse import Namespace
from pathlib import Path
from typing import Any

from core.cli.command import DONE, Command, Context, Outcome, arg
from core.domain.errors import SpecInvalid
from core.domain.names import endpoint_name
from core.domain.training import TrainingSpec


def _create(context: Context, options: Namespace) -> Any:
    from core.definitions import write_pipeline  # YAML is loaded only where a definition is written
    from core.definitions.from_job import pipeline_from_training
    from core.definitions.pipelines import check_pipeline

    job = context.workspace.jobs.get(options.from_job)
    if not isinstance(job.spec, TrainingSpec):
        raise SpecInvalid(f"Job '{job.id}' is a {job.kind} job, not a training", hint="List them: job list")
    asset = context.workspace.data.get(job.spec.data)
    if options.when_better and not options.endpoint:
        raise SpecInvalid("--when-better compares with what is live at --endpoint", hint="Give --endpoint NAME")
    if (options.gate or options.promote) and not options.endpoint:
        raise SpecInvalid("--gate and --promote need --endpoint", hint="Give --endpoint NAME")
    spec = pipeline_from_training(
        job.spec,
        asset,
        name=options.name or f"{asset.name} {job.spec.target}".replace("/", "-"),
        model=options.model or job.spec.model_name or endpoint_name(asset.name),
        endpoint=options.endpoint,
        gate=options.gate,
        promote=options.promote,
        when_better=options.when_better,
        as_registered=options.as_registered,
    )
    check_pipeline(spec)
    text = write_pipeline(spec)
    if options.output:
        _write(Path(options.output), text)
    if options.publish:
        return context.workspace.pipelines.publish(spec)
    return Outcome(spec, DONE, f"Wrote {options.output}" if options.output else text.rstrip())


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, "utf-8")
    except OSError as e:
        raise SpecInvalid(f"Cannot write '{path}': {e.strerror}", hint="Give another --output") from e


CREATE = Command(
    "pipeline create",
    "make a finished training a pipeline: print it, write it, or publish it",
    _create,
    (
        arg("--from-job", required=True, metavar="JOB", help="the training"),
        arg("--name", default="", help="the pipeline's name (default: the table's and the target's)"),
        arg("--model", default="", metavar="NAME", help="register the best model under it (default: the table's name)"),
        arg("--endpoint", default="", metavar="NAME", help="deploy the model there"),
        arg("--gate", action="store_true", help="wait for its gate"),
        arg("--promote", action="store_true", help="give it all traffic when its gate has passed"),
        arg("--when-better", action="store_true", help="do so only where it is better than the live model"),
        arg("--as-registered", action="store_true", help="train on the data asset's newest version, read no file"),
        arg("--output", default="", metavar="FILE.yaml", help="write the definition there"),
        arg("--publish", action="store_true", help="publish it"),
    ),
)
