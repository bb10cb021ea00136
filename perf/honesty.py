"""How far the figures of a training are from what fresh rows say: `python -m perf.honesty [TABLE ...] [--splits 20]`.

For each split of a table a small search is run on some rows, and every figure that a leaderboard shows is held against
the rows kept aside. The differences are told with their standard errors over the splits: against the models of the
folds, which is what a figure is an estimate of (an AUC once of all rows together, as it is shown, and once as the mean
of the blocks', which compares no row with one that another model has answered), and against the model that is served,
the mean of those, which is a little better than each of them.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import repeat
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pandas as pd

from core.domain.data import DataRef
from core.domain.training import Algorithm, TrainingSpec, TrialState
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
from core.settings import CHECKOUT
from perf.docs import write_between
from perf.peers.automl.tables import load, names

ALGORITHMS = (Algorithm.LIGHTGBM, Algorithm.XGBOOST, Algorithm.LOGISTIC_REGRESSION, Algorithm.EXTRA_TREES)
METRICS = ("AUC_weighted", "log_loss")
WAYS = ("folds", "blocks", "served", "fresh")
"""The stated figure less that of the folds' models, by block, less the served one's; and the served one's own."""
COLUMNS = {
    "AUC less the folds'": ("AUC_weighted", "folds"),
    "AUC by block less the folds'": ("AUC_weighted", "blocks"),
    "AUC less the served one's": ("AUC_weighted", "served"),
    "log loss less the folds'": ("log_loss", "folds"),
    "log loss less the served one's": ("log_loss", "served"),
}
TABLES = ("german", "telco", "synthetic-weak")
DOCS = CHECKOUT / "docs" / "performance.md"
SEARCH_S = 600.0

Figures = dict[str, dict[str, tuple[float, ...]]]
"""By kind and metric, in the order of WAYS."""


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

    def apart(self, said: Array, combine: Callable[[Array], Array]) -> dict[str, tuple[float, ...]]:
        """Of what is said of the judged rows; `combine` makes trials x rows x classes one."""
        folds = [combine(self.fresh[:, k]) for k in range(self.fresh.shape[1])]
        mean = combine(self.fresh.mean(axis=1))
        found = {}
        for metric in METRICS:
            told = score(metric, self.judged.target, said)
            blocks = np.mean([score(metric, self.judged.target[b], said[b]) for b in self._blocks()])
            by_fold = float(np.mean([score(metric, self.labels, one) for one in folds]))
            served = score(metric, self.labels, mean)
            found[metric] = tuple(map(float, (told - by_fold, blocks - by_fold, told - served, served)))
        return found

    def _blocks(self) -> list[Array]:
        return [self.judged.blocks == block for block in np.unique(self.judged.blocks)]


def main() -> None:
    args = _arguments()
    context = get_context("spawn")  # LightGBM's threads do not survive a fork
    with ProcessPoolExecutor(args.processes, context) as pool:
        asked = [(word, seed) for word in args.tables for seed in range(args.first, args.first + args.splits)]
        found = list(pool.map(_one, asked, repeat(args.rows), repeat(args.trials)))
    own = {word: [f for (name, _), f in zip(asked, found, strict=True) if name == word] for word in args.tables}
    tables = {word: _table(figures) for word, figures in own.items()}
    text = "\n".join(_markdown(word, table) for word, table in tables.items()) + f"\n{_calibration(own)}\n"
    print(text)
    if args.out:
        args.out.write_text(json.dumps({"splits": args.splits, "rows": args.rows, "bias": tables}, indent=1))
    if args.docs:
        write_between(DOCS, "honesty", text)


def _one(asked: tuple[str, int], rows: int, trials: int) -> Figures:
    """Of one split of one table."""
    word, seed = asked
    table = load(word)
    order = np.random.default_rng(seed).permutation(len(table.frame))
    known = min(rows, int(0.7 * len(order)))
    split = one_split(table.frame.iloc[order[:known]], table.frame.iloc[order[known:]], table.target, seed, trials)
    print(f"{word}, split {seed}", file=sys.stderr, flush=True)
    return figures(split)


def figures(split: Split) -> Figures:
    """Of every kind of figure that there is."""
    ranked = sorted(range(len(split.trials)), key=lambda i: -split.trials[i].trial.metrics["AUC_weighted"])
    best = ranked[0]
    every = [split.apart(one, lambda said, i=i: said[i]) for i, one in enumerate(split.stated)]
    mean = {m: tuple(np.mean([one[m] for one in every], axis=0).tolist()) for m in METRICS}
    _, winner = chosen(split.judged, list(split.stated))
    found: Figures = {"a trial (rounds)": mean, "the best trial, its own": every[best]}
    found["the best trial, nested"] = split.apart(winner, lambda said: said[best])
    if (made := vote_of(split.judged, split.stated, [f.trial.algorithm for f in split.trials])) is None:
        return found
    vote, by_block = made
    at = list(vote.members)
    several = {"vote": vote, "vote, calibrated": calibrated(split.judged, vote, always=True)}
    kept = several["vote, calibrated unless that is worse"] = calibrated(split.judged, vote)
    if stack := stacked(split.judged, split.stated, vote, by_block, sure=-np.inf):
        several["stack"] = stack
    for kind, one in several.items():
        found[kind] = split.apart(one.said, lambda said, one=one: one.combination.combined(list(said[at])))
    which, said = chosen(split.judged, [winner, kept.said])
    won = [lambda said: said[best], lambda said: kept.combination.combined(list(said[at]))][which]
    found["the winner of all"] = split.apart(said, won)
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
            table, spec, profile, folder=folder / "trials", executor=InProcessExecutor(train, threads=1),
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


def _table(found: list[Figures]) -> dict[str, dict[str, dict[str, float]]]:
    """By kind and metric, over the splits that have the kind."""
    kinds = list(dict.fromkeys(kind for one in found for kind in one))
    return {kind: {m: _summary([f[kind][m] for f in found if kind in f]) for m in METRICS} for kind in kinds}


def _summary(apart: list[tuple[float, ...]]) -> dict[str, float]:
    values = np.array(apart)
    error = values.std(axis=0, ddof=1) / np.sqrt(len(values)) if len(values) > 1 else np.full(len(WAYS), np.nan)
    told = {way: float(value) for way, value in zip(WAYS, values.mean(axis=0), strict=True)}
    return {"splits": len(values), **told, **{f"{w}_error": float(e) for w, e in zip(WAYS, error, strict=True)}}


def _markdown(name: str, table: Mapping[str, Mapping[str, Mapping[str, float]]]) -> str:
    """The stated figure less the one on fresh rows: above 0, an AUC promises too much, a log loss too little."""
    lines = ["| " + " | ".join([name, "splits", *COLUMNS]) + " |", "|---" * (2 + len(COLUMNS)) + "|"]
    for kind, found in table.items():
        cells = [f"{found[m][w]:+.4f} ± {found[m][w + '_error']:.4f}" for m, w in COLUMNS.values()]
        lines.append(f"| {kind} | {found[METRICS[0]]['splits']:.0f} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _calibration(own: Mapping[str, list[Figures]]) -> str:
    """What the rule of calibration is worth on the fresh rows: the same served vote with it and without it."""
    kinds = ("vote, calibrated unless that is worse", "vote")
    told = []
    for name, found in own.items():
        losses = [[f[kind]["log_loss"][WAYS.index("fresh")] for kind in kinds] for f in found if kinds[0] in f]
        if len(losses) > 1:
            apart = np.subtract(*np.transpose(losses))
            error = apart.std(ddof=1) / np.sqrt(len(apart))
            better, worse = int((apart < 0).sum()), int((apart > 0).sum())
            told.append(f"{name} {apart.mean():+.5f} ± {error:.5f} (better on {better}, worse on {worse})")
    what = "Log loss of the served vote on fresh rows, calibrated unless that is worse, less uncalibrated"
    return f"{what}: {'; '.join(told)}."


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tables", nargs="*", default=TABLES, help=f"of: {', '.join(names())}, PATH:TARGET")
    parser.add_argument("--splits", type=int, default=20)
    parser.add_argument("--first", type=int, default=0, help="number of the first split: others than before are fresh")
    parser.add_argument("--rows", type=int, default=1_500, help="to learn from, at most 70 %% of the table's")
    parser.add_argument("--trials", type=int, default=8)
    parser.add_argument("--processes", type=int, default=2, help="splits at a time")
    parser.add_argument("--out", type=Path, help="a JSON file of all figures")
    parser.add_argument("--docs", action="store_true", help="write them into docs/performance.md, too")
    return parser.parse_args()


if __name__ == "__main__":
    main()
