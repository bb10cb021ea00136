"""The columns that a trial adds to the encoded ones, fitted on its training rows.

Which sets of them there are, a trial's parameter `features` says, joined by `+`:
`counts` how often each text occurs; `target` the target's mean by text; `cross` the same by pairs of columns that
explain something together; `arithmetic` differences, ratios and products of such pairs of numbers.
"""

from dataclasses import dataclass

import numpy as np

from core.domain.data import ColumnKind
from core.domain.errors import SpecInvalid
from core.ml import interactions
from core.ml.lookups import CELLS_MAX, Part, counts, part_of, targets
from core.ml.task import LearningProblem, Params, Rows
from core.predict.encoder import ColumnCode
from core.predict.members import Array
from core.predict.steps import Step

FEATURES = "features"
"""The parameter of a trial that says which columns are added; the rest of them are its algorithm's."""
COUNTS, TARGET, CROSS, ARITHMETIC = SETS = ("counts", "target", "cross", "arithmetic")
FEATURIZERS = {
    COUNTS: "CountEncoder",
    TARGET: "TargetEncoder",
    CROSS: "CrossTargetEncoder",
    ARITHMETIC: "ArithmeticFeaturizer",
}
"""What each set is called in a leaderboard, in the manner of Azure's featurizers."""
TARGET_LEVELS_MIN = 3
"""A column of two values says as much by its code."""
COUNT_LEVELS_MIN = 10


@dataclass(frozen=True, slots=True)
class Featurized:
    """Fitted steps, with the training rows as a learner is to see them."""

    steps: tuple[Step, ...]
    matrix: Array
    """The training rows, widened; what was fitted with the target is out of fold here."""
    codes: tuple[ColumnCode, ...]
    """Of every column of the matrix."""


def sets_of(params: Params) -> tuple[str, ...]:
    """The sets of columns that a trial adds. Raises SpecInvalid."""
    named = tuple(filter(None, str(params.get(FEATURES) or "").split("+")))
    if unknown := [name for name in named if name not in SETS]:
        raise SpecInvalid(f"There are no features '{unknown[0]}'", hint=f"One or more of: {', '.join(SETS)}, with +")
    return named


def featurizers(params: Params) -> tuple[str, ...]:
    """What a trial's features are called."""
    return tuple(FEATURIZERS[name] for name in sets_of(params))


def worthwhile(problem: LearningProblem) -> tuple[str, ...]:
    """The sets that can add a column to a table with these codes; none where the job wants none."""
    if not problem.featurized:
        return ()
    text = _text(problem)
    numbers = len(problem.codes) - len(text)
    levels = max((len(problem.codes[at].levels) for at in text), default=0)
    able = {
        COUNTS: levels >= COUNT_LEVELS_MIN,
        TARGET: levels >= TARGET_LEVELS_MIN,
        CROSS: bool(text) and len(problem.codes) >= 2,
        ARITHMETIC: numbers >= 2,
    }
    return tuple(name for name in SETS if able[name])


def featurize(params: Params, rows: Rows, problem: LearningProblem, threads: int = 1) -> Featurized:
    """What the trial's `features` ask for, fitted on these rows alone."""
    wanted = sets_of(params)
    made = _Made(rows, problem)
    left = interactions.unexplained(rows, problem, threads) if {CROSS, ARITHMETIC} & set(wanted) else None
    if ARITHMETIC in wanted and left is not None and (step := interactions.pairs(left, problem)) is not None:
        made.add(step, step.added(rows[0]))
    if COUNTS in wanted and (keys := _keys(rows, problem, COUNT_LEVELS_MIN)):
        counted = counts(keys, rows[0])
        made.add(counted, counted.added(rows[0]))
    keys = _keys(rows, problem, TARGET_LEVELS_MIN) if TARGET in wanted else []
    if CROSS in wanted and left is not None:
        keys += interactions.crosses(left, problem, CELLS_MAX)
    if keys:
        made.add(*targets(keys, rows, problem))
    return made.done()


class _Made:
    """The steps so far, and the training rows as they widen."""

    def __init__(self, rows: Rows, problem: LearningProblem) -> None:
        self._steps, self._parts, self._codes = list[Step](), [rows[0]], list(problem.codes)

    def add(self, step: Step, seen: Array) -> None:
        names = [code.name for code in self._codes]
        self._steps.append(step)
        self._parts.append(seen)
        self._codes += [
            ColumnCode(f"{step.kind} of {' and '.join(names[c] for c in source)}", ColumnKind.NUMBER)
            for source in step.sources
        ]

    def done(self) -> Featurized:
        matrix = np.hstack(self._parts) if self._steps else self._parts[0]
        return Featurized(tuple(self._steps), matrix, tuple(self._codes))


def _text(problem: LearningProblem) -> list[int]:
    return [at for at, code in enumerate(problem.codes) if code.kind is ColumnKind.STRING and not code.part]


def _keys(rows: Rows, problem: LearningProblem, levels_min: int) -> list[tuple[Part, ...]]:
    wide = [at for at in _text(problem) if len(problem.codes[at].levels) >= levels_min]
    return [(part_of(problem, rows[0], at),) for at in wide]
