"""How things of a pipeline are called in Azure ML, and values of parameters as the texts that its inputs are."""

import base64
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from core.azure.context import TAG
from core.domain.names import slug
from core.domain.parameters import converted
from core.domain.pipeline import Parameter, ParameterType, PipelineSpec
from core.domain.version import VERSION

NAME, ENABLED, LABEL = f"{TAG}.pipeline", f"{TAG}.enabled", f"{TAG}.label"
"""Tags of an endpoint, and of a deployment."""
AT, ORIGIN, SCHEDULE, RETRY_OF = f"{TAG}.version", f"{TAG}.origin", f"{TAG}.schedule", f"{TAG}.retry-of"
REPEAT, ASKED, OVERLAP = f"{TAG}.repeat-key", f"{TAG}.asked", f"{TAG}.overlap"
"""Tags of a run."""
VALUES = f"{TAG}.parameters"
"""Properties of a run: every parameter's value."""
DEFINITION = f"{TAG}.definition"
"""Properties of a pipeline component."""
DEPLOYMENT = re.compile(r"version-(\d+)")
SLUG_CHARS, DIGEST_CHARS = 20, 8
PACKED = "base64:"
_PLAIN = re.compile(r"[\w .,:;/@%+=~^*#!?()\[\]{}<>|&-]*")
"""Texts that stand in single quotes of a shell as they are."""
_INPUT = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")


def endpoint_of(workspace: str, pipeline: str) -> str:
    """The batch endpoint of a pipeline: its name must be the only one in its region, whoever's it is."""
    digest = hashlib.sha256(f"{workspace.lower()}/{pipeline}".encode()).hexdigest()[:DIGEST_CHARS]
    word = re.sub(r"[^a-z0-9-]", "-", slug(pipeline)[:SLUG_CHARS]).strip("-") or "pipeline"
    return f"{word}-{digest}" if word[0].isalpha() else f"p-{word}-{digest}"


def deployment_of(version: int) -> str:
    return f"version-{version}"


def version_of(deployment: str) -> int:
    """0 for a deployment that is no version of ours."""
    found = DEPLOYMENT.fullmatch(deployment or "")
    return int(found[1]) if found else 0


def component_of(endpoint: str) -> str:
    """Components have small letters, digits and underscores."""
    return f"{TAG}_{endpoint.replace('-', '_')}"


def pipeline_id(pipeline: str, version: int) -> str:
    """The id of a version. A pipeline's own name has no colon."""
    return f"{pipeline}:{version}"


def parted(pipeline: str) -> tuple[str, int]:
    """A name, or the id of a version -> the name, and the version or 0."""
    name, _, number = pipeline.rpartition(":")
    return (name, int(number)) if name and number.isascii() and number.isdecimal() else (pipeline, 0)


def nodes(spec: PipelineSpec) -> dict[str, str]:
    """Step -> its node: small letters, digits and underscores, a letter first."""
    found: dict[str, str] = {}
    for number, step in enumerate(spec.steps):
        word = re.sub(r"[^a-z0-9_]+", "_", slug(step.name).lower()).strip("_")
        word = word if word[:1].isalpha() else f"step_{word or number}"
        found[step.name] = word if word not in found.values() else f"{word}_{number}"
    return found


def inputs(parameters: Sequence[Parameter]) -> dict[str, str]:
    """Parameter -> the input that carries it."""
    return {
        parameter.name: parameter.name if _INPUT.fullmatch(parameter.name) else f"parameter_{number}"
        for number, parameter in enumerate(parameters)
    }


def as_text(value: Any) -> str:
    """A value as an input's text: as it is where a shell's single quotes hold it, else packed."""
    text = value if isinstance(value, str) else json.dumps(value)
    if text and _PLAIN.fullmatch(text) and text.isascii() and not text.startswith(PACKED) and "${{" not in text:
        return text
    return PACKED + base64.urlsafe_b64encode(text.encode()).decode()


def as_value(kind: ParameterType, text: Any) -> Any:
    """The value of an input's text. Raises ValueError that says what was expected."""
    if not isinstance(text, str):
        return converted(kind, text)
    if text.startswith(PACKED):
        text = base64.urlsafe_b64decode(text.removeprefix(PACKED)).decode()
    if kind in (ParameterType.STRING, ParameterType.DATA):
        return converted(kind, text)
    if kind is ParameterType.BOOLEAN and text.lower() in ("true", "false"):
        return text.lower() == "true"
    try:
        return converted(kind, json.loads(text))
    except json.JSONDecodeError:
        return converted(kind, text)


def values(spec: PipelineSpec, given: Mapping[str, Any]) -> dict[str, Any]:
    """Parameter -> value, from the texts of inputs; what is no value of its type is left out."""
    found = {}
    for parameter in spec.parameters:
        name = inputs(spec.parameters)[parameter.name]
        if name in given:
            try:
                found[parameter.name] = as_value(parameter.type, given[name])
            except ValueError:
                continue
    return found


def made(**tags: str) -> dict[str, str]:
    """Tags of something that Slipway makes."""
    return {TAG: VERSION} | tags
