"""How far the figures of a training are from what fresh rows say: `python -m perf.honesty TABLE TARGET [--splits 20]`.

For each split of the table (`twin`: the synthetic Bank Marketing table) a small search is run on some rows, and every
figure that a leaderboard shows is held against the rows kept aside. Two differences are told, each with its standard
error over the splits: against the models of the folds, which is what a figure is an estimate of, and against the model
that is served, the mean of those, which is a little better than each of them.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from core.domain.data import DataRef
from core.domain.training import Algorithm, TrainingSpec, TrialState
from core.ml.bank_twin import write_twin
from core.ml.data.prepare import prepare
from core.ml.data.profile import profile_table
from core.ml.ensembles.making import Judged, calibrated, chosen, stacked, vote_of
from core.ml.executor import InProcessExecutor
from core.ml.finished import ARRAYS, MEMBER, FinishedTrial, read_finished
from core.ml.metrics import score
from core.ml.search import search
from core.ml.trial import train
from core.predict.encoder import Encoder
from core.predict.folder import read_part
from core.predict.members import Array
from core.predict.steps import widened

ALGORITHMS = (Algorithm.LIGHTGBM, Algorithm.XGBOOST, Algorithm.LOGISTIC_REGRESSION, Algorithm.EXTRA_TREES)
METRICS = ("AUC_weighted", "log_loss")
SEARCH_S = 600.0

Figures = dict[str, dict[str, tuple[float, float]]]
"""By kind and metric: the stated figure less that of the folds' models, and less that of the served one."""


@dataclass(frozen=True)
class Split:
    """One search with what its models say of the rows that judge them and of fresh ones."""

    judged: Judged
    trials: tuple[FinishedTrial, ...]
    stated: Array
    """Trials x judged rows x classes."""
    fresh: Array
    """Trials x folds x fresh rows x classes."""
    labels: Array

    def apart(self, said: Array, combine: Callable[[Array], Array]) -> dict[str, tuple[float, float]]:
        """Of what is said of the judged rows; `combine` makes trials x rows x classes one."""
        folds = [combine(self.fresh[:, k]) for k in range(self.fresh.shape[1])]
        served = combine(self.fresh.mean(axis=1))
        found = {}
        for metric in METRICS:
            told = np.mean([score(metric, self.judged.target[b], said[b]) for b in self._blocks()])
            by_fold = float(np.mean([score(metric, self.labels, one) for one in folds]))
            found[metric] = (float(told - by_fold), float(told - score(metric, self.labels, served)))
        return found

    def _blocks(self) -> list[Array]:
        return [self.judged.blocks == block for block in np.unique(self.judged.blocks)]


def main() -> None:
    args = _arguments()
    found: list[Figures] = []
    for seed in range(args.splits):
        found.append(figures(one_split(*_rows(args, seed), args.target, seed, args.trials)))
        print(f"{seed + 1} of {args.splits} splits", flush=True)
    table = {kind: {m: _summary([f[kind][m] for f in found if kind in f]) for m in METRICS} for kind in found[0]}
    print(markdown(args.table, table))
    if args.out:
        args.out.write_text(json.dumps({"table": args.table, "splits": args.splits, "bias": table}, indent=1))


def figures(split: Split) -> Figures:
    """Of every kind of figure that there is."""
    ranked = sorted(range(len(split.trials)), key=lambda i: -split.trials[i].trial.metrics["AUC_weighted"])
    best = ranked[0]
    every = [split.apart(one, lambda said, i=i: said[i]) for i, one in enumerate(split.stated)]
    mean = {m: tuple(np.mean([one[m] for one in every], axis=0).tolist()) for m in METRICS}
    _, winner = chosen(split.judged, list(split.stated))
    found: Figures = {"a trial (rounds)": mean, "the best trial, its own": every[best]}
    found["the best trial, nested"] = split.apart(winner, lambda said: said[best])
    if (made := vote_of(split.judged, split.stated)) is None:
        return found
    vote, by_block = made
    at = list(vote.members)
    several = {"vote": vote, "vote, calibrated": calibrated(split.judged, vote)}
    if stack := stacked(split.judged, split.stated, vote, by_block, sure=-np.inf):
        several["stack"] = stack
    for kind, one in several.items():
        found[kind] = split.apart(one.said, lambda said, one=one: one.combination.combined(list(said[at])))
    return found


def one_split(known: pd.DataFrame, fresh: pd.DataFrame, target: str, seed: int, trials: int) -> Split:
    """A search of so many trials on the known rows."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        table = folder / "table.parquet"
        known.to_parquet(table)
        profile = profile_table(table, target)
        spec = TrainingSpec(
            DataRef("table"), target, timeout_s=SEARCH_S, max_trials=trials, seed=seed, max_concurrent_trials=1,
            allowed_training_algorithms=ALGORITHMS, enable_vote_ensemble=False, enable_stack_ensemble=False,
        )  # fmt: skip
        search(
            table, spec, profile, folder=folder / "trials", executor=InProcessExecutor(train, threads=2),
            clock=time.time, on_trial=lambda trial: None, should_stop=lambda: False,
        )  # fmt: skip
        prepared = prepare(table, spec, profile)
        problem = prepared.problem
        judged = Judged(problem.kind, problem.metric, prepared.target, prepared.blocks, seed)
        done = tuple(f for f in read_finished(folder / "trials") if f.trial.state is TrialState.SUCCEEDED)
        done = tuple(f for f in done if f.trial.folds == done[0].trial.folds)
        columns = [[None if v != v else v for v in fresh[c.name].tolist()] for c in problem.signature.used]
        classes = [str(c) for c in problem.signature.classes]
        labels = np.array([classes.index(str(value)) for value in fresh[target]])
        said = np.array([list(_by_fold(f.folder, columns)) for f in done])
        return Split(judged, done, np.array([f.oof() for f in done]), said, labels)


def _by_fold(folder: Path, columns: list[list[object]]) -> Iterator[Array]:
    described = json.loads((folder / MEMBER).read_bytes())
    with np.load(folder / ARRAYS, allow_pickle=False) as kept:
        arrays = dict(kept)
    matrix = Encoder.from_json(described["encoder"])(columns)
    for one in described["parts"]:
        part = read_part(one, arrays)
        yield part.member.probabilities(widened(matrix, part.steps))


def _rows(args: argparse.Namespace, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The rows to learn from, and those kept aside."""
    if args.table == "twin":
        with tempfile.TemporaryDirectory() as name:
            write_twin(Path(name) / "twin.parquet", seed=seed)
            frame = pd.read_parquet(Path(name) / "twin.parquet")
    else:
        frame = pd.read_csv(args.table)
    order = np.random.default_rng(seed).permutation(len(frame))
    rows = min(args.rows, int(0.7 * len(frame)))
    return frame.iloc[order[:rows]], frame.iloc[order[rows:]]


def _summary(apart: list[tuple[float, float]]) -> dict[str, float]:
    values = np.array(apart)
    error = values.std(axis=0, ddof=1) / np.sqrt(len(values)) if len(values) > 1 else np.full(2, np.nan)
    mean = values.mean(axis=0)
    return {
        "splits": len(values), "folds": float(mean[0]), "folds_error": float(error[0]),
        "served": float(mean[1]), "served_error": float(error[1]),
    }  # fmt: skip


def markdown(name: str, table: Mapping[str, Mapping[str, Mapping[str, float]]]) -> str:
    """The stated figure less the one on fresh rows: above 0, an AUC promises too much, a log loss too little."""
    lines = [f"{name} | AUC less the folds' | less the served one's | log loss less the folds' | less the served one's"]
    lines.append("---|---|---|---|---")
    for kind, found in table.items():
        cells = [f"{found[m][w]:+.4f} ± {found[m][w + '_error']:.4f}" for m in METRICS for w in ("folds", "served")]
        lines.append(" | ".join([kind, *cells]))
    return "\n".join(lines)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("table", help="a CSV file, or `twin`")
    parser.add_argument("target")
    parser.add_argument("--splits", type=int, default=20)
    parser.add_argument("--rows", type=int, default=1_500, help="to learn from, at most")
    parser.add_argument("--trials", type=int, default=6)
    parser.add_argument("--out", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    main()
