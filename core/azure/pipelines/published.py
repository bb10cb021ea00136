"""Pipelines as they stand in Azure ML: batch endpoints with our tag, their deployments, and the components behind."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from weakref import WeakKeyDictionary

from core.azure import clusters, sdk
from core.azure.arm import ask_all, find
from core.azure.context import Context
from core.azure.kept import found
from core.azure.pipelines import components, words
from core.definitions.code import identity
from core.definitions.pipelines import check_pipeline
from core.domain.errors import Conflict, PipelineNotFound, SlipwayError, SpecInvalid
from core.domain.names import check_name
from core.domain.pipeline import PipelineEndpoint, PipelineSpec, PipelineStep
from core.domain.steps import STEP_TYPES

log = logging.getLogger(__name__)
API = "2024-01-01-preview"
Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Held:
    """A pipeline's endpoint, and its versions: number -> deployment."""

    endpoint: Document
    versions: Mapping[int, Document]

    @property
    def name(self) -> str:
        return str(self.endpoint["tags"][words.NAME])

    @property
    def default(self) -> int:
        defaults = (self.endpoint.get("properties") or {}).get("defaults") or {}
        return words.version_of(str(defaults.get("deploymentName") or "")) or max(self.versions)


def published(context: Context) -> "Published":
    """The one of a workspace, so that what it knows is known to all."""
    return _OF.setdefault(context, Published(context))


class Published:
    """Reads and changes them. Definitions are kept in memory: a version's never changes."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._specs: dict[tuple[str, int], PipelineSpec] = {}

    def all(self) -> list[Held]:
        """Every pipeline that has a version."""
        listed = ask_all(self._context, f"{self._context.target.path}/batchEndpoints", API)
        ours = [each for each in listed if words.NAME in (each.get("tags") or {})]
        return [held for each in ours if (held := self._held(each)).versions]

    def held(self, pipeline: str) -> Held:
        """By name, or by the id of one of its versions. Raises PipelineNotFound."""
        name, _ = words.parted(pipeline)
        endpoint = words.endpoint_of(self._context.target.path, name)
        answer = find(self._context, f"{self._context.target.path}/batchEndpoints/{endpoint}", API)
        held = self._held(answer) if answer is not None else None
        if held is None or not held.versions:
            raise PipelineNotFound(f"There is no pipeline '{pipeline}'", hint="'pipeline list' has those there are")
        return held

    def _held(self, endpoint: Document) -> Held:
        path = f"{self._context.target.path}/batchEndpoints/{endpoint['name']}/deployments"
        listed = ask_all(self._context, path, API)
        return Held(endpoint, {n: each for each in listed if (n := words.version_of(str(each["name"])))})

    def get(self, pipeline: str, version: int = 0) -> PipelineEndpoint:
        """One version; 0 is the one that the id names, else the default. Raises PipelineNotFound."""
        held = self.held(pipeline)
        return self.shown(held, version or words.parted(pipeline)[1] or held.default)

    def shown(self, held: Held, version: int) -> PipelineEndpoint:
        """A version as the interface has it. Raises PipelineNotFound."""
        if version not in held.versions:
            raise PipelineNotFound(f"Pipeline '{held.name}' has no version {version}")
        deployment, about = held.versions[version], held.endpoint.get("properties") or {}
        return PipelineEndpoint(
            id=words.pipeline_id(held.name, version),
            name=held.name,
            version=version,
            spec=self.spec(held, version),
            trigger_uri=str(about.get("scoringUri") or ""),
            enabled=held.endpoint["tags"].get(words.ENABLED, "true") != "false",
            created_at=moment((deployment.get("systemData") or {}).get("createdAt")),
            label=str((deployment.get("tags") or {}).get(words.LABEL) or version),
            default=version == held.default,
        )

    def definition(self, pipeline: str, version: int) -> PipelineSpec | None:
        """Of a version that a run names; None where it is gone, or was never published from here."""
        endpoint = words.endpoint_of(self._context.target.path, pipeline)
        try:
            return self._specs.get((endpoint, version)) or self.get(pipeline, version).spec
        except PipelineNotFound:
            return None

    def spec(self, held: Held, version: int) -> PipelineSpec:
        """The definition of a version."""
        endpoint = str(held.endpoint["name"])
        if (endpoint, version) not in self._specs:
            path = f"{self._context.target.path}/components/{words.component_of(endpoint)}/versions/{version}"
            about = (find(self._context, path, API) or {}).get("properties") or {}
            spec = found(words.DEFINITION, about.get("properties"), PipelineSpec)
            if spec is None:
                raise PipelineNotFound(f"Version {version} of '{held.name}' has no definition that can be read")
            self._specs[endpoint, version] = spec
        return self._specs[endpoint, version]

    def publish(self, spec: PipelineSpec, label: str, code: Mapping[str, bytes]) -> PipelineEndpoint:
        """The next version, which becomes the default; the default's definition again gives that one."""
        spec = self._checked(spec, code)
        version = 1
        try:
            held = self.held(spec.name)
        except PipelineNotFound:
            pass
        else:
            now = self.shown(held, held.default)
            if now.spec == spec and label in ("", now.label):
                return now
            _check_label(held, label)
            version = max(held.versions) + 1
        endpoint = words.endpoint_of(self._context.target.path, spec.name)
        clusters.ready(self._context, clusters.LOCAL)
        made = components.component(self._context, endpoint, spec, version, code)
        try:
            if version == 1:
                self._make_endpoint(spec)
            self._deploy(endpoint, version, label, made)
            self._change(endpoint, default=words.deployment_of(version))
        except SlipwayError:
            self._take_back(endpoint, version)
            raise
        self._specs[endpoint, version] = spec
        return self.get(spec.name)

    def _take_back(self, endpoint: str, version: int) -> None:
        """Remove a version that was half made, and an endpoint without another, which would be nobody's.

        What went wrong before is told, not what goes wrong here.
        """
        try:
            with self._context.asking("pipeline", endpoint) as client:
                if version == 1:
                    client.batch_endpoints.begin_delete(endpoint).result()
                else:
                    client.batch_deployments.begin_delete(words.deployment_of(version), endpoint).result()
        except PipelineNotFound:
            pass
        except SlipwayError as e:
            log.warning("Batch endpoint '%s' was half made and cannot be removed now: %s", endpoint, e.message)

    def _deploy(self, endpoint: str, version: int, label: str, component: str) -> None:
        """A version; it is the default only when somebody says so."""
        deployment = sdk.module("azure.ai.ml.entities").PipelineComponentBatchDeployment(
            name=words.deployment_of(version),
            endpoint_name=endpoint,
            component=component,
            settings={
                "default_compute": self._context.settings.azure_compute,
                "continue_on_step_failure": "True",
                "force_rerun": "True",
            },
            tags=words.made(**{words.AT: str(version)} | ({words.LABEL: label} if label else {})),
        )
        with self._context.asking() as client:
            client.batch_deployments.begin_create_or_update(deployment).result()

    def _checked(self, spec: PipelineSpec, code: Mapping[str, bytes]) -> PipelineSpec:
        own = {step.name for step in spec.steps if STEP_TYPES[step.kind].own_code}
        if strange := sorted(set(code) - own):
            raise SpecInvalid(f"There is code for '{strange[0]}', which is no step that runs code of its own")
        check_name("a pipeline", spec.name)
        check_pipeline(spec)
        components.check(spec)
        return replace(spec, steps=tuple(_with_code(step, code.get(step.name)) for step in spec.steps))

    def _make_endpoint(self, spec: PipelineSpec) -> None:
        wanted = sdk.module("azure.ai.ml.entities").BatchEndpoint(
            name=words.endpoint_of(self._context.target.path, spec.name),
            description=spec.description or f"The pipeline {spec.name}",
            tags=words.made(**{words.NAME: spec.name}),
        )
        with self._context.asking("pipeline", spec.name) as client:
            client.batch_endpoints.begin_create_or_update(wanted).result()

    def set_default(self, pipeline: str, version: int) -> PipelineEndpoint:
        """Raises PipelineNotFound."""
        found = self.get(pipeline, version)
        endpoint = words.endpoint_of(self._context.target.path, found.name)
        self._change(endpoint, default=words.deployment_of(found.version))
        return self.get(found.name)

    def enable(self, pipeline: str, enabled: bool) -> PipelineEndpoint:
        """A tag says so: Azure has no switch, and whoever asks its endpoint directly is not held back."""
        held = self.held(pipeline)
        self._change(str(held.endpoint["name"]), tag=(words.ENABLED, str(enabled).lower()))
        return self.get(held.name)

    def _change(self, endpoint: str, *, default: str = "", tag: tuple[str, str] | None = None) -> None:
        with self._context.asking("pipeline", endpoint) as client:
            now = client.batch_endpoints.get(endpoint)
            if default:
                now.defaults = (
                    sdk.module("azure.ai.ml.entities")
                    .BatchEndpoint(name=endpoint, defaults={"deployment_name": default})
                    .defaults
                )
            if tag:
                now.tags = {**(now.tags or {}), tag[0]: tag[1]}
            client.batch_endpoints.begin_create_or_update(now).result()


def _with_code(step: PipelineStep, archive: bytes | None) -> PipelineStep:
    if archive is not None:
        return replace(step, code=identity(archive))
    if components.needs_code(step):
        raise SpecInvalid(f"Step '{step.name}' has no code", hint="Publish the definition's file from the command line")
    return step


def _check_label(held: Held, label: str) -> None:
    """Raises Conflict."""
    for version, deployment in held.versions.items():
        if label and label == str((deployment.get("tags") or {}).get(words.LABEL) or version):
            raise Conflict(
                f"Version {version} of pipeline '{held.name}' is labeled '{label}' already",
                hint="Publish under another --version",
            )


def moment(text: Any) -> float:
    """Seconds since the epoch of a time as Azure writes it; 0 for none."""
    try:
        cut = str(text or "").replace("Z", "+00:00")
        head, dot, rest = cut.partition(".")
        digits = rest[: next((n for n, c in enumerate(rest) if not c.isdigit()), len(rest))]
        return datetime.fromisoformat(f"{head}{dot}{digits[:6]}{rest[len(digits) :]}").timestamp()
    except ValueError:
        return 0.0


_OF: WeakKeyDictionary[Context, Published] = WeakKeyDictionary()
