"""Two trials on the same rows, and why the best of a job won: better is said only beyond luck."""

from collections.abc import Mapping, Sequence

import numpy as np

from core.domain.explanation import PairedDifference, Winner
from core.domain.metrics import metric_named
from core.domain.ranking import standing
from core.domain.training import Trial, algorithm_label
from core.ml.comparison import compare
from core.ml.task import Target
from core.predict.members import Array

CONFIDENCE = 0.95
RIVALS_MAX, RIVALS_RESAMPLED = 10, 5
"""The winner is compared with so many of the next best, fewer by a test that resamples; who is far behind can wait."""
ROWS_MAX, RESAMPLES = 5_000, 200
"""Where a test resamples, so many rows and so often: a page waits for it."""
SWIFT = ("accuracy", "log_loss", "AUC_weighted", "AUC_macro")
"""Metrics whose tests take no time; of more than two classes, areas are resampled too."""


def difference_of(metric: str, target: Target, first: Array, second: Array) -> PairedDifference:
    """The gain of the first over the second on the same rows."""
    limits = {} if _swift(metric, first) else {"rows_max": ROWS_MAX, "resamples": RESAMPLES}
    found = compare(metric, target, first, second, confidence=CONFIDENCE, **limits)
    return PairedDifference(
        metric, found.new, found.live, found.gain, found.low, found.high, found.p_value, found.test, CONFIDENCE
    )


def _swift(metric: str, said: Array) -> bool:
    return metric in SWIFT and (said.shape[1] == 2 or not metric.startswith("AUC"))


def winner_of(metric: str, target: Target, ranked: Sequence[Trial], said: Mapping[int, Array]) -> Winner:
    """Of trials, the winner first and then best first, with what each says of the rows that judge them all.

    With many rivals one looks better by luck alone; the p-values are held against it by Holm's method (1979).
    """
    best = ranked[0]
    rivals = ranked[1 : 1 + (RIVALS_MAX if _swift(metric, said[best.number]) else RIVALS_RESAMPLED)]
    found = {t.number: difference_of(metric, target, said[best.number], said[t.number]) for t in rivals}
    apart = _beyond_luck(found)
    beaten = [t for t in rivals if t.number in apart and found[t.number].gain > 0]
    ahead = [t for t in rivals if t.number in apart and found[t.number].gain < 0]
    level = [t for t in rivals if t.number not in apart]
    first = all(difference.gain >= 0 for difference in found.values())
    parts = [_won(metric, best, first)]
    if not rivals:
        parts = [f"{parts[0]}; no other trial succeeded"]
    if beaten:
        nearest = min(beaten, key=lambda t: found[t.number].gain)
        parts.append(f"significantly better than {_which(beaten, rivals, nearest)} by {_reach(found[nearest.number])}")
    if level:
        parts.append(f"not significantly different from {_level(level, rivals)}")
    if ahead:
        parts.append(f"significantly worse by this metric than {_some(ahead)}")
    sentence = f"{parts[0]}: {_joined(parts[1:])}." if parts[1:] else f"{parts[0]}."
    sentence += _although(metric, best, rivals[0]) if rivals else ""
    return Winner(
        best.number, sentence, metric, tuple(t.number for t in beaten), tuple(t.number for t in (*level, *ahead))
    )


def _beyond_luck(found: Mapping[int, PairedDifference]) -> set[int]:
    """Those from which the first differs, all of them at once with the stated confidence."""
    apart: set[int] = set()
    for left, (number, one) in enumerate(sorted(found.items(), key=lambda item: item[1].p_value)):
        if one.p_value > (1 - CONFIDENCE) / (len(found) - left):
            break
        if one.verdict:
            apart.add(number)
    return apart


def _won(metric: str, best: Trial, first: bool) -> str:
    known = metric_named(metric)
    way = f"the {'highest' if known.higher_is_better else 'lowest'} " if first else ""
    name = f"Trial {best.number} ({algorithm_label(best.algorithm)})"
    return f"{name} won with {way}{known.label} {best.metrics[metric]:.4f}"


def _although(metric: str, best: Trial, leader: Trial) -> str:
    """Why a trial whose score is higher has not won; empty where none is."""
    own, its = (f"{trial.metrics[metric]:.4f}" for trial in (best, leader))
    if own == its or standing(leader, metric) <= standing(best, metric):
        return ""
    said = f" Trial {leader.number} has {its}, "
    if not leader.fast and best.fast:
        return f"{said}but it answers slowly, so it is chosen only where it is asked for."
    if best.members and not leader.members:
        return (
            f"{said}but the best of many trials owes part of its score to luck: on rows that had no part in the "
            "choice, the ensemble did better."
        )
    return ""


def _which(beaten: Sequence[Trial], rivals: Sequence[Trial], nearest: Trial) -> str:
    if len(beaten) == 1:
        return _named(nearest)
    among = f"each of the {len(rivals)}" if len(beaten) == len(rivals) else f"{len(beaten)} of the {len(rivals)}"
    return f"{among} next best, of which the nearest is {_named(nearest)},"


def _level(level: Sequence[Trial], rivals: Sequence[Trial]) -> str:
    """Those that were compared are named as such: the trials behind them are not."""
    if len(level) < len(rivals) or len(level) == 1:
        return _some(level)
    return f"any of the {len(rivals)} next best, of which the nearest is {_named(level[0])}"


def _some(trials: Sequence[Trial]) -> str:
    more = len(trials) - 1
    return f"{_named(trials[0])}{f' and {more} more' if more else ''}"


def _joined(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])}, but {parts[-1]}"


def _named(trial: Trial) -> str:
    return f"trial {trial.number} ({algorithm_label(trial.algorithm)})"


def _reach(difference: PairedDifference) -> str:
    digits = max(4, min(7, 1 - int(np.floor(np.log10(max(abs(difference.gain), 1e-7))))))
    low, high = (f"{value:.{digits}f}" for value in (difference.low, difference.high))
    return f"{difference.gain:.{digits}f} (95 % interval {low} to {high})"
