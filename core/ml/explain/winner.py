"""Two trials on the same rows, and why the best of a job won: better is said only beyond luck."""

from collections.abc import Mapping, Sequence

import numpy as np

from core.domain.explanation import PairedDifference, Winner
from core.domain.metrics import metric_named
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
    """Of trials, best first, with what each says of the rows that judge them all.

    With many rivals one looks better by luck alone; the p-values are held against it by Holm's method (1979).
    """
    best = ranked[0]
    rivals = ranked[1 : 1 + (RIVALS_MAX if _swift(metric, said[best.number]) else RIVALS_RESAMPLED)]
    found = {t.number: difference_of(metric, target, said[best.number], said[t.number]) for t in rivals}
    beaten = _beyond_luck(found)
    level = tuple(t.number for t in rivals if t.number not in beaten)
    ordered = tuple(t.number for t in rivals if t.number in beaten)
    return Winner(best.number, _sentence(metric, best, rivals, found, level), metric, ordered, level)


def _beyond_luck(found: Mapping[int, PairedDifference]) -> set[int]:
    """Those that the first is better than, all of them at once with the stated confidence."""
    beaten: set[int] = set()
    for left, (number, one) in enumerate(sorted(found.items(), key=lambda item: item[1].p_value)):
        if one.p_value > (1 - CONFIDENCE) / (len(found) - left):
            break
        if one.low > 0:
            beaten.add(number)
    return beaten


def _sentence(
    metric: str, best: Trial, rivals: Sequence[Trial], found: Mapping[int, PairedDifference], level: Sequence[int]
) -> str:
    known = metric_named(metric)
    way = "highest" if known.higher_is_better else "lowest"
    value = f"{way} {known.label}, {best.metrics[metric]:.4f}"
    began = f"Trial {best.number} ({algorithm_label(best.algorithm)}) won with the {value}"
    if not rivals:
        return f"{began}; no other trial succeeded."
    beaten = [t for t in rivals if t.number not in level]
    if not beaten:
        return f"{began}, but its lead over the {_others(len(rivals))} may be luck."
    nearest = beaten[0]
    lead = _reach(found[nearest.number])
    if not level:
        among = "" if len(rivals) == 1 else f"each of the {_others(len(rivals))}, the nearest of them "
        return f"{began}: significantly better than {among}{_named(nearest)}, by {lead}."
    near = f"{_named(rivals[0])}" if rivals[0].number in level else f"{len(level)} of them"
    return (
        f"{began}: significantly better than {len(beaten)} of the {_others(len(rivals))}"
        f" ({_named(nearest)} by {lead}), but its lead over {near}"
        f"{_and_more(len(level) - 1) if rivals[0].number in level else ''} may be luck."
    )


def _named(trial: Trial) -> str:
    return f"trial {trial.number} ({algorithm_label(trial.algorithm)})"


def _others(count: int) -> str:
    if count == 1:
        return "next best trial"
    return f"{count} next best"


def _and_more(count: int) -> str:
    return f" and {count} more" if count else ""


def _reach(difference: PairedDifference) -> str:
    digits = max(4, min(7, 1 - int(np.floor(np.log10(max(abs(difference.gain), 1e-7))))))
    low, high = (f"{value:.{digits}f}" for value in (difference.low, difference.high))
    return f"{difference.gain:.{digits}f} (95 % interval {low} to {high})"
