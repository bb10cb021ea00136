"""A pipeline written in Python: parameters, steps and their outputs are values that other steps take.

pipeline = Pipeline("Nightly")
data = pipeline.parameter("data", type="data")
seconds = pipeline.parameter("timeout_s", 60.0, minimum=5)
prepared = pipeline.step("prepare", settings={"data": data})
trained = pipeline.step("automl", inputs={"data": prepared["data"]}, settings={"target": "y", "timeout_s": seconds})
"""

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.definitions.graph import ordered, outputs_of
from core.definitions.parsing import Definition
from core.definitions.pipelines import check_pipeline
from core.domain.errors import SpecInvalid
from core.domain.parameters import type_of
from core.domain.pipeline import Parameter, ParameterType, PipelineSpec, PipelineStep, StepKind, ValueType

_NONE: Mapping[str, Any] = {}


@dataclass(frozen=True, slots=True)
class Value:
    """A parameter's value, to be used in a step's settings; in a text it stands as `${name}`."""

    name: str

    def __str__(self) -> str:
        return f"${{{self.name}}}"


@dataclass(frozen=True, slots=True)
class Output:
    """What a step gives, to be used in another's inputs or as its condition."""

    step: str
    name: str

    def __str__(self) -> str:
        return f"{self.step}.{self.name}"


@dataclass(frozen=True, slots=True)
class Step:
    """A step of a pipeline that is being written; `step["data"]` is one of its outputs."""

    made: PipelineStep

    def __getitem__(self, output: str) -> Output:
        if output not in (known := outputs_of(self.made)):
            raise SpecInvalid(f"Step '{self.made.name}' gives no '{output}'", hint=f"It gives: {', '.join(known)}")
        return Output(self.made.name, output)


class Pipeline:
    """A pipeline that is being written."""

    def __init__(self, name: str, *, description: str = "", max_concurrent: int = 4) -> None:
        self.name, self.description, self.max_concurrent = name, description, max_concurrent
        self._parameters: list[Parameter] = []
        self._steps: list[PipelineStep] = []
        self._code: dict[str, str] = {}

    def parameter(
        self,
        name: str,
        default: Any = None,
        *,
        type: str = "",
        description: str = "",
        minimum: float | None = None,
        maximum: float | None = None,
        choices: Sequence[Any] = (),
    ) -> Value:
        """A value that each run may set. Without a default it must be given, and its type must be said here."""
        if not type and default is None:
            raise SpecInvalid(f"Parameter '{name}' has neither a default nor a type", hint='type="string"')
        try:
            kind = ParameterType(type) if type else type_of(default)
        except ValueError as e:
            known = ", ".join(ParameterType)
            raise SpecInvalid(f"Parameter '{name}': type is '{type}', expected one of {known}") from e
        self._parameters.append(Parameter(name, kind, default, description, minimum, maximum, tuple(choices)))
        return Value(name)

    def step(
        self,
        name: str,
        kind: str = "",
        *,
        settings: Mapping[str, Any] = _NONE,
        inputs: Mapping[str, Output] = _NONE,
        outputs: Mapping[str, str] = _NONE,
        needs: Sequence[Step | str] = (),
        when: Output | None = None,
        code: str | Path = "",
        timeout_s: float | None = None,
        memory_mb: int | None = None,
        retries: int = 0,
        backoff_s: float = 10.0,
        allow_reuse: bool = True,
    ) -> Step:
        """A step; its kind is its name unless another is given. `code` is the folder or file that it brings along."""
        try:
            of, types = StepKind(kind or name), {key: ValueType(value) for key, value in outputs.items()}
        except ValueError as e:
            raise SpecInvalid(f"Step '{name}': {e}", hint=f"Kinds: {', '.join(StepKind)}") from e
        self._steps.append(
            PipelineStep(
                name,
                of,
                tuple(step.made.name if isinstance(step, Step) else step for step in needs),
                {key: _plain(value) for key, value in settings.items()},
                {key: str(value) for key, value in inputs.items()},
                types,
                str(when) if when else "",
                timeout_s,
                memory_mb,
                retries,
                backoff_s,
                allow_reuse,
            )
        )
        if code:
            self._code[name] = str(code)
        return Step(self._steps[-1])

    def call(
        self,
        name: str,
        function: Callable[..., Any],
        *,
        arguments: Mapping[str, Any] = _NONE,
        inputs: Mapping[str, Output] = _NONE,
        outputs: Mapping[str, str] = _NONE,
        needs: Sequence[Step | str] = (),
        when: Output | None = None,
        code: str | Path = "",
        timeout_s: float | None = None,
        memory_mb: int | None = None,
        retries: int = 0,
        allow_reuse: bool = True,
    ) -> Step:
        """A step that calls a Python function; the file that the function stands in is its code, unless `code` is."""
        where, source = _place(function, bool(code))
        return self.step(
            name,
            StepKind.PYTHON,
            settings={"function": where} | ({"arguments": arguments} if arguments else {}),
            inputs=inputs,
            outputs=outputs,
            needs=needs,
            when=when,
            code=code or source,
            timeout_s=timeout_s,
            memory_mb=memory_mb,
            retries=retries,
            allow_reuse=allow_reuse,
        )

    def definition(self) -> Definition:
        """What was written, checked. Raises SpecInvalid."""
        spec = PipelineSpec(
            self.name, ordered(self._steps), self.description, tuple(self._parameters), self.max_concurrent
        )
        check_pipeline(spec)
        return Definition(spec, dict(self._code))

    @property
    def spec(self) -> PipelineSpec:
        """The same without the code."""
        return self.definition().spec


def _plain(value: Any) -> Any:
    """A setting in JSON's types, with references as they stand in a file."""
    if isinstance(value, Value):
        return str(value)
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value


def _place(function: Callable[..., Any], has_code: bool) -> tuple[str, str]:
    """`module:function`, and the file of the module."""
    name, module = getattr(function, "__qualname__", ""), getattr(function, "__module__", "")
    file = inspect.getsourcefile(function) if inspect.isfunction(function) else None
    if file is None or "<" in name:
        raise SpecInvalid(f"{function!r} cannot be called by name", hint="Give a function at the top of its module")
    if "." in module and not has_code:
        raise SpecInvalid(
            f"Function '{name}' stands in the package of '{module}'", hint="Say with code= which folder is copied"
        )
    return f"{Path(file).stem if module == '__main__' else module}:{name}", file
