"""What to train, and what came of each trial."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from core.domain.algorithms import ENSEMBLES, Algorithm, algorithm_label, algorithms_of
from core.domain.costs import Cost
from core.domain.data import DataRef
from core.domain.errors import SpecInvalid
from core.domain.featurization import Featurization
from core.domain.metrics import primary_metrics
from core.domain.names import check_name
from core.domain.plain import LEFT_OUT
from core.domain.rules import check_flag, check_number, check_text, check_whole, shown
from core.domain.search_space import Distribution, check_space
from core.domain.trial import Comparison, Trial, TrialDetail, TrialState

__all__ = [
    "CLASSES_MAX",
    "Algorithm",
    "BestTrial",
    "Comparison",
    "Cost",
    "Guardrail",
    "GuardrailState",
    "ModelVersion",
    "Task",
    "TrainingResult",
    "TrainingSpec",
    "Trial",
    "TrialDetail",
    "TrialState",
    "algorithm_label",
]

CLASSES_MAX = 100
TIMEOUT_MIN_S = 3.0
FOLDS_MAX = 20
TRIALS_USUAL = 1000
BALANCED = "balanced"
ENDED_EARLY = "The search ended after"
"""So begins the note that a search did not take all of its time."""


class Task(StrEnum):
    """Azure's two tasks for tables that Slipway does."""

    CLASSIFICATION = "classification"
    REGRESSION = "regression"


class Sampling(StrEnum):
    """Where configurations come from; by default the portfolio first, then Bayesian search around the best."""

    DEFAULT = ""
    RANDOM = "random"
    GRID = "grid"
    BAYESIAN = "bayesian"


@dataclass(frozen=True, slots=True)
class TrainingSpec:
    """One AutoML job. `timeout_s` is wall-clock seconds for the whole search."""

    data: DataRef
    target: str
    timeout_s: float = 60.0
    primary_metric: str = ""
    """Empty: AUC_weighted, or for regression normalized_root_mean_squared_error."""
    task: Task = Task.CLASSIFICATION
    exclude: tuple[str, ...] = ()
    """Columns not to learn from; they stay in the signature as optional and unused."""
    allowed_training_algorithms: tuple[Algorithm, ...] = ()
    """Empty: all that the engine chooses from by itself."""
    blocked_training_algorithms: tuple[Algorithm, ...] = ()
    max_trials: int = TRIALS_USUAL
    max_concurrent_trials: int = 0
    """0: as many as the compute allows. With 1 the plan looks at no measured time, so a seed gives the same again."""
    trial_timeout_s: float = 0.0
    """Seconds after which a trial is stopped; 0: the engine's own plan."""
    exit_score: float | None = None
    """The search ends once a trial's primary metric is this good."""
    enable_early_termination: bool = True
    """End before the time is over when nothing was gained for long, and drop a trial whose first folds are hopeless."""
    enable_vote_ensemble: bool = True
    enable_stack_ensemble: bool = True
    sampling_algorithm: Sampling = Sampling.DEFAULT
    search_space: Mapping[str, Mapping[str, Distribution]] = field(default_factory=dict)
    """By algorithm and hyperparameter; empty: the engine's own."""
    featurization: Featurization = field(default_factory=Featurization)
    n_cross_validations: int = 0
    """Folds; 0: the engine chooses by the number of rows."""
    validation_share: float = 0.0
    """Share of the rows that is held out instead of a cross-validation; 0: none."""
    validation_data: DataRef | None = field(default=None, metadata=LEFT_OUT)
    """A table of its own to be judged on instead."""
    class_weights: str | Mapping[str, float] = ""
    """What an error on a row of each class weighs, by the class as text; "balanced" by how rare it is; empty: alike."""
    cost_matrix: tuple[Cost, ...] = ()
    """What decisions cost; the model's threshold is then the cheapest. What is not named costs 1, a right answer 0."""
    max_predict_ms: float = 0.0
    """Milliseconds that the model may take for one row, as measured; 0: 1 ms, by an estimate that holds everywhere."""
    seed: int = 7
    experiment_name: str = "default"
    compute: str = "local"
    model_name: str = ""
    """Register the best model under this name at the end; empty: leave that to `models.register`."""
    engine: str = "portfolio"

    def __post_init__(self) -> None:
        if not self.target:
            raise SpecInvalid("No target column was named", hint="Say which column to predict, e.g. --target y")
        check_text("target", self.target)
        check_number("timeout_s", self.timeout_s, 0, 10_000_000)
        if self.timeout_s < TIMEOUT_MIN_S:
            raise SpecInvalid(
                f"timeout_s must be at least {TIMEOUT_MIN_S:g} seconds, got {self.timeout_s}", hint="Try 60"
            )
        self._check_metric()
        if self.target in self.exclude:
            raise SpecInvalid(f"The target '{self.target}' cannot be excluded")
        check_whole("seed", self.seed, 0, 2**31 - 1)
        for name in ("experiment_name", "compute", "engine"):
            check_text(name, getattr(self, name))
        if self.model_name != "":
            check_name("a model", self.model_name)
        self._check_columns()
        self._check_algorithms()
        self._check_limits()
        self._check_validation()
        self._check_decisions()

    @property
    def regression(self) -> bool:
        """It predicts a number."""
        return self.task is Task.REGRESSION

    @property
    def algorithms(self) -> tuple[Algorithm, ...]:
        """Those that this task may be learned with: the allowed ones, without the blocked ones."""
        return tuple(
            a
            for a in algorithms_of(self.regression)
            if a not in self.blocked_training_algorithms
            and (not self.allowed_training_algorithms or a in self.allowed_training_algorithms)
        )

    def _check_metric(self) -> None:
        if self.task not in tuple(Task):
            raise SpecInvalid(f"There is no task '{self.task}'", hint=f"One of: {', '.join(Task)}")
        known = primary_metrics(self.regression)
        if not self.primary_metric:
            # The one default that hangs on another field.
            object.__setattr__(self, "primary_metric", known[0])
        if self.primary_metric not in known:
            raise SpecInvalid(
                f"Unknown primary metric '{self.primary_metric}' for {self.task}", hint=f"One of: {', '.join(known)}"
            )

    def _check_columns(self) -> None:
        if isinstance(self.exclude, str):
            raise SpecInvalid(f"exclude is '{self.exclude}', expected a list of columns")
        for column in self.exclude:
            check_text("A column to exclude", column)

    def _check_algorithms(self) -> None:
        named = (*self.allowed_training_algorithms, *self.blocked_training_algorithms)
        if unknown := [name for name in named if name not in tuple(Algorithm)]:
            raise SpecInvalid(f"There is no algorithm '{unknown[0]}'", hint=f"One of: {', '.join(Algorithm)}")
        if made := [name for name in named if name in ENSEMBLES]:
            raise SpecInvalid(
                f"{made[0]} is made of other trials, so it is no algorithm to allow or block",
                hint="enable_vote_ensemble and enable_stack_ensemble say whether ensembles are made",
            )
        if not self.algorithms:
            raise SpecInvalid(
                f"No algorithm is left for {self.task}", hint="Allow more algorithms, or block fewer of them"
            )
        if self.sampling_algorithm not in tuple(Sampling):
            known = ", ".join(filter(None, Sampling))
            raise SpecInvalid(f"There is no sampling algorithm '{self.sampling_algorithm}'", hint=f"One of: {known}")
        check_space(self.search_space, self.algorithms)

    def _check_limits(self) -> None:
        check_whole("max_trials", self.max_trials, 1, 1_000_000)
        check_whole("max_concurrent_trials", self.max_concurrent_trials, 0, 10_000)
        check_number("trial_timeout_s", self.trial_timeout_s, 0, 10_000_000)
        check_number("max_predict_ms", self.max_predict_ms, 0, 1e9)
        if self.exit_score is not None:
            check_number("exit_score", self.exit_score, -1e300, 1e300)
        for name in ("enable_early_termination", "enable_vote_ensemble", "enable_stack_ensemble"):
            check_flag(name, getattr(self, name))

    def _check_validation(self) -> None:
        folds = self.n_cross_validations
        if type(folds) is not int or folds == 1 or folds < 0 or folds > FOLDS_MAX:
            raise SpecInvalid(f"n_cross_validations is {folds!r}, expected 0 (automatic) or 2 to {FOLDS_MAX}")
        check_number("validation_share", self.validation_share, 0, 0.9)
        asked = {
            "n_cross_validations": folds,
            "validation_share": self.validation_share,
            "validation_data": self.validation_data,
        }
        if len(given := [name for name, value in asked.items() if value]) > 1:
            raise SpecInvalid(f"Both {given[0]} and {given[1]} are given", hint="Choose one way to judge the trials")

    def _check_decisions(self) -> None:
        weights = self.class_weights
        if isinstance(weights, str):
            if weights not in ("", BALANCED):
                raise SpecInvalid(f"class_weights is '{weights}'", hint=f'"{BALANCED}", or a number for each class')
        elif not isinstance(weights, Mapping):
            raise SpecInvalid(f"class_weights is {shown(weights)}", hint=f'"{BALANCED}", or a number for each class')
        else:
            for name, weight in weights.items():
                check_number(f"The weight of class '{name}'", weight, 0, 1e9, above=True)
        if self.regression and (weights or self.cost_matrix):
            raise SpecInvalid("Class weights and a cost matrix are for classes, and this task predicts a number")


@dataclass(frozen=True, slots=True)
class BestTrial:
    """The trial whose model a search has left; an ensemble is a trial too."""

    number: int
    algorithm: str
    metrics: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ModelVersion:
    """A registered model by name and version."""

    name: str
    version: int


class GuardrailState(StrEnum):
    """Azure's three verdicts."""

    PASSED = "passed"
    DONE = "done"
    ALERTED = "alerted"


@dataclass(frozen=True, slots=True)
class Guardrail:
    """One check of the data before training, and what was done about it."""

    name: str
    state: GuardrailState
    detail: str


@dataclass(frozen=True, slots=True)
class TrainingResult:
    """What a search has found, and what is to be known of its data. The rest of it is in the trials."""

    best: BestTrial
    members: tuple[tuple[int, float], ...] = ()
    """The best trial's parts, as trial numbers with their weights."""
    notes: tuple[str, ...] = ()
    """What to know of it before its figures; one that begins with `ENDED_EARLY` is no warning."""
    guardrails: tuple[Guardrail, ...] = ()
    trials: int = 0
    seconds: float = 0.0
    """That all attempts have spent searching."""
    model: ModelVersion | None = field(default=None, metadata=LEFT_OUT)
    """The model that the job has registered itself; None where nobody asked it to."""
    threshold: float | None = field(default=None, metadata=LEFT_OUT)
    """The best model predicts its positive class from this probability up; None where no cost matrix was given."""
