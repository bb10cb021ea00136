"""What to train, and what came of each trial."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from core.domain.data import DataRef
from core.domain.errors import SpecInvalid
from core.domain.metrics import PRIMARY_METRICS
from core.domain.names import check_name
from core.domain.plain import LEFT_OUT
from core.domain.rules import check_number, check_text, check_whole


class Algorithm(StrEnum):
    """Named as Azure's AutoML names them, where it has the same; each with its everyday name."""

    label: str

    def __new__(cls, name: str, label: str = "") -> "Algorithm":
        """A member is equal to its name."""
        made = str.__new__(cls, name)
        made._value_ = name
        made.label = label
        return made

    LOGISTIC_REGRESSION = "LogisticRegression", "Logistic regression"
    EXTRA_TREES = "ExtremeRandomTrees", "Extra trees"
    LIGHTGBM = "LightGBM", "LightGBM"
    XGBOOST = "XGBoostClassifier", "XGBoost"
    VOTING_ENSEMBLE = "VotingEnsemble", "Voting ensemble"


def algorithm_label(name: str) -> str:
    """An algorithm's everyday name; one of another engine keeps its own."""
    return next((known.label for known in Algorithm if known == name), name)


CLASSES_MAX = 100


@dataclass(frozen=True, slots=True)
class TrainingSpec:
    """One AutoML classification job. `timeout_s` is wall-clock seconds for the whole search."""

    data: DataRef
    target: str
    timeout_s: float = 60.0
    primary_metric: str = "AUC_weighted"
    exclude: tuple[str, ...] = ()
    """Columns not to learn from; they stay in the signature as optional and unused."""
    algorithms: tuple[Algorithm, ...] = ()
    """Empty: all that the engine has."""
    max_trials: int = 100
    folds: int = 0
    """0: the engine chooses by the number of rows."""
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
        if self.timeout_s < 5:
            raise SpecInvalid(f"timeout_s must be at least 5 seconds, got {self.timeout_s}", hint="Try 60")
        if self.primary_metric not in PRIMARY_METRICS:
            raise SpecInvalid(
                f"Unknown primary metric '{self.primary_metric}'", hint=f"One of: {', '.join(PRIMARY_METRICS)}"
            )
        if self.target in self.exclude:
            raise SpecInvalid(f"The target '{self.target}' cannot be excluded")
        check_whole("max_trials", self.max_trials, 1, 1_000_000)
        if type(self.folds) is not int or self.folds == 1 or self.folds < 0 or self.folds > 20:
            raise SpecInvalid(f"folds is {self.folds!r}, expected 0 (automatic) or 2 to 20")
        check_whole("seed", self.seed, 0, 2**31 - 1)
        for name in ("experiment_name", "compute", "engine"):
            check_text(name, getattr(self, name))
        if self.model_name != "":
            check_name("a model", self.model_name)
        self._check_choices()

    def _check_choices(self) -> None:
        if isinstance(self.exclude, str):
            raise SpecInvalid(f"exclude is '{self.exclude}', expected a list of columns")
        for column in self.exclude:
            check_text("A column to exclude", column)
        if unknown := [name for name in self.algorithms if name not in tuple(Algorithm)]:
            raise SpecInvalid(f"There is no algorithm '{unknown[0]}'", hint=f"One of: {', '.join(Algorithm)}")


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


class TrialState(StrEnum):
    """`STOPPED`: cut off by the job's time or a cancel."""

    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Trial:
    """One configuration tried. `metrics` are out-of-fold, under Azure's names."""

    number: int
    algorithm: str
    state: TrialState
    params: Mapping[str, str | int | float | bool | None] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    started_at: float = 0.0
    duration_s: float = 0.0
    error: str = ""
    members: tuple[int, ...] = ()
    """Trial numbers of an ensemble's members."""


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
    guardrails: tuple[Guardrail, ...] = ()
    trials: int = 0
    seconds: float = 0.0
    """That all attempts have spent searching."""
    model: ModelVersion | None = field(default=None, metadata=LEFT_OUT)
    """The model that the job has registered itself; None where nobody asked it to."""


@dataclass(frozen=True, slots=True)
class TrialDetail:
    """Everything about one trial that the leaderboard opens on a click."""

    trial: Trial
    job_id: str
    log: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Comparison:
    """Trials side by side: `rows[i]` belongs to `trials[i]`, its values to `metrics`."""

    metrics: tuple[str, ...]
    trials: tuple[Trial, ...]
    rows: tuple[tuple[float | None, ...], ...]


@dataclass(frozen=True, slots=True)
class Compute:
    """A named limit: how many jobs at once, with how many threads and how much memory each; or a cluster."""

    name: str
    max_concurrent: int = 1
    threads: int = 2
    memory_mb: int = 4096
    size: str = ""
    """Of a cluster's machines; empty where there is no cluster, and for the size that the settings name."""
    max_nodes: int = 0
    """So many machines a cluster has at most; 0 where there is none, and for the number in the settings."""

    def __post_init__(self) -> None:
        check_name("a compute", self.name)
        where = f" of compute '{self.name}'"
        check_whole(f"max_concurrent{where}", self.max_concurrent, 1, 10_000)
        check_whole(f"threads{where}", self.threads, 1, 10_000)
        check_whole(f"memory_mb{where}", self.memory_mb, 256, 1_000_000_000)
        check_text(f"size{where}", self.size, empty=True)
        check_whole(f"max_nodes{where}", self.max_nodes, 0, 10_000)
