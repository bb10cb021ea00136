"""What a stated cost matrix makes of decisions: a threshold between two classes, the cheapest of several."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from core.contract.decision import expected_costs
from core.domain.errors import SpecInvalid
from core.domain.metrics import TaskKind
from core.domain.signature import Scalar, Signature
from core.domain.training import Cost
from core.ml.data.folds import Places
from core.ml.task import Labels, LearningProblem
from core.predict.members import Array

HIGHEST = 1.0


@dataclass(frozen=True, slots=True)
class Decision:
    """A threshold, and what a decision costs on average, of rows that did not decide it; at 0.5 as well."""

    threshold: float
    cost: float
    cost_at_half: float

    def note(self, positive: Scalar) -> str:
        """For a person; `positive` is the class that is predicted from the threshold up."""
        return (
            f"By the cost matrix, '{_text(positive)}' is predicted from a probability of {self.threshold:.3g} up: "
            f"a decision then costs {self.cost:.4g} on average, against {self.cost_at_half:.4g} with the usual 0.5"
        )


def costs_of(matrix: Sequence[Cost], problem: LearningProblem) -> Array | None:
    """Actual x predicted class; None without a matrix. Raises SpecInvalid for other classes."""
    return cost_table(matrix, problem.kind, problem.signature.classes) if matrix else None


def cost_table(matrix: Sequence[Cost], kind: TaskKind, classes: Sequence[Scalar]) -> Array:
    """As `costs_of`, of a target that is known by its classes alone.

    What the matrix does not name costs 1, a right answer 0.
    """
    if kind is TaskKind.REGRESSION:
        raise SpecInvalid("A cost matrix is for classes, and this task predicts a number")
    names = [_text(c) for c in classes]
    costs = 1.0 - np.eye(len(names))
    for cost in matrix:
        for given in (cost.actual, cost.predicted):
            if _text(given) not in names:
                raise SpecInvalid(f"The cost matrix names a class '{given}'", hint=f"The classes: {', '.join(names)}")
        costs[names.index(_text(cost.actual)), names.index(_text(cost.predicted))] = cost.cost
    return costs


def decided_by(
    costs: Array, signature: Signature, labels: Labels, said: Array, blocks: Places
) -> tuple[Signature, str]:
    """The signature with the rule by which the model decides, and a note on what that saves."""
    if said.shape[1] == 2:
        found = decision_of(costs, labels, said[:, 1], blocks)
        return replace(signature, threshold=found.threshold), found.note(signature.classes[1])
    cheapest, likeliest = expected_costs(costs.tolist(), said).argmin(axis=1), said.argmax(axis=1)
    note = (
        f"By the cost matrix, the class that is expected to cost least is predicted: a decision then costs "
        f"{costs[labels, cheapest].mean():.4g} on average, against {costs[labels, likeliest].mean():.4g} with the "
        "most probable class"
    )
    return replace(signature, costs=tuple(map(tuple, costs.tolist()))), note


def decision_of(costs: Array, labels: Labels, positive: Array, blocks: Places) -> Decision:
    """The cheapest threshold; its cost is of each block at the one that is cheapest on the others."""
    spent = 0.0
    for block in np.unique(blocks):
        its, others = blocks == block, blocks != block
        deciding = others if others.any() else its
        spent += _spent(costs, labels[its], positive[its], _cheapest(costs, labels[deciding], positive[deciding]))
    half = _spent(costs, labels, positive, 0.5) / len(labels)
    return Decision(_cheapest(costs, labels, positive), spent / len(labels), half)


def _cheapest(costs: Array, labels: Labels, positive: Array) -> float:
    """The one that was cheapest on these rows, or the one that true probabilities would have.

    The rows alone hang on the few that lie near it, so they must save more than chance would. Where the positive class
    is never the dearer one, it is always said, whatever the rows' lowest probability is.
    """
    if _never_dearer(costs):
        return 0.0
    order = np.argsort(-positive, kind="stable")
    change, ranked = (costs[labels, 1] - costs[labels, 0])[order], positive[order]
    ends = np.append(True, np.append(ranked[1:] < ranked[:-1], True))
    found = _between(ranked, int(np.where(ends, np.append(0.0, np.cumsum(change)), np.inf).argmin()))
    expected = _expected(costs)
    if expected is None:
        return found
    apart = change[(ranked >= min(found, expected)) & (ranked < max(found, expected))]
    return expected if abs(apart.sum()) <= np.sqrt((apart**2).sum()) else found


def _between(ranked: Array, taken: int) -> float:
    if taken == 0:
        return HIGHEST
    above, below = float(ranked[taken - 1]), float(ranked[taken]) if taken < len(ranked) else 0.0
    middle = (above + below) / 2
    return middle if middle > below else above  # of two neighbors among the floats it is one of them


def _never_dearer(costs: Array) -> bool:
    false_alarm, miss = costs[0, 1] - costs[0, 0], costs[1, 0] - costs[1, 1]
    return bool(false_alarm <= 0 <= miss and false_alarm < miss)


def _expected(costs: Array) -> float | None:
    """Where both decisions cost the same by the probability; None where one is never the cheaper."""
    false_alarm, miss = costs[0, 1] - costs[0, 0], costs[1, 0] - costs[1, 1]
    if false_alarm <= 0 or miss <= 0:
        return None
    return float(false_alarm / (false_alarm + miss))


def _spent(costs: Array, labels: Labels, positive: Array, threshold: float) -> float:
    return float(costs[labels, (positive >= threshold).astype(np.int64)].sum())


def _text(value: Scalar) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
