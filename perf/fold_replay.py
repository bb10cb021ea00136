"""What it is worth to end a trial after its first folds, and how often that is wrong.

    python -m perf.fold_replay TABLE ... [--seconds 60] [--kept FOLDER]

`TABLE` is one that `perf.peers.automl` knows. A search in which no trial is ended early is recorded on three quarters
of the rows, with the score of each fold and when it was there. Then the same trials are gone through once more under
each rule: what it ends costs its first folds only, and gives nothing. Told are, by rule, the trials ended, how many of
these would have been among the best five or in the vote of all (false drops), the time saved, and what the vote of what
is done by a quarter and by half of the time says of the rows kept aside, less what it says without any rule.
"""

import argparse
import json
import pickle
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from sklearn.model_selection import train_test_split

from core.domain.data import DataRef
from core.domain.metrics import gain
from core.domain.training import TrainingSpec, Trial, TrialState
from core.local.worker.executors import ProcessExecutor
from core.ml.data.prepare import prepare
from core.ml.data.profile import profile_table
from core.ml.data.table import read_training
from core.ml.ensembles.making import Judged, vote_of
from core.ml.executor import Event, GivenUp, nobody
from core.ml.finished import ARRAYS, MEMBER, FinishedTrial, read_finished
from core.ml.hopeless import why_hopeless
from core.ml.learners.registry import libraries
from core.ml.metrics import score
from core.ml.search import search
from core.ml.task import PLANNED, Stop, TrialProgress, TrialTask
from core.ml.trial import train
from core.predict.folder import read_part
from core.predict.members import Array
from core.predict.part import Part, bagged
from perf.peers.automl.tables import load

MEMORY_MB, THREADS, TEST_SHARE, SEED = 8_000, 2, 0.25, 7
SHARES = (0.25, 0.5)
"""Of the recorded time, after which the votes are compared."""
BEST, VOTERS = 5, 16
Rule = Callable[[Sequence[float], Sequence[float], bool], bool]
"""Whether a trial ends: its folds so far, the best trial's, and whether its algorithm has been tried."""


def _spreads(margin: float, *, known: bool) -> Rule:
    """So many standard deviations of the best one's folds behind; where `known`, only where its algorithm was tried."""

    def rule(scores: Sequence[float], best: Sequence[float], tried: bool) -> bool:
        behind = float(np.mean(best[: len(scores)]) - np.mean(scores))
        return behind > margin * float(np.std(best)) and (tried or not known)

    return rule


RULES: dict[str, Rule] = {
    "as it is: hopeless": lambda scores, best, tried: bool(why_hopeless(scores, best)),
    "4 spreads behind": _spreads(4, known=False),
    "2 spreads behind": _spreads(2, known=False),
    "1 spread behind": _spreads(1, known=False),
    "4 spreads behind, algorithm tried before": _spreads(4, known=True),
    "2 spreads behind, algorithm tried before": _spreads(2, known=True),
    "1 spread behind, algorithm tried before": _spreads(1, known=True),
    "any way behind, algorithm tried before": _spreads(0, known=True),
}


@dataclass(frozen=True)
class Recorded:
    """One trial that was let to its end."""

    trial: Trial
    gains: tuple[float, ...]
    """Of each fold, when it was done."""
    after_s: tuple[float, ...]
    """When that was, since the start."""
    said: Array
    fresh: Array
    """What it says of the rows kept aside."""


@dataclass(frozen=True)
class Record:
    """One search."""

    table: str
    judged: Judged
    trials: tuple[Recorded, ...]
    labels: Array


class Listening(ProcessExecutor):
    """Notes when each fold was done."""

    def run(self, tasks: Iterator[TrialTask], stop: Stop, given_up: GivenUp = nobody) -> Iterator[Event]:  # type: ignore[override]
        self.heard: dict[int, list[tuple[float, tuple[float, ...]]]] = getattr(self, "heard", {})
        for event in super().run(tasks, stop, given_up):
            if isinstance(event, TrialProgress):
                self.heard.setdefault(event.number, []).append((time.time(), event.fold_scores))
            yield event


def record(name: str, seconds: float) -> Record:
    table = load(name)
    known, fresh = train_test_split(
        table.frame, test_size=TEST_SHARE, random_state=SEED, stratify=table.frame[table.target]
    )
    with tempfile.TemporaryDirectory() as kept:
        folder = Path(kept)
        for part, frame in (("known", known), ("fresh", fresh)):
            frame.to_parquet(folder / f"{part}.parquet")
        path = folder / "known.parquet"
        profile, spec = profile_table(path, table.target), TrainingSpec(
            DataRef("t"), table.target, timeout_s=seconds, seed=SEED, enable_early_termination=False,
            enable_vote_ensemble=False, enable_stack_ensemble=False,
        )  # fmt: skip
        executor = Listening(train, threads=THREADS, memory_mb=MEMORY_MB, libraries=libraries(spec.algorithms))
        search(
            path, spec, profile, folder=folder / "trials", executor=executor, clock=time.time,
            on_trial=lambda trial: None, should_stop=lambda: False,
        )  # fmt: skip
        prepared = prepare(path, spec, profile)
        problem = prepared.problem
        matrix, labels = read_training(replace(problem, table=str(folder / "fresh.parquet")))
        done = [f for f in read_finished(folder / "trials") if f.trial.state is TrialState.SUCCEEDED]
        trials = [_recorded(f, executor, matrix, problem.metric) for f in done if not f.trial.members]
        judged = Judged(problem.kind, problem.metric, prepared.target, prepared.blocks, SEED)
        return Record(name, judged, tuple(sorted(trials, key=lambda t: t.trial.number)), labels)


def _recorded(finished: FinishedTrial, executor: Listening, matrix: Array, metric: str) -> Recorded:
    heard = executor.heard[finished.trial.number]
    return Recorded(
        finished.trial,
        tuple(gain(metric, s) for s in heard[-1][1]),
        tuple(at - finished.trial.started_at for at, _ in heard),
        finished.oof(),
        bagged(_parts(finished.folder), matrix),
    )


def _parts(folder: Path) -> list[Part]:
    with np.load(folder / ARRAYS, allow_pickle=False) as arrays:
        kept = dict(arrays)
    return [read_part(part, kept) for part in json.loads((folder / MEMBER).read_bytes())["parts"]]


@dataclass(frozen=True)
class Replayed:
    """What came of a rule within a time."""

    done: tuple[Recorded, ...]
    ended: tuple[Recorded, ...]
    saved_s: float


def replay(record: Record, rule: Rule | None, budget_s: float) -> Replayed:
    """Go through the trials in their order, until the sum of what they take is the budget."""
    spent, saved, done, ended = 0.0, 0.0, list[Recorded](), list[Recorded]()
    for one in record.trials:
        took = one.trial.duration_s
        at = _ends(one, done, rule, record.judged.metric)
        if at is not None:
            saved += took - one.after_s[at]
            took = one.after_s[at]
            ended.append(one)
        spent += took
        if spent > budget_s:
            break
        if at is None:
            done.append(one)
    return Replayed(tuple(done), tuple(ended), saved)


def _ends(one: Recorded, done: Sequence[Recorded], rule: Rule | None, metric: str) -> int | None:
    """After which fold the rule ends it."""
    rivals = [d for d in done if not set(PLANNED) & set(d.trial.params)]
    if rule is None or not rivals or set(PLANNED) & set(one.trial.params):
        return None
    best = max(rivals, key=lambda d: gain(metric, d.trial.metrics[metric]))
    tried = any(d.trial.algorithm == one.trial.algorithm for d in done)
    theirs = [gain(metric, s) for s in best.trial.fold_scores]
    return next((k for k in range(len(one.gains) - 1) if rule(one.gains[: k + 1], theirs, tried)), None)


def voted(record: Record, done: Sequence[Recorded]) -> tuple[dict[str, float], set[int]]:
    """What the vote of the best says of the rows kept aside, and who is in it."""
    metric = record.judged.metric
    best = sorted(done, key=lambda d: -gain(metric, d.trial.metrics[metric]))[:VOTERS]
    kinds = [d.trial.algorithm for d in best]
    found = vote_of(record.judged, np.array([d.said for d in best]), kinds) if len(best) > 1 else None
    if found is None:
        fresh, members = best[0].fresh, {best[0].trial.number}
    else:
        picked = [best[at] for at in found[0].members]
        fresh = np.tensordot(found[0].weights, np.array([d.fresh for d in picked]), 1)
        members = {d.trial.number for d in picked}
    return {name: score(name, record.labels, fresh) for name in ("AUC_weighted", "log_loss")}, members


def told(record: Record) -> Iterator[str]:
    """A line for each rule."""
    every, metric = sum(t.trial.duration_s for t in record.trials), record.judged.metric
    full = replay(record, None, every + 1)
    _, voters = voted(record, full.done)
    ranked = sorted(full.done, key=lambda d: -gain(metric, d.trial.metrics[metric]))
    best = {d.trial.number for d in ranked[:BEST]}
    yield f"{record.table}: {len(full.done)} trials in {every:.0f} s of trials"
    for name, rule in RULES.items():
        found = replay(record, rule, every + 1)
        out = {d.trial.number for d in found.ended}
        line = f"  {name}: ended {len(out)}, false {len(out & best)} of the best, {len(out & voters)} of the vote"
        line += f", saved {100 * found.saved_s / every:.0f} %"
        for share in SHARES:
            figures, usual = (voted(record, replay(record, r, share * every).done)[0] for r in (rule, None))
            apart = ", ".join(f"{n} {figures[n] - usual[n]:+.5f}" for n in figures)
            line += f"; at {share:g}: {apart}"
        yield line


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tables", nargs="+")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--kept", type=Path, help="a folder in which what was recorded is kept, and read again")
    asked = parser.parse_args()
    for name in asked.tables:
        kept = asked.kept / f"{name}-{asked.seconds:g}.pickle" if asked.kept else None
        if kept and kept.exists():
            found = pickle.loads(kept.read_bytes())
        else:
            found = record(name, asked.seconds)
            if kept:
                kept.write_bytes(pickle.dumps(found))
        print("\n".join(told(found)), flush=True)


if __name__ == "__main__":
    main()
