"""`pipeline`: publish, versions, keys, trigger."""

from argparse import Namespace
from dataclasses import replace
from typing import Any

from core.cli.command import DONE, Command, Context, Outcome, arg
from core.cli.creating import CREATE
from core.cli.definitions import definition
from core.cli.runs import RUNS, told
from core.cli.values import assignment
from core.domain.parameter_text import from_text
from core.domain.pipeline import PipelineEndpoint
from core.domain.run import RunOrigin

PIPELINE = arg("pipeline", metavar="ID|NAME")
VERSION = arg("--version", type=int, default=0, metavar="N", help="this version (default: the default one)")
ENDPOINTS = ("name", "version", "label", "default", "enabled", "id", "trigger_uri")


def _publish(context: Context, options: Namespace) -> Any:
    spec, code = definition(options.definition)
    if options.name:
        spec = replace(spec, name=options.name)
    if options.description is not None:
        spec = replace(spec, description=options.description)
    published = context.workspace.pipelines.publish(spec, label=options.version, code=code)
    return Outcome(published, DONE, _head(published))


def _get(context: Context, options: Namespace) -> Any:
    from core.definitions import write_pipeline  # YAML is loaded only where a definition is written

    found = context.workspace.pipelines.get(options.pipeline, options.version)
    return Outcome(found, DONE, f"{_head(found)}\n\n{write_pipeline(found.spec)}".rstrip())


def _head(published: PipelineEndpoint) -> str:
    """A pipeline's version as people read it; `--json` has all of it."""
    said = "" if published.label == str(published.version) else f" ({published.label})"
    state = "active" if published.enabled else "disabled"
    default = ", the default" if published.default else ""
    steps = " -> ".join(step.name for step in published.spec.steps)
    return "\n".join(
        [
            f"{published.name}, version {published.version}{said}{default}, {state}",
            f"id     {published.id}",
            f"POST   {published.trigger_uri}",
            f"steps  {steps}",
        ]
    )


def _set_default(context: Context, options: Namespace) -> Any:
    return context.workspace.pipelines.set_default(options.pipeline, options.version)


def _keys(context: Context, options: Namespace) -> Any:
    pipelines = context.workspace.pipelines
    keys = (
        pipelines.rotate_key(options.pipeline, options.rotate) if options.rotate else pipelines.keys(options.pipeline)
    )
    return {"primary": keys.primary, "secondary": keys.secondary}


def _trigger(context: Context, options: Namespace) -> Any:
    pipelines = context.workspace.pipelines
    found = pipelines.get(options.pipeline, options.version)
    kinds = {parameter.name: parameter.type for parameter in found.spec.parameters}
    run = pipelines.trigger(
        options.pipeline,
        options.experiment or found.name,
        {name: from_text(text, kinds.get(name)) for name, text in options.set},
        version=options.version,
        origin=RunOrigin.CLI,
        repeat_key=options.repeat_key,
    )
    return told(context, run, wait=options.wait)


COMMANDS = (
    Command(
        "pipeline publish",
        "publish a definition; the same one again gives the version that exists",
        _publish,
        (
            arg(
                "definition",
                nargs="?",
                metavar="FILE",
                default="Bankmarketing Train",
                help="a YAML or Python file, or a shipped definition (default: %(default)s)",
            ),
            arg("--name", default="", help="publish it under this name (default: the definition's)"),
            arg("--description", metavar="TEXT", help="what it is for (default: the definition's)"),
            arg("--version", default="", metavar="LABEL", help="what you call this version (default: its number)"),
        ),
        starts_service=True,
    ),
    CREATE,
    Command(
        "pipeline list",
        "all published pipelines, each at its default version",
        lambda context, options: context.workspace.pipelines.list(),
        columns=ENDPOINTS,
    ),
    Command("pipeline get", "one, with its definition", _get, (PIPELINE, VERSION)),
    Command(
        "pipeline versions",
        "its versions, newest first",
        lambda context, options: context.workspace.pipelines.versions(options.pipeline),
        (PIPELINE,),
        columns=("version", "label", "default", "id", "created_at"),
    ),
    Command(
        "pipeline set-default",
        "let this version run where none is named",
        _set_default,
        (PIPELINE, arg("version", type=int, metavar="N")),
        starts_service=True,
    ),
    Command(
        "pipeline enable",
        "let it start runs",
        lambda context, options: context.workspace.pipelines.enable(options.pipeline, True),
        (PIPELINE,),
        starts_service=True,
    ),
    Command(
        "pipeline disable",
        "let it start no more runs; those that go on are left alone",
        lambda context, options: context.workspace.pipelines.enable(options.pipeline, False),
        (PIPELINE,),
    ),
    Command(
        "pipeline keys",
        "both keys, which start and watch its runs and open nothing else",
        _keys,
        (
            PIPELINE,
            arg("--rotate", choices=("primary", "secondary"), help="replace this one first; takes effect at once"),
        ),
    ),
    Command(
        "pipeline trigger",
        "start a run",
        _trigger,
        (
            PIPELINE,
            arg("--experiment", default="", metavar="NAME", help="the experiment it belongs to (default: its name)"),
            arg("--set", action="append", default=[], type=assignment, metavar="PARAMETER=VALUE", help="repeatable"),
            VERSION,
            arg("--repeat-key", default="", metavar="KEY", help="the same key within 24 hours gives the same run"),
            arg("--wait", action="store_true", help="until it has ended; exits 1 unless it succeeded"),
        ),
        starts_service=True,
    ),
    *RUNS,
)
