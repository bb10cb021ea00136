"""Model folders of a stated size, fitted for measuring alone: how long prediction takes does not ask how good it is."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.contract.signature import to_json
from core.domain.data import DataRef
from core.domain.training import TrainingSpec
from core.ml.data.prepare import prepare
from core.ml.data.profile import profile_table
from core.ml.data.table import read_training
from core.ml.learners import lightgbm, linear, xgboost
from core.ml.learners.learner import Fit, Setup
from core.ml.task import LearningProblem, Param, Rows
from core.predict.combination import Vote
from core.predict.encoder import Encoder
from core.predict.folder import FORMAT, combination_json, part_arrays, part_json
from core.predict.members import Member
from core.predict.part import Part

LIGHTGBM: Mapping[str, Param] = {"learning_rate": 0.05, "min_data_in_leaf": 20, "feature_fraction": 0.8}
XGBOOST: Mapping[str, Param] = {"max_depth": 5, "eta": 0.08}
LOGISTIC: Mapping[str, Param] = {"C": 1.0, "max_iter": 200, "numbers": "plain"}
THREADS = 1
"""With more, the learners spin at every step for a thread whose core somebody else has: minutes instead of seconds."""
SEED = 7


@dataclass(frozen=True, slots=True)
class Bench:
    """A table made ready to fit members on."""

    problem: LearningProblem
    rows: Rows

    def lightgbm(self, trees: int = 300, leaves: int = 31) -> Member:
        """A forest of exactly so many trees."""
        return self._fit(lightgbm.fit, {**LIGHTGBM, "num_leaves": leaves}, trees)

    def xgboost(self, trees: int = 150) -> Member:
        """A forest of exactly so many trees, at most 32 leaves each."""
        return self._fit(xgboost.fit, XGBOOST, trees)

    def logistic(self) -> Member:
        """A linear member."""
        return self._fit(linear.fit_logistic, LOGISTIC, 0)

    def write(self, folder: Path, members: Sequence[tuple[float, Member]]) -> Path:
        """A model folder that `load_model` reads, without card and native files; weights sum to 1."""
        folder.mkdir(parents=True)
        described = [part_json(Part(member), f"t{at}_", at) for at, (weight, member) in enumerate(members)]
        arrays = {
            n: a for at, (_, member) in enumerate(members) for n, a in part_arrays(Part(member), f"t{at}_").items()
        }
        model = {"format": FORMAT, "encoder": Encoder(self.problem.codes).to_json(), "members": described, "info": {}}
        model["combination"] = combination_json(Vote(tuple(weight for weight, _ in members)))
        (folder / "signature.json").write_text(json.dumps(to_json(self.problem.signature)), "utf-8")
        (folder / "model.json").write_text(json.dumps(model), "utf-8")
        np.savez_compressed(folder / "arrays.npz", **arrays)  # type: ignore[arg-type]  # numpy types the flag only
        return folder

    def _fit(self, fit: Fit, params: Mapping[str, Param], rounds: int) -> Member:
        problem = self.problem
        setup = Setup(params, problem.kind, problem.classes, problem.codes, THREADS, SEED, _never, _never)
        return fit(setup, self.rows, [], rounds).member()


def bench(table: Path, target: str, rows_max: int = 0) -> Bench:
    """The table, profiled, checked and coded as a search does it; `rows_max` 0 fits on every row."""
    spec = TrainingSpec(DataRef("perf"), target)
    problem = prepare(table, spec, profile_table(table, target)).problem
    return Bench(problem, read_training(problem, threads=THREADS, rows_max=rows_max))


def _never() -> bool:
    return False
