"""The trials of an AutoML job: its children in MLflow's tracking, and what the job's own tags say of them.

The parent's tags hold lists in pieces: `score`, or `score_000`, `score_001`, ... with `<0.91>;<0.9>;` in them.
"""

import ast
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from core.azure.context import Context
from core.azure.runs import Document, children, pairs, tracked
from core.domain.metrics import gain
from core.domain.training import BestTrial, Trial, TrialState

STATES: Mapping[str, TrialState] = {
    "FINISHED": TrialState.SUCCEEDED,
    "FAILED": TrialState.FAILED,
    "KILLED": TrialState.STOPPED,
}
BEST = "automl_best_child_run_id"
ALGORITHM = ("run_algorithm", "algorithm", "model_name")
MEMBERS = ("ensembled_iterations", "members")


@dataclass(frozen=True, slots=True)
class Told:
    """What a job's tags say of its trials."""

    algorithms: Mapping[int, str]
    featurizers: Mapping[int, str]
    scores: Mapping[int, float]
    best: int | None


@dataclass(frozen=True, slots=True)
class Leaderboard:
    """The trials of a job, by number, and the best of them."""

    trials: tuple[Trial, ...]
    best: int | None

    def of(self, number: int) -> Trial | None:
        """One trial; None where there is none of that number."""
        return next((trial for trial in self.trials if trial.number == number), None)


def told(tags: Mapping[str, Any]) -> Told:
    """What the tags of an AutoML job say of its trials; nothing where they say nothing that can be read."""
    numbers = [int(each) if each.isdecimal() else index for index, each in enumerate(_list(tags, "iteration"))]
    algorithms, scores = _list(tags, "run_algorithm"), _list(tags, "score")
    numbers = numbers or list(range(max(len(algorithms), len(scores))))
    best = str(tags.get(BEST) or "").rpartition("_")[2]
    return Told(
        {number: name for number, name in zip(numbers, algorithms, strict=False) if name},
        {number: name for number, name in zip(numbers, _list(tags, "run_preprocessor"), strict=False) if name},
        {number: score for number, text in zip(numbers, scores, strict=False) if (score := _number(text)) is not None},
        int(best) if best.isdecimal() else None,
    )


def leaderboard(context: Context, job_id: str, metric: str) -> Leaderboard:
    """The trials of a job in two requests. Raises JobNotFound."""
    parent = tracked(context, job_id)
    known = told(pairs(parent, "tags"))
    trials = [trial for run in children(context, parent) if (trial := _trial(job_id, run, known))]
    trials.sort(key=lambda trial: trial.number)
    scored = [trial for trial in trials if metric in trial.metrics]
    best = known.best
    if best is None and scored:
        best = max(scored, key=lambda trial: gain(metric, trial.metrics[metric])).number
    return Leaderboard(tuple(trials), best)


def best_told(tags: Mapping[str, Any], metric: str) -> BestTrial | None:
    """The best trial as far as the job's own tags tell, without a request."""
    known = told(tags)
    number = known.best
    if number is None and known.scores:
        number = max(known.scores, key=lambda each: gain(metric, known.scores[each]))
    if number is None:
        return None
    score = known.scores.get(number)
    return BestTrial(number, known.algorithms.get(number, ""), {} if score is None else {metric: score})


def trial_run(job_id: str, number: int) -> str:
    """The run of a trial."""
    return f"{job_id}_{number}"


def _trial(job_id: str, run: Document, known: Told) -> Trial | None:
    """A child as a trial; None for one that trains nothing, such as the set-up."""
    info = run.get("info") or {}
    number = re.fullmatch(re.escape(job_id) + r"_(\d+)", str(info.get("run_id") or info.get("run_uuid") or ""))
    if number is None:
        return None
    at, tags, params = int(number[1]), pairs(run, "tags"), pairs(run, "params")
    start, end = _time(info.get("start_time")), _time(info.get("end_time"))
    said = {**params, **tags}
    state = STATES.get(str(info.get("status")).upper(), TrialState.RUNNING)
    return Trial(
        number=at,
        algorithm=known.algorithms.get(at) or next((str(said[key]) for key in ALGORITHM if said.get(key)), ""),
        featurizer=known.featurizers.get(at) or str(said.get("run_preprocessor") or ""),
        state=state,
        params={name: _scalar(value) for name, value in params.items()},
        metrics={name: value for name, text in pairs(run, "metrics").items() if (value := _number(text)) is not None},
        started_at=start,
        duration_s=max(end - start, 0.0) if end else 0.0,
        error=str(tags.get("error") or tags.get("mlflow.note.content") or "") if state is TrialState.FAILED else "",
        members=_members(next((said[key] for key in MEMBERS if said.get(key)), "")),
    )


def _list(tags: Mapping[str, Any], name: str) -> list[str]:
    """The list that a tag, or its numbered pieces in their order, hold."""
    keys = sorted(key for key in tags if re.fullmatch(re.escape(name) + r"(_\d+)?", key))
    text = "".join(f"{str(tags[key]).rstrip(';')};" for key in keys)
    return [each.strip().removeprefix("<").removesuffix(">") for each in text.split(";")[:-1]] if keys else []


def _members(text: Any) -> tuple[int, ...]:
    try:
        held = ast.literal_eval(str(text)) if text else ()
    except (ValueError, SyntaxError):
        return ()
    return tuple(each for each in held if isinstance(each, int)) if isinstance(held, Iterable) else ()


def _number(text: Any) -> float | None:
    """A finite number; NaN is what AutoML says of a trial without a score."""
    try:
        value = float(text)
    except (TypeError, ValueError):
        return None
    return value if math.isfinite(value) else None


def _time(milliseconds: Any) -> float:
    return (_number(milliseconds) or 0.0) / 1000


def _scalar(value: Any) -> str | int | float | bool | None:
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)
