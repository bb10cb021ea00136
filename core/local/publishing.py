"""How a definition is published: checked, its code kept under its own SHA-256, then the row that names it."""

import re
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import replace

from core.definitions.code import identity
from core.definitions.pipelines import bind, check_pipeline
from core.definitions.references import referred
from core.domain.endpoint import EndpointKeys
from core.domain.errors import Forbidden, SpecInvalid
from core.domain.keys import KEY_BYTES
from core.domain.names import check_name
from core.domain.pipeline import ParameterType, PipelineSpec, PipelineStep, StepKind
from core.domain.steps import STEP_TYPES, settings_of
from core.durable import write_atomic
from core.local.context import Context
from core.local.paths import new_id
from core.sources import check_source

_SHA256 = re.compile(r"[0-9a-f]{64}")


def publish(context: Context, spec: PipelineSpec, label: str, code: Mapping[str, bytes]) -> str:
    """Keep a definition as the next version of its name, and give that version's id; `code` is step -> archive.

    Raises SpecInvalid, SourceUnreadable and Forbidden for what a confined caller may not publish, Conflict for a label
    that is taken, StorageFull.
    """
    own = [step.name for step in spec.steps if STEP_TYPES[step.kind].own_code]
    if strange := sorted(set(code) - set(own)):
        raise SpecInvalid(f"There is code for '{strange[0]}', which is no step that runs code of its own")
    check_name("a pipeline", spec.name)  # it stands in addresses
    check_pipeline(spec)
    if context.confined:
        _check_confined(context, spec, own)
    spec = replace(spec, steps=tuple(_with_code(context, step, code.get(step.name)) for step in spec.steps))
    keys = EndpointKeys(secrets.token_urlsafe(KEY_BYTES), secrets.token_urlsafe(KEY_BYTES))
    return context.store.pipelines.publish(new_id(context.clock), spec, label, keys, context.clock()).id


def _check_confined(context: Context, spec: PipelineSpec, own: list[str]) -> None:
    if own:
        raise Forbidden(f"Step '{own[0]}' runs code of its own", hint="Publish steps with code from the command line")
    for table in _tables(spec):
        check_source(table, context.settings)


def _tables(spec: PipelineSpec) -> Iterator[str]:
    """The tables that the definition itself names."""
    yield from (p.default for p in spec.parameters if p.type is ParameterType.DATA and p.default)
    for step in bind(spec, {}, complete=False):
        for name, setting in settings_of(step.kind).items():
            table = step.settings.get(name)
            if setting.type is ParameterType.DATA and table and not any(referred(table)):
                yield table


def _with_code(context: Context, step: PipelineStep, archive: bytes | None) -> PipelineStep:
    """The step as it is published; its archive is on the disk then."""
    if archive is not None:
        step = replace(step, code=identity(archive))
        if not (path := context.paths.pipeline_code(step.code)).exists():
            write_atomic(path, archive)
    elif step.code and not (_SHA256.fullmatch(step.code) and context.paths.pipeline_code(step.code).exists()):
        raise SpecInvalid(f"Step '{step.name}' names code that this workspace does not hold", hint=_FROM_FILE)
    elif step.kind is StepKind.PYTHON and not step.code:
        raise SpecInvalid(f"Step '{step.name}' has no code", hint="code: the folder or file with its function")
    return step


_FROM_FILE = "Publish the definition's file from the command line"
