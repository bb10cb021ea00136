"""A definition as components of Azure ML: each step is a command that runs Slipway, all together a pipeline.

The step that trains submits an AutoML job and waits for it: whether Azure runs an AutoML node inside a component that
is deployed behind a batch endpoint cannot be found out without Azure. No step is `deterministic`, or Azure would take
the outputs of the run before and do nothing.
"""

import base64
import json
from collections.abc import Mapping
from typing import Any

from core.azure import sdk
from core.azure.context import Context
from core.azure.kept import kept
from core.azure.pipelines import package, words
from core.definitions.graph import with_inputs
from core.domain.errors import NotSupported
from core.domain.pipeline import PipelineSpec, PipelineStep, StepKind
from core.domain.plain import plain

ENVIRONMENT = "slipway-step"
OUTPUT = "step"
"""The folder that a step leaves: `outputs.json`, and files."""
REFUSED: Mapping[StepKind, str] = {
    StepKind.EVALUATE: "it compares models on rows that lie on this machine",
}
"""Kinds that cannot be done there, each with its reason."""
UNPACK = "import zipfile; zipfile.ZipFile('slipway.zip').extractall('slipway')"


def check(spec: PipelineSpec) -> None:
    """Raise NotSupported for a definition with a step that Azure cannot do."""
    for step in spec.steps:
        if step.kind in REFUSED:
            raise NotSupported(
                f"Step '{step.name}' cannot run on Azure: {REFUSED[step.kind]}",
                hint="Leave it out (the gate still proves the model), or publish the pipeline with --workspace local",
            )


def component(context: Context, endpoint: str, spec: PipelineSpec, version: int, code: Mapping[str, bytes]) -> str:
    """The id of a version's pipeline component; it and its steps' are registered then."""
    entities, ml = sdk.module("azure.ai.ml.entities"), sdk.module("azure.ai.ml")
    environment = _environment(context)
    names, given = words.nodes(spec), words.inputs(spec.parameters)
    shared: dict[int, Any] = {}
    jobs = {}
    for step in with_inputs(spec.steps):
        before = step.waits_for
        own = code.get(step.name, b"")
        made = None if own else shared.get(len(before))
        if made is None:
            wanted = _command(spec, endpoint, version, environment, len(before), _code(context, shared, own))
            if own:
                wanted.name = f"{wanted.name}_{names[step.name]}"
            with context.asking() as client:
                made = client.components.create_or_update(wanted)
            if not own:
                shared[len(before)] = made
        sources = {f"from_{n}": f"${{{{parent.jobs.{names[name]}.outputs.{OUTPUT}}}}}" for n, name in enumerate(before)}
        bound = {name: f"${{{{parent.inputs.{name}}}}}" for name in given.values()}
        node = made(step=words.as_text(step.name), **bound, **sources)
        node.name = names[step.name]
        node.display_name = names[step.name]
        node.identity = entities.ManagedIdentityConfiguration()
        jobs[names[step.name]] = node
    whole = entities.PipelineComponent(
        name=words.component_of(endpoint),
        version=str(version),
        display_name=spec.name,
        description=spec.description or None,
        inputs={given[p.name]: _input(ml, p.default, required=p.required) for p in spec.parameters},
        jobs=jobs,
        tags=words.made(**{words.NAME: spec.name, words.AT: str(version)}),
        properties=kept(words.DEFINITION, spec),
    )
    with context.asking() as client:
        return str(client.components.create_or_update(whole).id)


def _input(ml: Any, default: Any, *, required: bool) -> Any:
    return ml.Input(type="string") if required else ml.Input(type="string", default=words.as_text(default))


def _command(spec: PipelineSpec, endpoint: str, version: int, environment: str, sources: int, code: Any) -> Any:
    entities, ml = sdk.module("azure.ai.ml.entities"), sdk.module("azure.ai.ml")
    given = words.inputs(spec.parameters)
    parts = [f'python -c "{UNPACK}" && PYTHONPATH=slipway python -m core.azure.step --definition {_definition(spec)}']
    parts.append("--step '${{inputs.step}}'")
    parts += [f"--parameter '{each}=${{{{inputs.{each}}}}}'" for each in given.values()]
    parts += [f"--source '${{{{inputs.from_{number}}}}}'" for number in range(sources)]
    parts.append(f"--outputs '${{{{outputs.{OUTPUT}}}}}'")
    texts = {name: ml.Input(type="string") for name in ("step", *given.values())}
    folders = {f"from_{number}": ml.Input(type="uri_folder") for number in range(sources)}
    return entities.CommandComponent(
        name=f"{words.component_of(endpoint)}_step_{sources}",
        version=str(version),
        display_name=f"A step of {spec.name}",
        command=" ".join(parts),
        code=code,
        environment=environment,
        inputs=texts | folders,
        outputs={OUTPUT: ml.Output(type="uri_folder")},
        is_deterministic=False,
        tags=words.made(),
    )


def _definition(spec: PipelineSpec) -> str:
    return base64.urlsafe_b64encode(json.dumps(plain(spec)).encode()).decode()


def _code(context: Context, shared: Mapping[int, Any], own: bytes) -> Any:
    """The folder to send; where a step of this pipeline has sent it, its id."""
    if not own and shared:
        return next(iter(shared.values())).code
    return str(package.code_folder(context.folder / "steps", own))


def _environment(context: Context) -> str:
    """The environment of all steps, made where it is not there yet."""
    version = package.environment_version()
    wanted = sdk.module("azure.ai.ml.entities").Environment(
        name=ENVIRONMENT,
        version=version,
        image=package.IMAGE,
        conda_file=package.conda(),
        tags=words.made(),
    )
    with context.asking() as client:
        client.environments.create_or_update(wanted)
    return f"azureml:{ENVIRONMENT}:{version}"


def needs_code(step: PipelineStep) -> bool:
    """Whether a step cannot run without an archive of its own."""
    return step.kind is StepKind.PYTHON or bool(step.code)
