"""A training as a step of a pipeline says it: a `TrainingSpec` in the values that a definition can hold."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Any, TypeVar

from core.domain.algorithms import ENSEMBLES
from core.domain.costs import costs_of
from core.domain.data import DataRef
from core.domain.errors import SpecInvalid
from core.domain.featurization import Featurization, FeaturizationMode, featurization_of
from core.domain.names import reference
from core.domain.pipeline import ParameterType
from core.domain.plain import plain
from core.domain.search_space import Distribution, space_of
from core.domain.training import Algorithm, Sampling, Task, TrainingSpec

NUMBER: Mapping[str, Any] = {"type": ParameterType.NUMBER}


@dataclass(frozen=True, slots=True)
class AutomlSettings:
    """Search for a model; as a `TrainingSpec`, whose defaults these are."""

    target: str
    timeout_s: float = 60.0
    primary_metric: str = ""
    task: str = "classification"
    exclude: tuple[str, ...] = ()
    allowed_training_algorithms: tuple[str, ...] = ()
    blocked_training_algorithms: tuple[str, ...] = ()
    max_trials: int = 1000
    max_concurrent_trials: int = 0
    trial_timeout_s: float = 0.0
    exit_score: float | None = field(default=None, metadata=NUMBER)
    enable_early_termination: bool = True
    enable_vote_ensemble: bool = True
    enable_stack_ensemble: bool = True
    sampling_algorithm: str = ""
    search_space: Mapping[str, Any] = field(default_factory=dict)
    """Algorithm, hyperparameter, and the distribution: `{kind: loguniform, low: 0.01, high: 0.3}`."""
    featurization: Any = FeaturizationMode.AUTO.value
    """A mode alone, or a mapping with `mode`, `column_purposes`, `imputations` and `constants`."""
    n_cross_validations: int = 0
    validation_share: float = 0.0
    validation_data: str = ""
    """A data asset, `NAME` or `NAME:VERSION`."""
    class_weights: Any = ""
    """"balanced", or a weight by class."""
    cost_matrix: Any = ()
    """A list of `{actual: "yes", predicted: "no", cost: 5}`."""
    max_predict_ms: float = 0.0
    seed: int = 7
    compute: str = "local"
    model_name: str = ""
    engine: str = "portfolio"
    algorithms: tuple[str, ...] = ()
    """The name of `allowed_training_algorithms` before 0.7.0, when it named the vote too."""
    folds: int = 0
    """The name of `n_cross_validations` before 0.7.0."""

    def __post_init__(self) -> None:
        self.training(DataRef("the prepared table"))

    def training(self, data: DataRef) -> TrainingSpec:
        """What to train on a table. Raises SpecInvalid."""
        given = {f.name: getattr(self, f.name) for f in fields(self)}
        older, folds = given.pop("algorithms"), given.pop("folds")
        allowed = self.allowed_training_algorithms or tuple(a for a in older if a not in ENSEMBLES)
        return TrainingSpec(
            data=data,
            **given
            | {
                "allowed_training_algorithms": _algorithms(allowed),
                "blocked_training_algorithms": _algorithms(self.blocked_training_algorithms),
                "enable_vote_ensemble": self.enable_vote_ensemble and (not older or Algorithm.VOTING_ENSEMBLE in older),
                "n_cross_validations": self.n_cross_validations or folds,
                "task": _member(Task, "task", self.task),
                "sampling_algorithm": _member(Sampling, "sampling algorithm", self.sampling_algorithm),
                "search_space": space_of(self.search_space),
                "featurization": featurization_of(self.featurization),
                "validation_data": DataRef(*reference(self.validation_data)) if self.validation_data else None,
                "class_weights": _weights(self.class_weights),
                "cost_matrix": costs_of(self.cost_matrix),
            },
        )


def settings_of_training(spec: TrainingSpec) -> dict[str, Any]:
    """The settings by which a step asks for a training, as JSON has them; what is as usual is not among them."""
    usual = TrainingSpec(spec.data, spec.target)
    names = {setting.name for setting in fields(AutomlSettings)}
    found = {each.name: getattr(spec, each.name) for each in fields(TrainingSpec) if each.name in names}
    changed = {name: value for name, value in found.items() if value is not None and value != getattr(usual, name)}
    return {"target": spec.target, **{name: _said(value) for name, value in changed.items()}}


def _said(value: Any) -> Any:
    if isinstance(value, DataRef):
        return str(value)
    if isinstance(value, Featurization):
        return {setting: held for setting, held in plain(value).items() if held}
    if isinstance(value, Mapping):
        return {name: _said(held) for name, held in value.items()}
    if isinstance(value, Distribution):
        return {each.name: plain(held) for each in fields(value) if (held := getattr(value, each.name)) != each.default}
    return plain(value)


E = TypeVar("E", bound=StrEnum)


def _member(kind: type[E], noun: str, name: str) -> E:
    if name not in tuple(kind):
        raise SpecInvalid(f"There is no {noun} '{name}'", hint=f"One of: {', '.join(filter(None, kind))}")
    return kind(name)


def _algorithms(names: tuple[str, ...]) -> tuple[Algorithm, ...]:
    return tuple(_member(Algorithm, "algorithm", name) for name in names)


def _weights(given: Any) -> Any:
    """Classes as text, by whatever type a definition has them."""
    return {_text(name): weight for name, weight in given.items()} if isinstance(given, Mapping) else given


def _text(name: Any) -> str:
    return str(name).lower() if isinstance(name, bool) else str(name)
