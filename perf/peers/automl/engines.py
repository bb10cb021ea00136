"""The engines that are compared: what each needs, which script trains with it, and with which preset."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from perf.peers.comparison import OURS

SCRIPTS = Path(__file__).parent / "scripts"
PARQUET = "pyarrow>=21"
"""The tables are handed over in it; no engine is measured by its size."""


@dataclass(frozen=True)
class Environment:
    """What `environments.python_of` asks of a peer, under the names that a peer's module has."""

    NAME: str
    REQUIREMENTS: tuple[str, ...] = ()
    PYTHON: str = "3.11"


@dataclass(frozen=True)
class Engine:
    """One line of the comparison."""

    name: str
    label: str
    environment: Environment
    script: Path
    parts: tuple[str, ...]
    """The distributions that make its installed size, with all that they require."""
    unused: tuple[str, ...] = ()
    """What a part requires and no training loads."""
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def ours(self) -> bool:
        return not self.environment.REQUIREMENTS


OWN = Environment(OURS)
FLAML = Environment("flaml", ("flaml[automl,catboost]==2.7.0", PARQUET))
AUTOGLUON = Environment("autogluon", ("autogluon.tabular[lightgbm,catboost,xgboost,fastai]==1.6.3", PARQUET))
MLJAR = Environment("mljar", ("mljar-supervised==1.3.2", PARQUET))
LIGHTAUTOML = Environment("lightautoml", ("lightautoml==0.4.2", PARQUET))


def _engine(name: str, label: str, environment: Environment, **options: Any) -> Engine:
    part, _, _ = environment.REQUIREMENTS[0].partition("==")
    return Engine(name, label, environment, SCRIPTS / f"fit_{environment.NAME}.py", (part,), options=options)


OURS_PARTS = ("lightgbm", "xgboost-cpu", "catboost", "scikit-learn", "optuna")
OURS_UNUSED = ("plotly",)
"""CatBoost's requirement for charts, which are the app's here (`tests/setup/test_gpu_code.py` trains without it)."""
OURS_CODE = ("ml", "predict", "packaging", "local/worker")
"""The rooms of `core` that plan a search, train, and predict: when they change, our runs are made again."""
ENGINES: Sequence[Engine] = (
    Engine(OURS, "Slipway", OWN, SCRIPTS / "fit_slipway.py", OURS_PARTS, OURS_UNUSED),
    _engine("autogluon", "AutoGluon best_quality", AUTOGLUON, presets="best_quality", dynamic_stacking=False),
    _engine("autogluon-2025", "AutoGluon best_quality_v150", AUTOGLUON, presets="best_quality_v150"),
    _engine("flaml", "FLAML", FLAML),
    _engine("flaml-ensemble", "FLAML ensemble", FLAML, ensemble=True),
    _engine("mljar", "mljar Compete", MLJAR),
    _engine("lightautoml", "LightAutoML", LIGHTAUTOML),
)
"""Ours first. AutoGluon's `extreme_quality` is absent: it wants a GPU and weights that it fetches from a hub. Dynamic
stacking would spend a quarter of the time on a trial fit; AutoGluon itself advises to leave it out of a short run."""


@dataclass(frozen=True)
class Contender:
    """An engine with the time that it is given."""

    engine: Engine
    budget_s: float
    name: str
    """The engine's; with its own budget, `ENGINE@SECONDS`."""

    @property
    def label(self) -> str:
        return self.engine.label + (f", {self.budget_s:g} s" if "@" in self.name else "")


def contenders(words: Sequence[str], budget_s: float) -> list[Contender]:
    """From `ENGINE` or `ENGINE@SECONDS` each; none: every engine. Raises ValueError that says what is wrong."""
    known = {engine.name: engine for engine in ENGINES}
    chosen = []
    for word in words or list(known):
        name, _, seconds = word.partition("@")
        if name not in known:
            raise ValueError(f"there is no engine '{name}'; there are: {', '.join(known)}")
        try:
            own = float(seconds or budget_s)  # one number, however it was written: runs are kept by it
        except ValueError:
            raise ValueError(f"'{word}' is not ENGINE@SECONDS") from None
        chosen.append(Contender(known[name], own, f"{name}@{own:g}" if seconds else name))
    return chosen
